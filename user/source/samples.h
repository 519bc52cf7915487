/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "gnomon/abi.h"
#include "source/iteration.h"

/*
 * Byte counts of open sockets, by the kernel half's iterator: a walk every interval, read piece by piece
 * between records, so that ten thousand sockets delay nobody.
 */
struct samples {
	int link_fd;
	uint64_t interval_ns, next_ns;
	struct iteration walk;
};

/* `link_fd` is the iterator's link, -1 without one; not owned. */
void samples_init(struct samples *samples, int link_fd, uint64_t interval_ns);
void samples_done(struct samples *samples);
/* The next sample, of this walk or of one that is due by `now_ns` (any clock that rises). NULL: none now.
 * Lent until the next call. */
const struct socket_sample *samples_next(struct samples *samples, uint64_t now_ns);
