/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/abi.h"
#include "gnomon/limits.h"

struct bpf_program;

/*
 * The user half of bpf/tls_dispatch.bpf.c: which program runs at which address within a page. An address is taken
 * by one program at a time, for as many files as want that.
 */
struct probe_dispatch {
	const struct bpf_program *program;
	int places, programs; /* maps: address to index, index to program */
	const struct bpf_program *known[DISPATCHED_PROGRAMS_MAX];
	struct {
		uint16_t index; /* into known */
		uint16_t users;
	} slots[PLACES_PER_PAGE];
};

void probe_dispatch_init(struct probe_dispatch *dispatch, const struct bpf_program *program,
			 int places, int programs);
/* Has `wanted` run at that file offset. False: another program is there already, or a map refuses. */
bool probe_dispatch_take(struct probe_dispatch *dispatch, unsigned long offset,
			 const struct bpf_program *wanted);
/* Undoes one probe_dispatch_take(), when nothing fires there any more. */
void probe_dispatch_release(struct probe_dispatch *dispatch, unsigned long offset);
