/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "gnomon/observation.h"

/*
 * A conversation as fuzzer input: turns that begin with a line of its own, "\n>>\n" for bytes out,
 * "\n<<\n" for bytes in, "\n>N\n" and "\n<N\n" (N one digit) for N * 7 lost bytes first.
 */
struct turns {
	const uint8_t *at;
	size_t left;
};

struct turn {
	enum stream_dir dir;
	uint64_t gap;
	struct span bytes;
};

static inline bool turn_mark(const uint8_t *p)
{
	return p[0] == '\n' && (p[1] == '>' || p[1] == '<') &&
	       (p[2] == p[1] || (p[2] >= '0' && p[2] <= '9')) && p[3] == '\n';
}

static inline bool turns_next(struct turns *turns, struct turn *turn)
{
	size_t len = 4;

	/* What comes before the first mark is not used. */
	while (turns->left >= 4 && !turn_mark(turns->at)) {
		turns->at++;
		turns->left--;
	}
	if (turns->left < 4)
		return false;
	turn->dir = turns->at[1] == '>' ? DIR_OUT : DIR_IN;
	turn->gap = turns->at[2] == turns->at[1] ? 0 : (uint64_t)(turns->at[2] - '0') * 7;
	while (len < turns->left && (turns->left - len < 4 || !turn_mark(turns->at + len)))
		len++;
	turn->bytes = span_of((const char *)turns->at + 4, len - 4);
	turns->at += len;
	turns->left -= len;
	return true;
}
