/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "api/family.h"

/*
 * The usage object of OpenAI's APIs and of those who copied them. prompt_tokens (newer APIs:
 * input_tokens) includes what was read from a cache; completion_tokens (output_tokens) includes
 * reasoning, except at xAI and Perplexity, where it stands beside.
 */

enum openai_usage_field {
	OPENAI_USAGE_PROMPT,
	OPENAI_USAGE_COMPLETION,
	OPENAI_USAGE_TOTAL,
	OPENAI_USAGE_CACHED,
	OPENAI_USAGE_CACHE_HIT, /* DeepSeek */
	OPENAI_USAGE_CACHE_WRITE,
	OPENAI_USAGE_REASONING,
	OPENAI_USAGE_REASONING_FLAT, /* Perplexity */
	OPENAI_USAGE_FIELDS,
};

/* Rows for a table of paths: the object at `at`, a literal, gets the ids from `id` on. */
/* clang-format off: a row a line */
#define OPENAI_USAGE_PATHS(at, id)                                                                 \
	{at ".prompt_tokens", (id) + OPENAI_USAGE_PROMPT},                                         \
		{at ".completion_tokens", (id) + OPENAI_USAGE_COMPLETION},                         \
		{at ".total_tokens", (id) + OPENAI_USAGE_TOTAL},                                   \
		{at ".prompt_tokens_details.cached_tokens", (id) + OPENAI_USAGE_CACHED},           \
		{at ".prompt_tokens_details.cache_write_tokens", (id) + OPENAI_USAGE_CACHE_WRITE}, \
		{at ".prompt_cache_hit_tokens", (id) + OPENAI_USAGE_CACHE_HIT},                    \
		{at ".completion_tokens_details.reasoning_tokens", (id) + OPENAI_USAGE_REASONING}, \
	{                                                                                          \
		at ".reasoning_tokens", (id) + OPENAI_USAGE_REASONING_FLAT                         \
	}
#define OPENAI_INPUT_USAGE_PATHS(at, id)                                                           \
	{at ".input_tokens", (id) + OPENAI_USAGE_PROMPT},                                          \
		{at ".output_tokens", (id) + OPENAI_USAGE_COMPLETION},                             \
		{at ".total_tokens", (id) + OPENAI_USAGE_TOTAL},                                   \
		{at ".input_tokens_details.cached_tokens", (id) + OPENAI_USAGE_CACHED},            \
		{at ".input_tokens_details.cache_write_tokens", (id) + OPENAI_USAGE_CACHE_WRITE},  \
	{                                                                                          \
		at ".output_tokens_details.reasoning_tokens", (id) + OPENAI_USAGE_REASONING        \
	}
/* clang-format on */

/* One plus the count, so that zeroed state means unknown. */
struct openai_usage {
	token_count plus_one[OPENAI_USAGE_FIELDS];
};

/* Notes the value of `field`. */
void openai_usage_value(struct openai_usage *usage, int field, const struct json_value *value);
/* Notes a value of the usage object whose ids begin at `first_id`, or else does what
 * api_response_value() does. */
void openai_response_value(struct openai_usage *usage, int first_id, struct llm_facts *facts,
			   const struct json_value *value);
/* How a response ended: its status, or why it is not "completed". Nothing while it goes on. */
void openai_take_finish(struct llm_facts *facts, const char *status, const char *reason);
/* Takes over a usage object; each replaces the one before it. false: it says nothing. */
bool openai_usage_take(struct token_usage *to, const struct openai_usage *from);
/* The same where nothing but input is counted (embeddings, rerank): some tell only the total. */
bool openai_usage_take_input(struct token_usage *to, const struct openai_usage *from);
