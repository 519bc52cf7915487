/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

int ring_open(struct ring *ring, int map_fd, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct epoll_event event = {.events = EPOLLIN};
	void *p;
	int r;

	*ring = (struct ring){.epoll_fd = -1, .size = size};
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	ring->consumer = p;
	/* the data is mapped twice in a row, so that a record never wraps */
	p = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (p == MAP_FAILED) {
		r = -errno;
		ring_close(ring);
		return r;
	}
	ring->producer = p;
	ring->data = (const uint8_t *)p + page;

	ring->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (ring->epoll_fd < 0 || epoll_ctl(ring->epoll_fd, EPOLL_CTL_ADD, map_fd, &event)) {
		r = -errno;
		ring_close(ring);
		return r;
	}
	return 0;
}

void ring_close(struct ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (ring->epoll_fd >= 0)
		close(ring->epoll_fd);
	if (ring->producer)
		munmap((void *)ring->producer, page + 2 * ring->size);
	if (ring->consumer)
		munmap((void *)ring->consumer, page);
	*ring = (struct ring){.epoll_fd = -1};
}

const void *ring_next(struct ring *ring, uint32_t *len)
{
	unsigned long at = *ring->consumer; /* only we write it */

	if (ring->held) {
		at += ring->held;
		ring->held = 0;
		__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
	}
	while (at < __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE)) {
		const uint8_t *record = ring->data + (at & (ring->size - 1));
		uint32_t word = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
		uint32_t size = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		unsigned long whole = (size + BPF_RINGBUF_HDR_SZ + 7UL) & ~7UL;

		if (word & BPF_RINGBUF_BUSY_BIT)
			return NULL; /* reserved, not yet submitted */
		if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
			ring->held = whole;
			*len = size;
			return record + BPF_RINGBUF_HDR_SZ;
		}
		at += whole;
		__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
	}
	return NULL;
}

int ring_wait(struct ring *ring, int timeout_ms)
{
	struct epoll_event event;
	int n = epoll_wait(ring->epoll_fd, &event, 1, timeout_ms);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n;
}
