/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "estimate/sample.h"

#include <math.h>
#include <stdlib.h>

#include "util/cleanup.h"

/* Between texts; no byte of UTF-8. */
#define TEXT_END '\xff'
/* How far into a slice a blank is looked for, to begin or end with a whole word; longer words are cut. */
#define WORD_BYTES_MAX 32
#define SLICES_MAX     (TEXT_SAMPLE_BYTES / TEXT_SLICE_BYTES)

_Static_assert(TEXT_SAMPLE_BYTES % (2 * TEXT_SLICE_BYTES) == 0,
	       "half of the slices are slices too");

void text_sample_done(struct text_sample *sample)
{
	free(sample->at);
	*sample = (struct text_sample){0};
}

/* Every second slice makes room for as many. */
static void thin_out(struct text_sample *s)
{
	for (uint32_t i = 1; i < SLICES_MAX / 2; i++)
		memcpy(s->at + i * TEXT_SLICE_BYTES, s->at + 2 * i * TEXT_SLICE_BYTES,
		       TEXT_SLICE_BYTES);
	s->len /= 2;
	s->stride *= 2;
}

/* Room for a byte at least. */
static bool make_room(struct text_sample *s)
{
	uint32_t room = s->room ? s->room * 2 : TEXT_SLICE_BYTES;
	char *grown;

	if (s->len < s->room)
		return true;
	if (s->room == TEXT_SAMPLE_BYTES) {
		thin_out(s);
		return s->bytes % s->stride == 0;
	}
	grown = realloc(s->at, room);
	if (!grown) {
		s->short_of_memory = true;
		return false;
	}
	s->at = grown;
	s->room = room;
	return true;
}

void text_sample_add(struct text_sample *sample, struct span text)
{
	if (!sample->stride)
		sample->stride = TEXT_SLICE_BYTES;
	while (text.len) {
		uint64_t at = sample->bytes & (sample->stride - 1), n = sample->stride - at;
		bool kept = at < TEXT_SLICE_BYTES && !sample->short_of_memory && make_room(sample);

		if (kept)
			n = TEXT_SLICE_BYTES - at < sample->room - sample->len
				    ? TEXT_SLICE_BYTES - at
				    : sample->room - sample->len;
		if (n > text.len)
			n = text.len;
		if (kept) {
			memcpy(sample->at + sample->len, text.at, n);
			sample->len += (uint32_t)n;
		}
		sample->bytes += n;
		text = span_skip(text, n);
	}
}

void text_sample_break(struct text_sample *sample)
{
	const char end = TEXT_END;

	text_sample_add(sample, span_of(&end, 1));
}

/* Texts with their ends between them. */
static void feed(struct text_estimate *estimate, struct span texts)
{
	while (texts.len) {
		const char *end = memchr(texts.at, TEXT_END, texts.len);
		size_t len = end ? (size_t)(end - texts.at) : texts.len;

		text_estimate_feed(estimate, span_of(texts.at, len));
		text_estimate_break(estimate);
		texts = span_skip(texts, len + 1);
	}
}

static bool ends_word(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == TEXT_END;
}

static bool begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* Where the first word, or at least character, of a slice of the middle begins. */
static size_t slice_begin(struct span slice)
{
	size_t i;

	for (i = 0; i < slice.len && i < WORD_BYTES_MAX; i++)
		if (ends_word(slice.at[i]))
			return i;
	for (i = 0; i < slice.len && !begins_character(slice.at[i]); i++)
		;
	return i;
}

/* Where the last one ends. */
static size_t slice_end(struct span slice)
{
	size_t i;

	for (i = slice.len; i && slice.len - i < WORD_BYTES_MAX; i--)
		if (ends_word(slice.at[i - 1]))
			return i - 1;
	for (i = slice.len; i && !begins_character(slice.at[i - 1]); i--)
		;
	return i ? i - 1 : 0;
}

static struct span slice_of(const struct text_sample *s, uint32_t i)
{
	uint32_t from = i * TEXT_SLICE_BYTES, left = s->len - from;
	struct span slice = span_of(s->at + from,
				    left < TEXT_SLICE_BYTES ? left : TEXT_SLICE_BYTES);
	size_t begin = i ? slice_begin(slice) : 0, end = slice_end(slice);

	return span_of(slice.at + begin, end > begin ? end - begin : 0);
}

static int64_t scaled(int64_t tokens, double by)
{
	double n = (double)tokens * by;

	return n < 1e15 ? (int64_t)(n + 0.5) : (int64_t)1e15;
}

/* By the slices: the tokens of all, and how far their sum may be off because the others differ (1.645
 * standard errors are nine in ten). */
static struct token_range by_slices(const struct text_sample *s, enum tokenizer tokenizer)
{
	double density[SLICES_MAX], mean = 0, deviation = 0, factor, chance;
	struct text_estimate all = {0};
	struct token_range range;
	uint64_t fed = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i * TEXT_SLICE_BYTES < s->len; i++) {
		struct text_estimate one = {0};
		struct span slice = slice_of(s, i);

		if (slice.len < TEXT_SLICE_BYTES / 2)
			continue;
		feed(&one, slice);
		feed(&all, slice);
		fed += slice.len;
		density[n] = (double)text_estimate_tokens(&one, tokenizer).likely /
			     (double)slice.len;
		mean += density[n++];
	}
	range = text_estimate_tokens(&all, tokenizer);
	if (n < 2)
		return range;
	factor = (double)s->bytes / (double)fed;
	mean /= n;
	for (uint32_t i = 0; i < n; i++)
		deviation += (density[i] - mean) * (density[i] - mean);
	chance = 1.645 * sqrt(deviation / (n - 1) / n * (1 - 1 / factor)) * (double)s->bytes;
	range = (struct token_range){scaled(range.low, factor), scaled(range.likely, factor),
				     scaled(range.high, factor)};
	range.low -= range.low < scaled(1, chance) ? range.low : scaled(1, chance);
	range.high += scaled(1, chance);
	return range;
}

struct token_range text_sample_tokens(const struct text_sample *sample, enum tokenizer tokenizer)
{
	struct text_estimate all = {0};

	if (sample->stride > TEXT_SLICE_BYTES || sample->bytes > sample->len)
		return by_slices(sample, tokenizer);
	feed(&all, span_of(sample->at, sample->len));
	return text_estimate_tokens(&all, tokenizer);
}
