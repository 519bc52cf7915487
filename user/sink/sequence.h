/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "gnomon/span.h"

struct diag;

/*
 * Sequence numbers that never repeat, across restarts and crashes. Blocks of SEQUENCE_BLOCK are
 * reserved ahead in a small file, synced to disk before the first number of a block is used: a crash
 * skips the rest of its block, which shows as a gap. A clean close keeps the exact next number.
 */
struct sequence;

/*
 * Numbers for the output `name`, kept in a file of the directory `dir`, which must exist; NULL `dir`: in
 * memory, from 1. -EBUSY: another process numbers this output. -EINVAL: the file holds no number. The
 * reason is in `diag`.
 */
int sequence_open(struct sequence **sequence, const char *dir, struct span name, struct diag *diag);
/* The next number. When a block cannot be reserved the numbers go on all the same, and the failure is
 * counted: they might repeat after a crash. */
uint64_t sequence_next(struct sequence *sequence);
uint64_t sequence_failures(const struct sequence *sequence);
void sequence_close(struct sequence *sequence);
