/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A reader of a BPF ring buffer that lends one record at a time. libbpf's own calls back and frees the
 * record when the callback returns, but a source's observation must live until its next call.
 * Layout and flags: kernel Documentation/bpf/ringbuf.rst, include/uapi/linux/bpf.h.
 */
struct ring {
	int epoll_fd;
	size_t size;
	volatile unsigned long *consumer;
	const volatile unsigned long *producer;
	const uint8_t *data;
	unsigned long held; /* bytes of the lent record */
};

/* Maps the ring of `map_fd` with `size` bytes of data (a power of two). -errno. */
int ring_open(struct ring *ring, int map_fd, size_t size);
void ring_close(struct ring *ring);
/* The next record and its length, lent until the next call; NULL when there is none now. */
const void *ring_next(struct ring *ring, uint32_t *len);
/* Waits for a record. 1: there may be one; 0: timeout or a signal; -errno. */
int ring_wait(struct ring *ring, int timeout_ms);
