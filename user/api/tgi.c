/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/*
 * Hugging Face's Text Generation Inference. A server has one model, whose name no message tells; the
 * hosted form has it in the path. The counts come in headers of a whole answer, or with the last
 * event of a stream.
 */

enum request_id { REQUEST_INPUTS = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"inputs", REQUEST_INPUTS},
	{"stream", API_REQUEST_STREAM},
	{"parameters.max_new_tokens", API_REQUEST_MAX_TOKENS},
	{"inputs", .text = true},
	{NULL},
};

enum response_id {
	RESPONSE_TEXT = API_RESPONSE_OWN,
	RESPONSE_TOKEN,
	RESPONSE_INPUT,
	RESPONSE_OUTPUT,
};

/* The compatible form answers with a list of one. */
static const struct json_path response_paths[] = {
	{"generated_text", RESPONSE_TEXT},
	{"token.logprob", RESPONSE_TOKEN},
	{"details.finish_reason", API_RESPONSE_FINISH},
	{"details.input_length", RESPONSE_INPUT},
	{"details.generated_tokens", RESPONSE_OUTPUT},
	{"error_type", API_RESPONSE_ERROR},
	{"[].generated_text", RESPONSE_TEXT},
	{"[].details.finish_reason", API_RESPONSE_FINISH},
	{"[].details.generated_tokens", RESPONSE_OUTPUT},
	{"token.text", .text = true},
	{NULL},
};

struct tgi_state {
	/* of the current document; one plus the count */
	bool answered;
	token_count input, output;
};

_Static_assert(sizeof(struct tgi_state) <= API_STATE_MAX, "state of a family");

static enum api_claim tgi_match(const struct http_head *request)
{
	struct span stars[2], path = api_target_path(request->target);

	if (api_is_post_to(request, SPAN_LITERAL("/generate")) ||
	    api_is_post_to(request, SPAN_LITERAL("/generate_stream")))
		return API_CLAIM_WEAK;
	if (span_eq(request->method, SPAN_LITERAL("POST")) &&
	    (span_eq(path, SPAN_LITERAL("/")) ||
	     api_path_like(path, SPAN_LITERAL("/models/*/*"), stars)))
		return API_CLAIM_LISTED;
	return API_CLAIM_NO;
}

static void tgi_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	struct span stars[2];

	(void)state;
	if (api_is_post_to(head, SPAN_LITERAL("/generate_stream")))
		facts->stream = TRI_TRUE;
	if (api_is_post_like(head, SPAN_LITERAL("/models/*/*"), stars))
		/* "organisation/model" as it stands in the path */
		api_model_from_path(
			facts,
			span_of(stars[0].at, (size_t)(stars[1].at - stars[0].at) + stars[1].len));
}

static void tgi_response_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	token_count input = api_tokens_of(http_header_get(head, SPAN_LITERAL("x-prompt-tokens")));
	token_count output =
		api_tokens_of(http_header_get(head, SPAN_LITERAL("x-generated-tokens")));

	(void)state;
	if (input == TOKENS_UNKNOWN || output == TOKENS_UNKNOWN)
		return;
	facts->usage.source = USAGE_REPORTED;
	facts->usage.input = input;
	facts->usage.output = output;
	facts->response_shape = true;
}

static void tgi_request_value(void *state, struct llm_facts *facts, const struct json_value *value)
{
	(void)state;
	if (value->id == REQUEST_INPUTS)
		facts->request_shape = value->type == JSON_STRING;
	else
		api_request_value(facts, value);
}

static void tgi_response_value(void *state, struct llm_facts *facts, const struct json_value *value)
{
	struct tgi_state *s = state;

	switch (value->id) {
	case RESPONSE_TEXT:
		s->answered |= value->type == JSON_STRING;
		break;
	case RESPONSE_TOKEN:
		s->answered |= value->type == JSON_NUMBER;
		break;
	case RESPONSE_INPUT:
		s->input = api_tokens(value) + 1;
		break;
	case RESPONSE_OUTPUT:
		s->output = api_tokens(value) + 1;
		break;
	default:
		api_response_value(facts, value);
		break;
	}
}

static void tgi_response_document(void *state, struct llm_facts *facts, struct span event_name,
				  bool whole)
{
	struct tgi_state *s = state;

	(void)event_name;
	if (whole && s->answered)
		facts->response_shape = true;
	if (whole && (s->input || s->output)) {
		facts->usage.source = USAGE_REPORTED;
		if (s->input)
			facts->usage.input = s->input - 1;
		if (s->output)
			facts->usage.output = s->output - 1;
		if (facts->usage.input == TOKENS_UNKNOWN && facts->usage.output == TOKENS_UNKNOWN)
			facts->usage.source = USAGE_NONE;
	}
	*s = (struct tgi_state){0};
}

const struct api_ops tgi_api = {
	.name = "tgi",
	.operation = "text_completion",
	.state_bytes = sizeof(struct tgi_state),
	.stream_default = TRI_FALSE,
	.match = tgi_match,
	.request_head = tgi_request_head,
	.response_head = tgi_response_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = tgi_request_value,
	.response_value = tgi_response_value,
	.response_document = tgi_response_document,
};
