/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/prologue.h"

#include <string.h>

#include "tlslib/x86_insn.h"

/* Instructions that must decode: random bytes pass one, seldom three. */
#define DEPTH 3

static bool ends_or_pads(const struct x86_insn *insn, const uint8_t *code)
{
	if (insn->map == X86_MAP_0F)
		return insn->opcode == 0x0b || insn->opcode == 0xff; /* ud2, ud0 */
	if (insn->map != X86_MAP_ONE)
		return false;
	switch (insn->opcode) {
	case 0xc2: /* ret */
	case 0xc3:
	case 0xca:
	case 0xcb:
	case 0xc9: /* leave */
	case 0xcc: /* int3 */
	case 0xcd:
	case 0xcf:
	case 0xf4: /* hlt */
		return true;
	case 0x00: /* add [rax], al: zeroes */
		return code[insn->opcode_at + 1] == 0;
	case 0x8f: /* pop: what is on the stack is the return address */
		return true;
	}
	return insn->opcode >= 0x58 && insn->opcode <= 0x5f;
}

static bool goes_elsewhere(const struct x86_insn *insn)
{
	return insn->map == X86_MAP_ONE &&
	       (insn->opcode == 0xe9 || insn->opcode == 0xeb || insn->opcode == 0xff);
}

static bool is_emulated(const struct x86_insn *insn, const uint8_t *code)
{
	bool plain = insn->opcode_at == 0;

	if (insn->map == X86_MAP_0F)
		return code[0] == 0x0f && insn->opcode >= 0x80 && insn->opcode <= 0x8f;
	if (insn->map != X86_MAP_ONE)
		return false;
	if (insn->opcode >= 0x50 && insn->opcode <= 0x57)
		return plain || (insn->opcode_at == 1 && (code[0] & 0xf0) == 0x40);
	if (insn->opcode >= 0x70 && insn->opcode <= 0x7f)
		return plain;
	return plain && (insn->opcode == 0x90 || insn->opcode == 0xe8 || insn->opcode == 0xe9 ||
			 insn->opcode == 0xeb);
}

/* The kernel does not put a breakpoint on these, and says so only to whoever maps the file: the probe would be
 * silent (arch/x86/kernel/uprobes.c, Linux 5.10 to 6.18; seen with VEX). */
static bool is_vector_encoded(uint8_t first)
{
	return first == 0xc4 || first == 0xc5 || first == 0x62;
}

bool prologue_recognise(const uint8_t *code, size_t len, struct prologue *prologue)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	struct x86_insn insn;
	size_t at = 0;

	if (len >= sizeof(endbr64) && memcmp(code, endbr64, sizeof(endbr64)) == 0)
		at = sizeof(endbr64);
	prologue->hook_at = (uint8_t)at;
	for (unsigned int i = 0; i < DEPTH; i++) {
		if (x86_decode(code + at, len - at, &insn))
			return false;
		if (i == 0 && (ends_or_pads(&insn, code + at) || is_vector_encoded(code[at])))
			return false;
		if (i == 0)
			prologue->emulated = is_emulated(&insn, code + at);
		if (goes_elsewhere(&insn))
			break; /* a tail call: what follows is another function or padding */
		at += insn.len;
	}
	return true;
}
