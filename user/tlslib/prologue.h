/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that are looked at: three of the longest instructions fit. */
#define PROLOGUE_BYTES 48

struct prologue {
	uint8_t hook_at; /* where to put a probe: 0, or 4 past endbr64, which the kernel single-steps */
	bool emulated; /* the instruction there is emulated by the kernel */
};

/*
 * Can these bytes be the beginning of an x86-64 function, and where does a probe belong? Checks that
 * instructions follow, that the first is none that only ends or pads a function, and which it is.
 * Emulated are (arch/x86/kernel/uprobes.c, branch_setup_insn and push_setup_insn, Linux 5.10): push of a
 * register, nop, near jumps and calls. False: nothing may be hooked here.
 */
bool prologue_recognise(const uint8_t *code, size_t len, struct prologue *prologue);
