/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/usage_estimate.h"

/* What stands around each message and before the answer: a role and two or three marks. */
#define FRAME_TOKENS 4

void usage_estimate_done(struct usage_estimate *estimate)
{
	text_sample_done(&estimate->text[DIR_OUT]);
	text_sample_done(&estimate->text[DIR_IN]);
	*estimate = (struct usage_estimate){0};
}

void usage_estimate_request(struct usage_estimate *estimate, struct span piece)
{
	if (piece.len) {
		text_sample_add(&estimate->text[DIR_OUT], piece);
		return;
	}
	text_sample_break(&estimate->text[DIR_OUT]);
	estimate->texts++;
}

void usage_estimate_response(struct usage_estimate *estimate, struct span piece)
{
	text_sample_add(&estimate->text[DIR_IN], piece);
}

static void estimate_input(const struct usage_estimate *estimate, enum tokenizer tokenizer,
			   struct token_usage *usage)
{
	int64_t frames = (int64_t)(estimate->texts + 1) * FRAME_TOKENS;
	struct token_range range = text_sample_tokens(&estimate->text[DIR_OUT], tokenizer);

	usage->input_low = range.low;
	if (estimate->lost[DIR_OUT])
		return;
	usage->input = range.likely + frames;
	usage->input_high = range.high + 2 * frames;
}

static void estimate_output(const struct usage_estimate *estimate, enum tokenizer tokenizer,
			    bool hidden, struct token_usage *usage)
{
	struct token_range range = text_sample_tokens(&estimate->text[DIR_IN], tokenizer);

	usage->output_low = range.low;
	if (estimate->lost[DIR_IN] || hidden)
		return;
	usage->output = range.likely;
	usage->output_high = range.high;
}

void usage_estimate_apply(const struct usage_estimate *estimate, struct llm_facts *facts)
{
	struct token_usage *usage = &facts->usage;
	struct span model = span_str(facts->response_model[0] ? facts->response_model
							      : facts->request_model);
	enum tokenizer tokenizer = tokenizer_of_model(model);
	bool input = usage->input == TOKENS_UNKNOWN && estimate->text[DIR_OUT].bytes;
	bool output = usage->output == TOKENS_UNKNOWN && estimate->text[DIR_IN].bytes;

	/* A call without an answer may never have reached a model. */
	if (facts->error_type[0] || !facts->request_shape ||
	    (!output && usage->source == USAGE_NONE) || (!input && !output))
		return;
	usage->source = USAGE_ESTIMATED_TEXT;
	usage->input_low = usage->input_high = usage->input;
	usage->output_low = usage->output_high = usage->output;
	if (input)
		estimate_input(estimate, tokenizer, usage);
	if (output)
		estimate_output(estimate, tokenizer, model_hides_reasoning(model), usage);
}
