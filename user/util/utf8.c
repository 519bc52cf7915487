/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/utf8.h"

#define SEQUENCE_MAX 4

/* What may follow a lead byte: `more` bytes, the first of them between low and high. */
struct lead {
	uint8_t more, low, high;
};

/* Table 3-7 of The Unicode Standard, by rows. more == 0: no lead byte. */
static struct lead lead_of(uint8_t byte)
{
	if (byte >= 0xc2 && byte <= 0xdf)
		return (struct lead){1, 0x80, 0xbf};
	if (byte == 0xe0)
		return (struct lead){2, 0xa0, 0xbf};
	if (byte == 0xed)
		return (struct lead){2, 0x80, 0x9f};
	if (byte >= 0xe1 && byte <= 0xef)
		return (struct lead){2, 0x80, 0xbf};
	if (byte == 0xf0)
		return (struct lead){3, 0x90, 0xbf};
	if (byte >= 0xf1 && byte <= 0xf3)
		return (struct lead){3, 0x80, 0xbf};
	if (byte == 0xf4)
		return (struct lead){3, 0x80, 0x8f};
	return (struct lead){0};
}

size_t utf8_decode(struct span s, uint32_t *code)
{
	uint8_t first = (uint8_t)s.at[0];
	struct lead lead;
	uint32_t value;

	if (first < 0x80) {
		*code = first;
		return 1;
	}

	*code = UTF8_INVALID;
	lead = lead_of(first);
	if (lead.more == 0)
		return 1;

	/* 5, 4 or 3 bits of the lead byte for 1, 2 or 3 more bytes */
	value = first & (0x3fu >> lead.more);
	for (size_t i = 1; i <= lead.more; i++) {
		uint8_t byte = i < s.len ? (uint8_t)s.at[i] : 0;
		uint8_t low = i == 1 ? lead.low : 0x80;
		uint8_t high = i == 1 ? lead.high : 0xbf;

		if (byte < low || byte > high)
			return i;
		value = value << 6 | (byte & 0x3fu);
	}
	*code = value;
	return lead.more + 1u;
}

size_t utf8_whole(struct span s)
{
	for (size_t back = 1; back < SEQUENCE_MAX && back <= s.len; back++) {
		uint8_t byte = (uint8_t)s.at[s.len - back];

		if (lead_of(byte).more >= back)
			return s.len - back;
		if ((byte & 0xc0) != 0x80)
			break;
	}
	return s.len;
}

size_t utf8_cut(struct span s, size_t max)
{
	return s.len <= max ? s.len : utf8_whole(span_of(s.at, max));
}
