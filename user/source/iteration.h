/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gnomon/limits.h"

/* One walk of a BPF iterator that writes items of one size, read batch by batch. */
struct iteration {
	int fd; /* -1: none is under way */
	size_t item_bytes, count, at;
	_Alignas(8) uint8_t batch[ITERATION_BATCH_BYTES];
};

/* `item_bytes` at most ITERATION_BATCH_BYTES. */
void iteration_init(struct iteration *iteration, size_t item_bytes);
/* Begins a walk; -errno. `link_fd` is the iterator's link, not owned. */
int iteration_start(struct iteration *iteration, int link_fd);
/* The next item, lent until the next call; NULL when the walk has ended. */
const void *iteration_next(struct iteration *iteration);
void iteration_done(struct iteration *iteration);
