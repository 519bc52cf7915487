/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/family.h"

/*
 * OpenAI's Chat Completions API and everything that speaks it: Azure OpenAI, Groq, DeepSeek,
 * Mistral, xAI, OpenRouter, vLLM, llama.cpp, LM Studio, Ollama.
 *
 * A stream tells its usage in its last chunk, and only when the request asked for it
 * (stream_options.include_usage) or the service does so by itself; the other chunks then carry
 * "usage": null. prompt_tokens includes cached_tokens. completion_tokens includes reasoning_tokens,
 * except at xAI and Perplexity.
 */

enum request_id { REQUEST_MODEL, REQUEST_MESSAGES, REQUEST_STREAM };

static const struct json_path request_paths[] = {
	{"model", REQUEST_MODEL},
	{"messages", REQUEST_MESSAGES},
	{"stream", REQUEST_STREAM},
	{"messages[].content", .text = true},
	{"messages[].content[].text", .text = true},
	{"messages[].tool_calls[].function.arguments", .text = true},
	{"tools", .text = true},
	{NULL},
};

/* The fields of one usage object; Groq has a second one. */
enum usage_field {
	USAGE_PROMPT,
	USAGE_COMPLETION,
	USAGE_TOTAL,
	USAGE_CACHED,
	USAGE_CACHE_HIT, /* DeepSeek */
	USAGE_CACHE_WRITE,
	USAGE_REASONING,
	USAGE_REASONING_FLAT, /* Perplexity */
	USAGE_FIELDS,
};

enum response_id {
	RESPONSE_USAGE, /* + usage_field */
	RESPONSE_GROQ_USAGE = RESPONSE_USAGE + USAGE_FIELDS,
	RESPONSE_OBJECT = RESPONSE_GROQ_USAGE + USAGE_FIELDS,
	RESPONSE_TYPE,
	RESPONSE_MODEL,
	RESPONSE_CHOICES,
	RESPONSE_FINISH,
	RESPONSE_ERROR_TYPE,
	RESPONSE_ERROR_CODE,
};

static const struct json_path response_paths[] = {
	{"object", RESPONSE_OBJECT},
	{"type", RESPONSE_TYPE},
	{"model", RESPONSE_MODEL},
	{"choices", RESPONSE_CHOICES},
	{"choices[].finish_reason", RESPONSE_FINISH},
	{"error.type", RESPONSE_ERROR_TYPE},
	{"error.code", RESPONSE_ERROR_CODE},
	{"usage.prompt_tokens", RESPONSE_USAGE + USAGE_PROMPT},
	{"usage.completion_tokens", RESPONSE_USAGE + USAGE_COMPLETION},
	{"usage.total_tokens", RESPONSE_USAGE + USAGE_TOTAL},
	{"usage.prompt_tokens_details.cached_tokens", RESPONSE_USAGE + USAGE_CACHED},
	{"usage.prompt_tokens_details.cache_write_tokens", RESPONSE_USAGE + USAGE_CACHE_WRITE},
	{"usage.prompt_cache_hit_tokens", RESPONSE_USAGE + USAGE_CACHE_HIT},
	{"usage.completion_tokens_details.reasoning_tokens", RESPONSE_USAGE + USAGE_REASONING},
	{"usage.reasoning_tokens", RESPONSE_USAGE + USAGE_REASONING_FLAT},
	{"x_groq.usage.prompt_tokens", RESPONSE_GROQ_USAGE + USAGE_PROMPT},
	{"x_groq.usage.completion_tokens", RESPONSE_GROQ_USAGE + USAGE_COMPLETION},
	{"x_groq.usage.total_tokens", RESPONSE_GROQ_USAGE + USAGE_TOTAL},
	{"x_groq.usage.prompt_tokens_details.cached_tokens", RESPONSE_GROQ_USAGE + USAGE_CACHED},
	{"x_groq.usage.completion_tokens_details.reasoning_tokens",
	 RESPONSE_GROQ_USAGE + USAGE_REASONING},
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

/* One plus the count, so that zeroed state means unknown. */
struct usage_seen {
	token_count plus_one[USAGE_FIELDS];
};

struct chat_state {
	bool model_is_string, messages_is_array;
	/* of the current document */
	bool object_is_chat, object_is_error, choices_is_array;
	char type[SHORT_NAME_MAX], error_code[SHORT_NAME_MAX], error_type[SHORT_NAME_MAX];
	struct usage_seen usage, groq_usage;
};

_Static_assert(sizeof(struct chat_state) <= API_STATE_MAX, "state of a family");

static bool chat_match(const struct http_head *request)
{
	return api_is_post_to(request, SPAN_LITERAL("/chat/completions"));
}

static void chat_request_value(void *state, struct llm_facts *facts, const struct json_value *value)
{
	struct chat_state *s = state;

	switch ((enum request_id)value->id) {
	case REQUEST_MODEL:
		s->model_is_string = value->type == JSON_STRING;
		api_copy_text(facts->request_model, sizeof(facts->request_model), value);
		break;
	case REQUEST_MESSAGES:
		s->messages_is_array = value->type == JSON_ARRAY;
		break;
	case REQUEST_STREAM:
		facts->stream = value->type == JSON_TRUE ? TRI_TRUE : TRI_FALSE;
		break;
	}
	facts->request_shape = s->model_is_string && s->messages_is_array;
}

static void object_value(struct chat_state *s, const struct json_value *value)
{
	bool string = value->type == JSON_STRING;

	s->object_is_chat = string && (span_eq(value->text, SPAN_LITERAL("chat.completion")) ||
				       span_eq(value->text, SPAN_LITERAL("chat.completion.chunk")));
	s->object_is_error = string && span_eq(value->text, SPAN_LITERAL("error"));
}

static void chat_response_value(void *state, struct llm_facts *facts,
				const struct json_value *value)
{
	struct chat_state *s = state;

	switch (value->id) {
	case RESPONSE_OBJECT:
		object_value(s, value);
		break;
	case RESPONSE_TYPE:
		api_copy_text(s->type, sizeof(s->type), value);
		break;
	case RESPONSE_MODEL:
		/* Azure's first chunk has an empty one. */
		if (value->type == JSON_STRING && value->text.len)
			api_copy_text(facts->response_model, sizeof(facts->response_model), value);
		break;
	case RESPONSE_CHOICES:
		s->choices_is_array = value->type == JSON_ARRAY;
		break;
	case RESPONSE_FINISH:
		if (value->type == JSON_STRING && value->text.len)
			api_copy_text(facts->finish_reason, sizeof(facts->finish_reason), value);
		break;
	case RESPONSE_ERROR_TYPE:
		api_copy_text(s->error_type, sizeof(s->error_type), value);
		break;
	case RESPONSE_ERROR_CODE:
		api_copy_text(s->error_code, sizeof(s->error_code), value);
		break;
	default:
		if (value->id < RESPONSE_GROQ_USAGE)
			s->usage.plus_one[value->id - RESPONSE_USAGE] = api_tokens(value) + 1;
		else
			s->groq_usage.plus_one[value->id - RESPONSE_GROQ_USAGE] =
				api_tokens(value) + 1;
		break;
	}
}

static token_count seen(const struct usage_seen *usage, enum usage_field field)
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

/* Takes over a usage object; each replaces the one before it. */
static bool take_usage(struct token_usage *to, const struct usage_seen *from)
{
	token_count prompt = seen(from, USAGE_PROMPT);
	token_count completion = seen(from, USAGE_COMPLETION);
	token_count cached = seen(from, USAGE_CACHED);
	token_count reasoning = seen(from, USAGE_REASONING);

	if (prompt == TOKENS_UNKNOWN && completion == TOKENS_UNKNOWN)
		return false;
	if (cached == TOKENS_UNKNOWN)
		cached = seen(from, USAGE_CACHE_HIT);
	if (reasoning == TOKENS_UNKNOWN)
		reasoning = seen(from, USAGE_REASONING_FLAT);
	if (reasoning_outside(prompt, completion, reasoning, seen(from, USAGE_TOTAL)))
		completion += reasoning;
	/* More than all of the input cannot be part of it. */
	if (prompt != TOKENS_UNKNOWN && cached > prompt)
		prompt += cached;
	*to = (struct token_usage){
		.source = USAGE_REPORTED,
		.input = prompt,
		.output = completion,
		.cache_read = cached,
		.cache_creation = seen(from, USAGE_CACHE_WRITE),
		.reasoning = reasoning,
	};
	return true;
}

static void chat_response_document(void *state, struct llm_facts *facts, struct span event_name,
				   bool whole)
{
	struct chat_state *s = state;
	const char *error = s->error_type[0]   ? s->error_type
			    : s->error_code[0] ? s->error_code
			    /* vLLM: {"object": "error", "type": ...} */
			    : s->object_is_error ? s->type
						 : "";

	(void)event_name;
	if (whole && error[0])
		span_copy(facts->error_type, sizeof(facts->error_type), span_str(error));
	if (whole && s->object_is_chat && s->choices_is_array)
		facts->response_shape = true;
	if (whole && !take_usage(&facts->usage, &s->usage))
		take_usage(&facts->usage, &s->groq_usage);
	*s = (struct chat_state){
		.model_is_string = s->model_is_string,
		.messages_is_array = s->messages_is_array,
	};
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
