/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/terminal.h"

#include <stdint.h>

#include "util/cleanup.h"
#include "util/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS    "\xe2\x80\xa6" /* U+2026 */

struct range {
	uint32_t first, last;
};

/* Controls, format characters (category Cf), line separators, and characters that show nothing. */
static const struct range unsafe[] = {
	{0x0, 0x1f},        {0x7f, 0x9f},
	{0xad, 0xad},       {0x34f, 0x34f},
	{0x600, 0x605},     {0x61c, 0x61c},
	{0x6dd, 0x6dd},     {0x70f, 0x70f},
	{0x890, 0x891},     {0x8e2, 0x8e2},
	{0x115f, 0x1160},   {0x180b, 0x180f},
	{0x200b, 0x200f},   {0x2028, 0x202e},
	{0x2060, 0x206f},   {0x3164, 0x3164},
	{0xfeff, 0xfeff},   {0xffa0, 0xffa0},
	{0xfff0, 0xfffb},   {0x110bd, 0x110bd},
	{0x110cd, 0x110cd}, {0x13430, 0x1343f},
	{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
	{0xe0000, 0xe0fff}, {UTF8_INVALID, UTF8_INVALID},
};

/* Marks that stand on the character before, as far as they are common. */
static const struct range combining[] = {
	{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
	{0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

/* Unicode Standard Annex 11, categories W and F, in whole blocks. */
static const struct range wide[] = {
	{0x1100, 0x115e}, {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97c},
	{0xac00, 0xd7a3}, {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},
	{0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
};

static bool within(uint32_t code, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

static size_t columns(uint32_t code)
{
	if (code < 0x300)
		return 1;
	if (within(code, combining, ARRAY_SIZE(combining)))
		return 0;
	return within(code, wide, ARRAY_SIZE(wide)) ? 2 : 1;
}

size_t terminal_clean(char *to, size_t cap, struct span text)
{
	size_t used = 0, last = 0; /* where an ellipsis would still fit */

	while (text.len) {
		uint32_t code;
		size_t n = utf8_decode(text, &code);
		struct span put = span_of(text.at, n);

		if (code >= '\t' && code <= '\r')
			put = SPAN_LITERAL(" ");
		else if (within(code, unsafe, ARRAY_SIZE(unsafe)))
			put = SPAN_LITERAL(REPLACEMENT);
		if (used + put.len >= cap) {
			memcpy(to + last, ELLIPSIS, sizeof(ELLIPSIS));
			return last + sizeof(ELLIPSIS) - 1;
		}
		memcpy(to + used, put.at, put.len);
		used += put.len;
		if (used + sizeof(ELLIPSIS) <= cap)
			last = used;
		text = span_skip(text, n);
	}
	to[used] = '\0';
	return used;
}

size_t terminal_width(struct span text)
{
	size_t width = 0;

	while (text.len) {
		uint32_t code;
		size_t n = utf8_decode(text, &code);

		width += columns(code);
		text = span_skip(text, n);
	}
	return width;
}

size_t terminal_fit(struct span text, size_t width)
{
	struct span left = text;

	while (left.len) {
		uint32_t code;
		size_t n = utf8_decode(left, &code), takes = columns(code);

		if (takes > width)
			break;
		width -= takes;
		left = span_skip(left, n);
	}
	return text.len - left.len;
}
