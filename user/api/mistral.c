/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/openai_usage.h"
#include "util/cleanup.h"

/*
 * What Mistral has besides the formats of OpenAI: completions by an agent, conversations, and
 * reading documents. An agent stands for its model, which only answers name, if at all. What
 * connectors put in stands beside the prompt.
 */

enum request_id {
	REQUEST_AGENT = API_REQUEST_OWN,
	REQUEST_INPUTS,
	REQUEST_DOCUMENT,
};

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"agent_id", REQUEST_AGENT},
	{"messages", API_REQUEST_MESSAGES},
	{"messages[]", API_REQUEST_MESSAGE},
	{"inputs", REQUEST_INPUTS},
	{"inputs[]", API_REQUEST_MESSAGE},
	{"document", REQUEST_DOCUMENT},
	{"tools", API_REQUEST_TOOLS},
	{"tools[]", API_REQUEST_TOOL},
	{"stream", API_REQUEST_STREAM},
	{"max_tokens", API_REQUEST_MAX_TOKENS},
	{"completion_args.max_tokens", API_REQUEST_MAX_TOKENS},
	{"messages[].content", .text = true},
	{"messages[].content[].text", .text = true},
	{"inputs", .text = true},
	{"inputs[].content", .text = true},
	{"inputs[].content[].text", .text = true},
	{"tools[]", .text = true},
	{NULL},
};

enum response_id {
	RESPONSE_OBJECT = API_RESPONSE_OWN,
	RESPONSE_PAGES,
	RESPONSE_CONNECTORS,
	RESPONSE_USAGE,
};

static const struct json_path response_paths[] = {
	{"object", RESPONSE_OBJECT},
	{"type", RESPONSE_OBJECT},
	{"model", API_RESPONSE_MODEL},
	{"outputs[].model", API_RESPONSE_MODEL},
	{"choices[].finish_reason", API_RESPONSE_FINISH},
	{"pages", RESPONSE_PAGES},
	{"usage.connector_tokens", RESPONSE_CONNECTORS},
	OPENAI_USAGE_PATHS("usage", RESPONSE_USAGE),
	{"choices[].message.content", .text = true},
	{"choices[].delta.content", .text = true},
	{"outputs[].content", .text = true},
	{"outputs[].content[].text", .text = true},
	{"content", .text = true},
	{NULL},
};

struct mistral_state {
	bool has_agent, has_inputs, has_document;
	/* of the current document; one plus the count */
	bool answered;
	token_count connectors;
	struct openai_usage usage;
};

_Static_assert(sizeof(struct mistral_state) <= API_STATE_MAX, "state of a family");

static enum api_claim mistral_match(const struct http_head *request)
{
	struct span star;

	if (api_is_post_to(request, SPAN_LITERAL("/v1/agents/completions")))
		return API_CLAIM_SURE;
	if (api_is_post_to(request, SPAN_LITERAL("/v1/conversations")) ||
	    api_is_post_like(request, SPAN_LITERAL("/v1/conversations/*"), &star) ||
	    api_is_post_to(request, SPAN_LITERAL("/v1/ocr")))
		return API_CLAIM_WEAK;
	return API_CLAIM_NO;
}

static void mistral_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	(void)state;
	if (api_is_post_to(head, SPAN_LITERAL("/v1/ocr")))
		facts->operation = "ocr";
}

static void mistral_request_value(void *state, struct llm_facts *facts,
				  const struct json_value *value)
{
	struct mistral_state *s = state;

	switch (value->id) {
	case REQUEST_AGENT:
		s->has_agent = value->type == JSON_STRING;
		break;
	case REQUEST_INPUTS:
		s->has_inputs = value->type == JSON_STRING || value->type == JSON_ARRAY;
		facts->message_count = value->type == JSON_ARRAY ? 0 : -1;
		break;
	case REQUEST_DOCUMENT:
		s->has_document = value->type == JSON_OBJECT;
		break;
	default:
		api_request_value(facts, value);
		break;
	}
	facts->request_shape = (api_has_model(facts) || s->has_agent) &&
			       (facts->message_count >= 0 || s->has_inputs || s->has_document);
}

static void mistral_response_value(void *state, struct llm_facts *facts,
				   const struct json_value *value)
{
	struct mistral_state *s = state;

	switch (value->id) {
	case RESPONSE_OBJECT:
		s->answered |= api_is_text(value, SPAN_LITERAL("conversation.response")) ||
			       api_is_text(value, SPAN_LITERAL("conversation.response.done")) ||
			       api_is_text(value, SPAN_LITERAL("chat.completion")) ||
			       api_is_text(value, SPAN_LITERAL("chat.completion.chunk"));
		break;
	case RESPONSE_PAGES:
		s->answered |= value->type == JSON_ARRAY;
		break;
	case RESPONSE_CONNECTORS:
		s->connectors = api_tokens(value) + 1;
		break;
	default:
		openai_response_value(&s->usage, RESPONSE_USAGE, facts, value);
		break;
	}
}

static void mistral_response_document(void *state, struct llm_facts *facts, struct span event_name,
				      bool whole)
{
	struct mistral_state *s = state;

	(void)event_name;
	if (whole && s->answered)
		facts->response_shape = true;
	if (whole && openai_usage_take(&facts->usage, &s->usage) &&
	    facts->usage.input != TOKENS_UNKNOWN)
		facts->usage.input = api_tokens_add(facts->usage.input, s->connectors - 1);
	*s = (struct mistral_state){.has_agent = s->has_agent,
				    .has_inputs = s->has_inputs,
				    .has_document = s->has_document};
}

const struct api_ops mistral_api = {
	.name = "mistral",
	.operation = "chat",
	.state_bytes = sizeof(struct mistral_state),
	.stream_default = TRI_FALSE,
	.match = mistral_match,
	.request_head = mistral_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = mistral_request_value,
	.response_value = mistral_response_value,
	.response_document = mistral_response_document,
};
