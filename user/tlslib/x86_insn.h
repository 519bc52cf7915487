/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * How long an x86-64 instruction is, and its opcode: enough to walk a function from its start
 * (Intel SDM volume 2, chapter 2 and appendix A; 64-bit mode only). Tells nothing of operands.
 */

enum x86_map { X86_MAP_ONE, X86_MAP_0F, X86_MAP_0F38, X86_MAP_0F3A, X86_MAP_OTHER };

struct x86_insn {
	uint8_t len; /* bytes, 1 to 15 */
	uint8_t opcode;
	uint8_t opcode_at; /* the opcode's place in the instruction */
	enum x86_map map;
};

/* Decodes the instruction at `code`, of which `len` bytes may be read. -EBADMSG: no instruction of this
 * mode, or none that compilers emit; -ENODATA: it would go past `len`. */
int x86_decode(const uint8_t *code, size_t len, struct x86_insn *insn);
