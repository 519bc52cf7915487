/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/abi.h"
#include "gnomon/limits.h"

struct bpf_link;

/*
 * Byte counts of open sockets, by the kernel half's iterator: a walk every interval, read piece by piece
 * between records, so that ten thousand sockets delay nobody. Zeroed with both descriptors -1 it is off.
 */
struct samples {
	int link_fd, walk_fd; /* walk_fd: -1 between walks */
	uint64_t interval_ns, next_ns;
	size_t count, at;
	struct socket_sample batch[SOCKET_SAMPLES_BATCH];
};

/* `link_fd` is the iterator's link, -1 without one; not owned. */
void samples_init(struct samples *samples, int link_fd, uint64_t interval_ns);
void samples_done(struct samples *samples);
/* The next sample, of this walk or of one that is due by `now_ns` (any clock that rises). NULL: none now.
 * Lent until the next call. */
const struct socket_sample *samples_next(struct samples *samples, uint64_t now_ns);
