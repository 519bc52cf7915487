/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/openai_usage.h"

/*
 * OpenAI's Chat Completions API and everything that speaks it: Groq, DeepSeek, Mistral, xAI,
 * OpenRouter, vLLM, llama.cpp, LM Studio, Ollama.
 *
 * A stream tells its usage in its last chunk, and only when the request asked for it
 * (stream_options.include_usage) or the service does so by itself; the other chunks then carry
 * "usage": null. Groq has a second usage object.
 */

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"messages", API_REQUEST_MESSAGES},
	{"messages[]", API_REQUEST_MESSAGE},
	{"tools", API_REQUEST_TOOLS},
	{"tools[]", API_REQUEST_TOOL},
	{"stream", API_REQUEST_STREAM},
	{"max_tokens", API_REQUEST_MAX_TOKENS},
	{"max_completion_tokens", API_REQUEST_MAX_TOKENS},
	{"service_tier", API_REQUEST_TIER},
	{"messages[].content", .text = true},
	{"messages[].content[].text", .text = true},
	{"messages[].tool_calls[].function.arguments", .text = true},
	{"tools[]", .text = true},
	{NULL},
};

enum response_id {
	RESPONSE_OBJECT = API_RESPONSE_OWN,
	RESPONSE_TYPE,
	RESPONSE_CODE,
	RESPONSE_CHOICES,
	RESPONSE_USAGE,
	RESPONSE_GROQ_USAGE = RESPONSE_USAGE + OPENAI_USAGE_FIELDS,
};

static const struct json_path response_paths[] = {
	{"object", RESPONSE_OBJECT},
	{"type", RESPONSE_TYPE},
	{"code", RESPONSE_CODE},
	{"model", API_RESPONSE_MODEL},
	{"service_tier", API_RESPONSE_TIER},
	{"choices", RESPONSE_CHOICES},
	{"choices[].finish_reason", API_RESPONSE_FINISH},
	{"error.type", API_RESPONSE_ERROR},
	{"error.code", API_RESPONSE_ERROR_CODE},
	OPENAI_USAGE_PATHS("usage", RESPONSE_USAGE),
	OPENAI_USAGE_PATHS("x_groq.usage", RESPONSE_GROQ_USAGE),
	{"choices[].delta.content", .text = true},
	{"choices[].delta.reasoning_content", .text = true},
	{"choices[].delta.reasoning", .text = true},
	{"choices[].delta.tool_calls[].function.name", .text = true},
	{"choices[].delta.tool_calls[].function.arguments", .text = true},
	{"choices[].message.content", .text = true},
	{"choices[].message.reasoning_content", .text = true},
	{"choices[].message.reasoning", .text = true},
	{"choices[].message.tool_calls[].function.name", .text = true},
	{"choices[].message.tool_calls[].function.arguments", .text = true},
	{NULL},
};

/* Of the current document. */
struct chat_state {
	bool object_is_chat, object_is_error, choices_is_array;
	char type[SHORT_NAME_MAX], code[SHORT_NAME_MAX];
	struct openai_usage usage, groq_usage;
};

_Static_assert(sizeof(struct chat_state) <= API_STATE_MAX, "state of a family");

static enum api_claim chat_match(const struct http_head *request)
{
	return api_is_post_to(request, SPAN_LITERAL("/chat/completions")) ? API_CLAIM_SURE
									  : API_CLAIM_NO;
}

static void chat_request_value(void *state, struct llm_facts *facts, const struct json_value *value)
{
	(void)state;
	api_request_value(facts, value);
	facts->request_shape = api_has_model(facts) && facts->message_count >= 0;
}

static void chat_response_value(void *state, struct llm_facts *facts,
				const struct json_value *value)
{
	struct chat_state *s = state;

	switch (value->id) {
	case RESPONSE_OBJECT:
		s->object_is_chat = api_is_text(value, SPAN_LITERAL("chat.completion")) ||
				    api_is_text(value, SPAN_LITERAL("chat.completion.chunk"));
		s->object_is_error = api_is_text(value, SPAN_LITERAL("error"));
		break;
	case RESPONSE_TYPE:
		api_copy_text(s->type, sizeof(s->type), value);
		break;
	case RESPONSE_CODE:
		api_copy_text(s->code, sizeof(s->code), value);
		break;
	case RESPONSE_CHOICES:
		s->choices_is_array = value->type == JSON_ARRAY;
		break;
	default:
		if (value->id >= RESPONSE_GROQ_USAGE)
			openai_usage_value(&s->groq_usage, value->id - RESPONSE_GROQ_USAGE, value);
		else
			openai_response_value(&s->usage, RESPONSE_USAGE, facts, value);
		break;
	}
}

static void chat_response_document(void *state, struct llm_facts *facts, struct span event_name,
				   bool whole)
{
	struct chat_state *s = state;

	(void)event_name;
	/* vLLM: {"object": "error", "type": ...} */
	if (whole && s->object_is_error && s->type[0])
		span_copy(facts->error_type, sizeof(facts->error_type), span_str(s->type));
	/* xAI, Alibaba: {"code": ..., "error" or "message": ...} */
	else if (whole && s->code[0] && !s->choices_is_array && !facts->error_type[0])
		span_copy(facts->error_type, sizeof(facts->error_type), span_str(s->code));
	if (whole && s->object_is_chat && s->choices_is_array)
		facts->response_shape = true;
	if (whole && !openai_usage_take(&facts->usage, &s->usage))
		openai_usage_take(&facts->usage, &s->groq_usage);
	*s = (struct chat_state){0};
}

const struct api_ops openai_chat_api = {
	.name = "openai-chat",
	.operation = "chat",
	.state_bytes = sizeof(struct chat_state),
	.stream_default = TRI_FALSE,
	.match = chat_match,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = chat_request_value,
	.response_value = chat_response_value,
	.response_document = chat_response_document,
};
