/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/x86_insn.h"

#include <errno.h>
#include <stdbool.h>

/* What follows an opcode. */
enum operands {
	BAD,
	N,   /* nothing */
	M,   /* ModRM */
	I1,  /* 8-bit immediate or displacement */
	I2,  /* 16 bits */
	I3,  /* enter: 16 and 8 bits */
	IZ,  /* 32 bits, 16 with the operand-size prefix */
	I4,  /* 32 bits always: near jumps and calls */
	IV,  /* as IZ, or 64 bits with REX.W */
	A,   /* a 64-bit address, 32 with the address-size prefix */
	M1,  /* ModRM and then I1 */
	MZ,  /* ModRM and then IZ */
	G1,  /* group 3: ModRM, and I1 for its first two members */
	GZ,  /* group 3: ModRM, and IZ for its first two members */
	PRE, /* a prefix, or an escape to another map */
};

/* clang-format off */
static const uint8_t one_byte[256] = {
	/* 00 */ M, M, M, M, I1, IZ, BAD, BAD, M, M, M, M, I1, IZ, BAD, PRE,
	/* 10 */ M, M, M, M, I1, IZ, BAD, BAD, M, M, M, M, I1, IZ, BAD, BAD,
	/* 20 */ M, M, M, M, I1, IZ, PRE, BAD, M, M, M, M, I1, IZ, PRE, BAD,
	/* 30 */ M, M, M, M, I1, IZ, PRE, BAD, M, M, M, M, I1, IZ, PRE, BAD,
	/* 40 */ PRE, PRE, PRE, PRE, PRE, PRE, PRE, PRE, PRE, PRE, PRE, PRE, PRE, PRE, PRE, PRE,
	/* 50 */ N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N,
	/* 60 */ BAD, BAD, PRE, M, PRE, PRE, PRE, PRE, IZ, MZ, I1, M1, N, N, N, N,
	/* 70 */ I1, I1, I1, I1, I1, I1, I1, I1, I1, I1, I1, I1, I1, I1, I1, I1,
	/* 80 */ M1, MZ, BAD, M1, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 90 */ N, N, N, N, N, N, N, N, N, N, BAD, N, N, N, N, N,
	/* a0 */ A, A, A, A, N, N, N, N, I1, IZ, N, N, N, N, N, N,
	/* b0 */ I1, I1, I1, I1, I1, I1, I1, I1, IV, IV, IV, IV, IV, IV, IV, IV,
	/* c0 */ M1, M1, I2, N, PRE, PRE, M1, MZ, I3, N, I2, N, N, I1, BAD, N,
	/* d0 */ M, M, M, M, BAD, BAD, BAD, N, M, M, M, M, M, M, M, M,
	/* e0 */ I1, I1, I1, I1, I1, I1, I1, I1, I4, I4, BAD, I1, N, N, N, N,
	/* f0 */ PRE, N, PRE, PRE, N, N, G1, GZ, N, N, N, N, N, N, M, M,
};
static const uint8_t two_byte[256] = {
	/* 00 */ M, M, M, M, BAD, N, N, N, N, N, BAD, N, BAD, M, N, M1,
	/* 10 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 20 */ M, M, M, M, BAD, BAD, BAD, BAD, M, M, M, M, M, M, M, M,
	/* 30 */ N, N, N, N, N, N, BAD, N, PRE, BAD, PRE, BAD, BAD, BAD, BAD, BAD,
	/* 40 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 50 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 60 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 70 */ M1, M1, M1, M1, M, M, M, N, M, M, BAD, BAD, M, M, M, M,
	/* 80 */ I4, I4, I4, I4, I4, I4, I4, I4, I4, I4, I4, I4, I4, I4, I4, I4,
	/* 90 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* a0 */ N, N, N, M, M1, M, BAD, BAD, N, N, N, M, M1, M, M, M,
	/* b0 */ M, M, M, M, M, M, M, M, M, M, M1, M, M, M, M, M,
	/* c0 */ M, M, M1, M, M1, M1, M1, M, N, N, N, N, N, N, N, N,
	/* d0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* e0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* f0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
};
/* clang-format on */

#define INSN_BYTES_MAX 15 /* SDM volume 2, section 2.3.11 */

struct cursor {
	const uint8_t *code;
	size_t len, at;
	bool operand_size, address_size, rex_w;
};

static int next(struct cursor *c)
{
	if (c->at >= c->len || c->at >= INSN_BYTES_MAX)
		return -ENODATA;
	return c->code[c->at++];
}

static bool is_legacy_prefix(int byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66:
	case 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return true;
	}
	return false;
}

/* Takes the prefixes; returns the first byte after them. REX counts only right before the opcode. */
static int skip_prefixes(struct cursor *c)
{
	int byte = next(c);

	while (byte >= 0 && is_legacy_prefix(byte)) {
		c->operand_size |= byte == 0x66;
		c->address_size |= byte == 0x67;
		byte = next(c);
	}
	if (byte >= 0x40 && byte <= 0x4f) {
		c->rex_w = byte & 8;
		byte = next(c);
		if (byte >= 0x40 && byte <= 0x4f)
			return -EBADMSG;
		if (byte >= 0 && is_legacy_prefix(byte))
			return -EBADMSG;
	}
	return byte;
}

/* ModRM, SIB and displacement (SDM table 2-2); returns the ModRM byte. */
static int skip_modrm(struct cursor *c)
{
	int modrm = next(c), sib = 0;
	size_t displacement = 0;

	if (modrm < 0 || modrm >> 6 == 3)
		return modrm;
	if ((modrm & 7) == 4) {
		sib = next(c);
		if (sib < 0)
			return sib;
	}
	if (modrm >> 6 == 1)
		displacement = 1;
	else if (modrm >> 6 == 2 || (modrm & 7) == 5 || ((modrm & 7) == 4 && (sib & 7) == 5))
		displacement = 4;
	c->at += displacement;
	return modrm;
}

static size_t immediate_bytes(const struct cursor *c, enum operands operands, int modrm)
{
	size_t z = c->operand_size && !c->rex_w ? 2 : 4;
	bool group_has = (modrm >> 3 & 7) < 2;

	switch (operands) {
	case I1:
	case M1:
		return 1;
	case I2:
		return 2;
	case I3:
		return 3;
	case I4:
		return 4;
	case IZ:
	case MZ:
		return z;
	case IV:
		return c->rex_w ? 8 : z;
	case A:
		return c->address_size ? 4 : 8;
	case G1:
		return group_has ? 1 : 0;
	case GZ:
		return group_has ? z : 0;
	default:
		return 0;
	}
}

static bool has_modrm(enum operands operands)
{
	return operands == M || operands == M1 || operands == MZ || operands == G1 ||
	       operands == GZ;
}

/* VEX and EVEX (SDM sections 2.3.5 and 2.7.1): the map is told by their low bits. */
static int vector_prefix(struct cursor *c, int byte, struct x86_insn *insn, enum operands *operands)
{
	int map = 1, payload = next(c), opcode;

	if (payload < 0)
		return payload;
	if (byte == 0xc4)
		map = payload & 0x1f;
	else if (byte == 0x62)
		map = payload & 7;
	c->at += byte == 0xc4 ? 1 : byte == 0x62 ? 2 : 0;
	opcode = next(c);
	if (opcode < 0)
		return opcode;
	insn->opcode = (uint8_t)opcode;
	insn->map = X86_MAP_OTHER;
	*operands = map == 3 ? M1 : M;
	if (map == 1)
		*operands = two_byte[opcode] == M1 ? M1 : opcode == 0x77 ? N : M;
	return map >= 1 && map <= 6 && map != 4 ? 0 : -EBADMSG;
}

static int opcode_of(struct cursor *c, int byte, struct x86_insn *insn, enum operands *operands)
{
	if (byte == 0xc4 || byte == 0xc5 || byte == 0x62)
		return vector_prefix(c, byte, insn, operands);
	insn->map = X86_MAP_ONE;
	*operands = one_byte[byte];
	if (byte == 0x0f) {
		insn->map = X86_MAP_0F;
		byte = next(c);
		if (byte < 0)
			return byte;
		*operands = two_byte[byte];
	}
	if (*operands == PRE) { /* 0f 38 and 0f 3a */
		insn->map = byte == 0x38 ? X86_MAP_0F38 : X86_MAP_0F3A;
		*operands = byte == 0x38 ? M : M1;
		byte = next(c);
		if (byte < 0)
			return byte;
	}
	insn->opcode = (uint8_t)byte;
	return *operands == BAD ? -EBADMSG : 0;
}

int x86_decode(const uint8_t *code, size_t len, struct x86_insn *insn)
{
	struct cursor c = {.code = code, .len = len};
	enum operands operands = BAD;
	int byte = skip_prefixes(&c), modrm = 0, r;

	if (byte < 0)
		return byte;
	r = opcode_of(&c, byte, insn, &operands);
	if (r)
		return r;
	insn->opcode_at = (uint8_t)(c.at - 1);
	if (has_modrm(operands)) {
		modrm = skip_modrm(&c);
		if (modrm < 0)
			return modrm;
	}
	c.at += immediate_bytes(&c, operands, modrm);
	if (c.at > INSN_BYTES_MAX)
		return -EBADMSG;
	if (c.at > len)
		return -ENODATA;
	insn->len = (uint8_t)c.at;
	return 0;
}
