/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/*
 * Cohere's own API, versions 1 and 2. Of its two counts the billed one is taken; the other includes
 * what Cohere wraps around a prompt. A stream tells them in its last event: message-end under
 * "delta" (version 2), stream-end under "response" (version 1).
 */

enum request_id {
	REQUEST_MESSAGE = API_REQUEST_OWN, /* of version 1 */
	REQUEST_TEXTS,
	REQUEST_DOCUMENTS,
};

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"messages", API_REQUEST_MESSAGES},
	{"messages[]", API_REQUEST_MESSAGE},
	{"tools", API_REQUEST_TOOLS},
	{"tools[]", API_REQUEST_TOOL},
	{"stream", API_REQUEST_STREAM},
	{"max_tokens", API_REQUEST_MAX_TOKENS},
	{"message", REQUEST_MESSAGE},
	{"texts", REQUEST_TEXTS},
	{"inputs", REQUEST_TEXTS},
	{"images", REQUEST_TEXTS},
	{"documents", REQUEST_DOCUMENTS},
	{"messages[].content", .text = true},
	{"messages[].content[].text", .text = true},
	{"message", .text = true},
	{"preamble", .text = true},
	{"chat_history[].message", .text = true},
	{"documents", .text = true},
	{"tools[]", .text = true},
	{NULL},
};

enum usage_slot { SLOT_INPUT, SLOT_OUTPUT, SLOT_ALL_INPUT, SLOT_ALL_OUTPUT, SLOT_CACHED, SLOTS };

enum response_id {
	RESPONSE_USAGE_SEEN = API_RESPONSE_OWN, /* the object itself */
	RESPONSE_SLOT,                          /* + usage_slot */
};

/* clang-format off: a row a line */
#define USAGE_PATHS(at)                                                                            \
	{at, RESPONSE_USAGE_SEEN}, {at ".billed_units.input_tokens", RESPONSE_SLOT + SLOT_INPUT},  \
		{at ".billed_units.output_tokens", RESPONSE_SLOT + SLOT_OUTPUT},                   \
		{at ".tokens.input_tokens", RESPONSE_SLOT + SLOT_ALL_INPUT},                       \
		{at ".tokens.output_tokens", RESPONSE_SLOT + SLOT_ALL_OUTPUT},                     \
	{                                                                                          \
		at ".cached_tokens", RESPONSE_SLOT + SLOT_CACHED                                   \
	}
/* clang-format on */

static const struct json_path response_paths[] = {
	{"finish_reason", API_RESPONSE_FINISH},
	{"delta.finish_reason", API_RESPONSE_FINISH},
	USAGE_PATHS("usage"),
	USAGE_PATHS("meta"),
	USAGE_PATHS("delta.usage"),
	USAGE_PATHS("response.meta"),
	{"message.content[].text", .text = true},
	{"text", .text = true},
	{"delta.message.content.text", .text = true},
	{"delta.message.tool_calls.function.arguments", .text = true},
	{NULL},
};

enum call { CALL_CHAT, CALL_CHAT_V1, CALL_EMBED, CALL_RERANK };

struct cohere_state {
	enum call call;
	bool has_message, has_texts, has_documents;
	/* of the current document; one plus the count */
	bool answered;
	token_count seen[SLOTS];
};

_Static_assert(sizeof(struct cohere_state) <= API_STATE_MAX, "state of a family");

static const struct {
	struct span path;
	enum call call;
	const char *operation;
} calls[] = {
	{SPAN_LITERAL("/v2/chat"), CALL_CHAT, "chat"},
	{SPAN_LITERAL("/v1/chat"), CALL_CHAT_V1, "chat"},
	{SPAN_LITERAL("/v2/embed"), CALL_EMBED, "embeddings"},
	{SPAN_LITERAL("/v1/embed"), CALL_EMBED, "embeddings"},
	{SPAN_LITERAL("/v2/rerank"), CALL_RERANK, "rerank"},
	{SPAN_LITERAL("/v1/rerank"), CALL_RERANK, "rerank"},
};

static enum api_claim cohere_match(const struct http_head *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (api_is_post_to(request, calls[i].path))
			return API_CLAIM_WEAK;
	return API_CLAIM_NO;
}

static void cohere_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	struct cohere_state *s = state;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (!api_is_post_to(head, calls[i].path))
			continue;
		s->call = calls[i].call;
		facts->operation = calls[i].operation;
	}
}

static bool has_shape(const struct cohere_state *s, const struct llm_facts *facts)
{
	switch (s->call) {
	case CALL_CHAT:
		return api_has_model(facts) && facts->message_count >= 0;
	case CALL_CHAT_V1:
		return s->has_message;
	case CALL_EMBED:
		return api_has_model(facts) && s->has_texts;
	case CALL_RERANK:
		return api_has_model(facts) && s->has_documents;
	}
	return false;
}

static void cohere_request_value(void *state, struct llm_facts *facts,
				 const struct json_value *value)
{
	struct cohere_state *s = state;

	switch (value->id) {
	case REQUEST_MESSAGE:
		s->has_message = value->type == JSON_STRING;
		break;
	case REQUEST_TEXTS:
		s->has_texts |= value->type == JSON_ARRAY;
		break;
	case REQUEST_DOCUMENTS:
		s->has_documents = value->type == JSON_ARRAY;
		break;
	default:
		api_request_value(facts, value);
		break;
	}
	facts->request_shape = has_shape(s, facts);
}

static void cohere_response_value(void *state, struct llm_facts *facts,
				  const struct json_value *value)
{
	struct cohere_state *s = state;

	if (value->id >= RESPONSE_SLOT)
		s->seen[value->id - RESPONSE_SLOT] = api_tokens(value) + 1;
	else if (value->id != RESPONSE_USAGE_SEEN)
		api_response_value(facts, value);
	else if (value->type == JSON_OBJECT)
		s->answered = true;
}

static void take_usage(const struct cohere_state *s, struct token_usage *to)
{
	bool billed = s->seen[SLOT_INPUT] || s->seen[SLOT_OUTPUT];
	token_count input = s->seen[billed ? SLOT_INPUT : SLOT_ALL_INPUT] - 1;
	token_count output = s->seen[billed ? SLOT_OUTPUT : SLOT_ALL_OUTPUT] - 1;
	token_count cached = s->seen[SLOT_CACHED] - 1;

	if (input == TOKENS_UNKNOWN && output == TOKENS_UNKNOWN)
		return;
	if (s->call == CALL_EMBED || s->call == CALL_RERANK)
		output = 0;
	*to = (struct token_usage){
		.source = USAGE_REPORTED,
		.input = input,
		.output = output,
		/* a part of the unbilled count, perhaps */
		.cache_read = cached <= input ? cached : TOKENS_UNKNOWN,
		.cache_creation = TOKENS_UNKNOWN,
		.reasoning = TOKENS_UNKNOWN,
	};
}

static void cohere_response_document(void *state, struct llm_facts *facts, struct span event_name,
				     bool whole)
{
	struct cohere_state *s = state;

	(void)event_name;
	if (whole) {
		bool counted = s->seen[SLOT_INPUT] || s->seen[SLOT_ALL_INPUT];

		take_usage(s, &facts->usage);
		if (s->answered && (counted || s->call == CALL_RERANK))
			facts->response_shape = true;
	}
	s->answered = false;
	memset(s->seen, 0, sizeof(s->seen));
}

const struct api_ops cohere_api = {
	.name = "cohere",
	.operation = "chat",
	.state_bytes = sizeof(struct cohere_state),
	.stream_default = TRI_FALSE,
	.match = cohere_match,
	.request_head = cohere_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = cohere_request_value,
	.response_value = cohere_response_value,
	.response_document = cohere_response_document,
};
