/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/openai_usage.h"

void openai_usage_value(struct openai_usage *usage, int field, const struct json_value *value)
{
	if (field >= 0 && field < OPENAI_USAGE_FIELDS)
		usage->plus_one[field] = api_tokens(value) + 1;
}

void openai_response_value(struct openai_usage *usage, int first_id, struct llm_facts *facts,
			   const struct json_value *value)
{
	if (value->id >= first_id)
		openai_usage_value(usage, value->id - first_id, value);
	else
		api_response_value(facts, value);
}

void openai_take_finish(struct llm_facts *facts, const char *status, const char *reason)
{
	const char *finish = reason[0] ? reason : status;

	if (strcmp(finish, "in_progress") == 0 || strcmp(finish, "queued") == 0)
		return;
	if (finish[0])
		span_copy(facts->finish_reason, sizeof(facts->finish_reason), span_str(finish));
}

static token_count seen(const struct openai_usage *usage, enum openai_usage_field field)
{
	return usage->plus_one[field] - 1;
}

/* Are the reasoning tokens beside the completion's, not among them? */
static bool reasoning_outside(token_count prompt, token_count completion, token_count reasoning,
			      token_count total)
{
	if (completion == TOKENS_UNKNOWN || reasoning <= 0)
		return false;
	return reasoning > completion ||
	       (prompt != TOKENS_UNKNOWN && total == prompt + completion + reasoning);
}

bool openai_usage_take(struct token_usage *to, const struct openai_usage *from)
{
	token_count prompt = seen(from, OPENAI_USAGE_PROMPT);
	token_count completion = seen(from, OPENAI_USAGE_COMPLETION);
	token_count cached = seen(from, OPENAI_USAGE_CACHED);
	token_count reasoning = seen(from, OPENAI_USAGE_REASONING);

	if (prompt == TOKENS_UNKNOWN && completion == TOKENS_UNKNOWN)
		return false;
	if (cached == TOKENS_UNKNOWN)
		cached = seen(from, OPENAI_USAGE_CACHE_HIT);
	if (reasoning == TOKENS_UNKNOWN)
		reasoning = seen(from, OPENAI_USAGE_REASONING_FLAT);
	if (reasoning_outside(prompt, completion, reasoning, seen(from, OPENAI_USAGE_TOTAL)))
		completion += reasoning;
	/* More than all of the input cannot be part of it. */
	if (prompt != TOKENS_UNKNOWN && cached > prompt)
		prompt += cached;
	*to = (struct token_usage){
		.source = USAGE_REPORTED,
		.input = prompt,
		.output = completion,
		.cache_read = cached,
		.cache_creation = seen(from, OPENAI_USAGE_CACHE_WRITE),
		.reasoning = reasoning,
	};
	return true;
}

bool openai_usage_take_input(struct token_usage *to, const struct openai_usage *from)
{
	token_count input = seen(from, OPENAI_USAGE_PROMPT);

	if (input == TOKENS_UNKNOWN)
		input = seen(from, OPENAI_USAGE_TOTAL);
	if (input == TOKENS_UNKNOWN)
		return false;
	*to = (struct token_usage){
		.source = USAGE_REPORTED,
		.input = input,
		.output = 0,
		.cache_read = TOKENS_UNKNOWN,
		.cache_creation = TOKENS_UNKNOWN,
		.reasoning = TOKENS_UNKNOWN,
	};
	return true;
}
