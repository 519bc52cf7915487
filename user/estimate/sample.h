/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "estimate/text.h"
#include "gnomon/limits.h"

/*
 * What is kept of a text until it is known whether its tokens need to be estimated at all: most calls tell
 * them in their last bytes. Up to TEXT_SAMPLE_BYTES it is the text itself; of a longer one, slices of
 * TEXT_SLICE_BYTES at equal distances, which double whenever there is no more room. Which bytes are kept
 * depends on the text alone, not on how it comes cut.
 */
struct text_sample {
	char *at; /* NULL before the first byte */
	uint32_t len, room;
	uint64_t bytes;  /* of the text so far, ends of texts included */
	uint64_t stride; /* from slice to slice; TEXT_SLICE_BYTES: all is kept */
	bool short_of_memory;
};

/* Zeroed is empty. Frees what was kept; it is empty again. */
void text_sample_done(struct text_sample *sample);
void text_sample_add(struct text_sample *sample, struct span text);
/* What comes next is another text: it does not continue a word. */
void text_sample_break(struct text_sample *sample);
/* As text_estimate_tokens() of the whole text. The interval of a longer one allows for how much its slices
 * differ. */
struct token_range text_sample_tokens(const struct text_sample *sample, enum tokenizer tokenizer);
