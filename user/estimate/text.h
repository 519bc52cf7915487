/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/span.h"

/*
 * How many tokens a text is, without its vendor's vocabulary: letters, digits, punctuation and blanks are
 * counted as they pass, by script and by how they stand together, and the counts weighed as calibration
 * against the real tokenizers found (user/estimate/README.md has the method and its errors). Constant
 * memory; the same result however the text is cut.
 */

enum tokenizer {
	TOKENIZER_O200K,  /* OpenAI since gpt-4o */
	TOKENIZER_CL100K, /* OpenAI's gpt-4 and gpt-3.5 */
	TOKENIZER_CLAUDE,
	TOKENIZER_GEMINI,
	TOKENIZER_LLAMA3,
	TOKENIZER_QWEN,
	TOKENIZER_DEEPSEEK,
	TOKENIZER_MISTRAL,
	TOKENIZER_COUNT,
	TOKENIZER_UNKNOWN = TOKENIZER_COUNT,
};

/* The tokenizer of a model as a request or a response names it ("gpt-4o-2024-08-06",
 * "us.anthropic.claude-...", "meta-llama/Llama-3.3-70B"). */
enum tokenizer tokenizer_of_model(struct span model);
/* Does the model think in tokens that are charged and not sent? */
bool model_hides_reasoning(struct span model);
/* "o200k", "claude" ...; "unknown". */
const char *tokenizer_name(enum tokenizer tokenizer);

/* What is counted, besides words of Latin letters. */
enum text_feature {
#define X(name) TEXT_##name,
#include "estimate/text_features.h"
#undef X
	TEXT_FEATURES,
};

/* Private, embedded so that it costs no allocation. Zeroed is empty. */
struct text_estimate {
	uint64_t bytes;
	uint64_t count[TEXT_FEATURES];
	/* Words of Latin letters, in 1/TEXT_WEIGHT_ONE tokens: of English, of others those that look
	 * like few tokens, and the rest. */
	uint64_t english[TOKENIZER_COUNT], plain[TOKENIZER_COUNT], rare[TOKENIZER_COUNT];
	/* of the last words, whose language is not decided: as English, and as others */
	struct {
		uint32_t words, english_words, glued;
		uint32_t english[TOKENIZER_COUNT], plain[TOKENIZER_COUNT], rare[TOKENIZER_COUNT];
	} pending;
	/* the character that is not whole, and the run that has not ended */
	uint32_t code;
	uint8_t code_left;
	uint8_t kind, before; /* enum text_kind in text.c: of the run, and of the one before */
	bool before_single;
	uint8_t letter; /* the last one of a word */
	uint32_t length, same, upper;
	char last;
	uint32_t packed; /* the word's first letters, five bits each */
	int16_t word[2][TOKENIZER_COUNT];
};

void text_estimate_feed(struct text_estimate *estimate, struct span text);
/* What comes next is another text: it does not continue a word. */
void text_estimate_break(struct text_estimate *estimate);

/* No more text comes: what waited is counted. */
void text_estimate_finish(struct text_estimate *estimate);

/* 0 <= low <= likely <= high. */
struct token_range {
	int64_t low, likely, high;
};

/* Nine texts in ten like those of the calibration have their tokens between low and high. With
 * TOKENIZER_UNKNOWN from the lowest to the highest of all. */
struct token_range text_estimate_tokens(const struct text_estimate *estimate,
					enum tokenizer tokenizer);
