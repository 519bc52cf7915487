/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Token estimates: the same state however the text is cut, bounds in order, and a sane size. */
#include <stdlib.h>

#include "estimate/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the pieces; 0xc0 in the text also ends one text and begins another. */
/* Of a long text, which the input is many times over, the same is kept however it is cut. */
static void check_sample(struct span text, size_t step)
{
	struct text_sample whole = {0}, pieces = {0};

	for (size_t n = 0; n < 40000 && text.len; n += text.len) {
		text_sample_add(&whole, text);
		for (size_t i = 0; i < text.len; i += step)
			text_sample_add(
				&pieces,
				span_of(text.at + i, step < text.len - i ? step : text.len - i));
	}
	if (whole.len != pieces.len || whole.stride != pieces.stride ||
	    (whole.len && memcmp(whole.at, pieces.at, whole.len) != 0))
		abort();
	for (int t = 0; t <= TOKENIZER_COUNT; t += TOKENIZER_COUNT) {
		struct token_range range = text_sample_tokens(&whole, (enum tokenizer)t);

		if (range.low < 0 || range.low > range.likely || range.likely > range.high)
			abort();
	}
	text_sample_done(&whole);
	text_sample_done(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text_estimate whole = {0}, pieces = {0};
	struct span text;
	size_t step;

	if (!size)
		return 0;
	step = data[0] % 7 + 1;
	text = span_of((const char *)data + 1, size - 1);
	for (struct span rest = text; rest.len;) {
		const char *end = memchr(rest.at, 0xc0, rest.len);
		size_t len = end ? (size_t)(end - rest.at) : rest.len;

		text_estimate_feed(&whole, span_of(rest.at, len));
		for (size_t i = 0; i < len; i += step)
			text_estimate_feed(&pieces,
					   span_of(rest.at + i, step < len - i ? step : len - i));
		if (end) {
			text_estimate_break(&whole);
			text_estimate_break(&pieces);
		}
		rest = span_skip(rest, len + (end != NULL));
	}
	if (memcmp(&whole, &pieces, sizeof(whole)) != 0)
		abort();
	check_sample(text, step);
	for (int t = 0; t <= TOKENIZER_COUNT; t++) {
		struct token_range range = text_estimate_tokens(&whole, (enum tokenizer)t);

		if (range.low < 0 || range.low > range.likely || range.likely > range.high ||
		    range.likely > (int64_t)size * 16 + 16)
			abort();
	}
	return 0;
}
