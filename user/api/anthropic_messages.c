/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/family.h"

#include "util/cleanup.h"

/*
 * Anthropic's Messages API. input_tokens excludes what was read from and written to the cache. A
 * stream tells the input in message_start; the output_tokens there are not the final count.
 * message_delta repeats cumulative counts: the last one counts, they are never summed, and
 * compatible services tell the input only there.
 */

enum request_id { REQUEST_MODEL, REQUEST_MESSAGES, REQUEST_MAX_TOKENS, REQUEST_STREAM };

static const struct json_path request_paths[] = {
	{"model", REQUEST_MODEL},
	{"messages", REQUEST_MESSAGES},
	{"max_tokens", REQUEST_MAX_TOKENS},
	{"stream", REQUEST_STREAM},
	{"system", .text = true},
	{"system[].text", .text = true},
	{"messages[].content", .text = true},
	{"messages[].content[].text", .text = true},
	{"messages[].content[].input", .text = true},
	{"messages[].content[].content", .text = true},
	{"messages[].content[].content[].text", .text = true},
	{"tools", .text = true},
	{NULL},
};

enum usage_field {
	USAGE_INPUT,
	USAGE_OUTPUT,
	USAGE_CACHE_READ,
	USAGE_CACHE_CREATION,
	USAGE_FIELDS
};

enum response_id {
	RESPONSE_USAGE, /* + usage_field: of a message or a message_delta */
	RESPONSE_START_USAGE = RESPONSE_USAGE + USAGE_FIELDS, /* of message_start */
	RESPONSE_TYPE = RESPONSE_START_USAGE + USAGE_FIELDS,
	RESPONSE_MODEL,
	RESPONSE_START_MODEL,
	RESPONSE_STOP,
	RESPONSE_DELTA_STOP,
	RESPONSE_ERROR_TYPE,
};

static const struct json_path response_paths[] = {
	{"type", RESPONSE_TYPE},
	{"model", RESPONSE_MODEL},
	{"stop_reason", RESPONSE_STOP},
	{"usage.input_tokens", RESPONSE_USAGE + USAGE_INPUT},
	{"usage.output_tokens", RESPONSE_USAGE + USAGE_OUTPUT},
	{"usage.cache_read_input_tokens", RESPONSE_USAGE + USAGE_CACHE_READ},
	{"usage.cache_creation_input_tokens", RESPONSE_USAGE + USAGE_CACHE_CREATION},
	{"message.model", RESPONSE_START_MODEL},
	{"message.usage.input_tokens", RESPONSE_START_USAGE + USAGE_INPUT},
	{"message.usage.output_tokens", RESPONSE_START_USAGE + USAGE_OUTPUT},
	{"message.usage.cache_read_input_tokens", RESPONSE_START_USAGE + USAGE_CACHE_READ},
	{"message.usage.cache_creation_input_tokens", RESPONSE_START_USAGE + USAGE_CACHE_CREATION},
	{"delta.stop_reason", RESPONSE_DELTA_STOP},
	{"error.type", RESPONSE_ERROR_TYPE},
	{"content[].text", .text = true},
	{"content[].thinking", .text = true},
	{"content[].input", .text = true},
	{"delta.text", .text = true},
	{"delta.thinking", .text = true},
	{"delta.partial_json", .text = true},
	{NULL},
};

enum document { DOCUMENT_OTHER, DOCUMENT_MESSAGE, DOCUMENT_START, DOCUMENT_DELTA, DOCUMENT_ERROR };

static const struct {
	struct span type;
	enum document document;
} documents[] = {
	{SPAN_LITERAL("message"), DOCUMENT_MESSAGE},
	{SPAN_LITERAL("message_start"), DOCUMENT_START},
	{SPAN_LITERAL("message_delta"), DOCUMENT_DELTA},
	{SPAN_LITERAL("error"), DOCUMENT_ERROR},
};

/* Counts are kept as one plus the count, so that zeroed state means unknown. */
struct messages_state {
	bool model_is_string, messages_is_array, max_tokens_is_number;
	/* the last known, of all documents */
	token_count known[USAGE_FIELDS];
	/* of the current document; ids of the top level and of message_start apart */
	enum document document;
	token_count seen[2][USAGE_FIELDS];
	char stop[SHORT_NAME_MAX], error_type[SHORT_NAME_MAX];
};

_Static_assert(sizeof(struct messages_state) <= API_STATE_MAX, "state of a family");

static bool messages_match(const struct http_head *request)
{
	return api_is_post_to(request, SPAN_LITERAL("/v1/messages"));
}

static void messages_request_value(void *state, struct llm_facts *facts,
				   const struct json_value *value)
{
	struct messages_state *s = state;

	switch ((enum request_id)value->id) {
	case REQUEST_MODEL:
		s->model_is_string = value->type == JSON_STRING;
		api_copy_text(facts->request_model, sizeof(facts->request_model), value);
		break;
	case REQUEST_MESSAGES:
		s->messages_is_array = value->type == JSON_ARRAY;
		break;
	case REQUEST_MAX_TOKENS:
		s->max_tokens_is_number = value->type == JSON_NUMBER;
		break;
	case REQUEST_STREAM:
		facts->stream = value->type == JSON_TRUE ? TRI_TRUE : TRI_FALSE;
		break;
	}
	facts->request_shape = s->model_is_string && s->messages_is_array &&
			       s->max_tokens_is_number;
}

static enum document document_of(const struct json_value *value)
{
	if (value->type == JSON_STRING)
		for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
			if (span_eq(documents[i].type, value->text))
				return documents[i].document;
	return DOCUMENT_OTHER;
}

static void messages_response_value(void *state, struct llm_facts *facts,
				    const struct json_value *value)
{
	struct messages_state *s = state;

	switch (value->id) {
	case RESPONSE_TYPE:
		s->document = document_of(value);
		break;
	case RESPONSE_MODEL:
	case RESPONSE_START_MODEL:
		if (value->type == JSON_STRING && value->text.len)
			api_copy_text(facts->response_model, sizeof(facts->response_model), value);
		break;
	case RESPONSE_STOP:
	case RESPONSE_DELTA_STOP:
		api_copy_text(s->stop, sizeof(s->stop), value);
		break;
	case RESPONSE_ERROR_TYPE:
		api_copy_text(s->error_type, sizeof(s->error_type), value);
		break;
	default:
		s->seen[value->id / USAGE_FIELDS][value->id % USAGE_FIELDS] = api_tokens(value) + 1;
		break;
	}
}

/* Takes over what one document says; what it leaves out keeps its last known value. */
static void take_usage(struct messages_state *s, struct token_usage *to)
{
	const token_count *from = s->seen[s->document == DOCUMENT_START];
	token_count input;

	for (int i = 0; i < USAGE_FIELDS; i++)
		if (from[i] && !(i == USAGE_OUTPUT && s->document == DOCUMENT_START))
			s->known[i] = from[i];
	if (!s->known[USAGE_INPUT] && !s->known[USAGE_OUTPUT])
		return;
	/* Cache counts alone are not the input. */
	input = s->known[USAGE_INPUT] - 1;
	to->cache_read = s->known[USAGE_CACHE_READ] - 1;
	to->cache_creation = s->known[USAGE_CACHE_CREATION] - 1;
	if (input != TOKENS_UNKNOWN)
		input = api_tokens_add(api_tokens_add(input, to->cache_read), to->cache_creation);
	to->input = input;
	to->output = s->known[USAGE_OUTPUT] - 1;
	to->source = USAGE_REPORTED;
}

/* What a whole document says. */
static void take_document(struct messages_state *s, struct llm_facts *facts)
{
	if (s->document == DOCUMENT_MESSAGE || s->document == DOCUMENT_START)
		facts->response_shape = true;
	if (s->document == DOCUMENT_MESSAGE || s->document == DOCUMENT_DELTA)
		if (s->stop[0])
			span_copy(facts->finish_reason, sizeof(facts->finish_reason),
				  span_str(s->stop));
	if (s->document >= DOCUMENT_MESSAGE && s->document <= DOCUMENT_DELTA)
		take_usage(s, &facts->usage);
	if (s->error_type[0] && (s->document == DOCUMENT_ERROR || s->document == DOCUMENT_OTHER))
		span_copy(facts->error_type, sizeof(facts->error_type), span_str(s->error_type));
}

static void messages_response_document(void *state, struct llm_facts *facts, struct span event_name,
				       bool whole)
{
	struct messages_state *s = state;

	(void)event_name;
	if (whole)
		take_document(s, facts);
	s->document = DOCUMENT_OTHER;
	memset(s->seen, 0, sizeof(s->seen));
	s->stop[0] = s->error_type[0] = '\0';
}

const struct api_ops anthropic_messages_api = {
	.name = "anthropic-messages",
	.operation = "chat",
	.state_bytes = sizeof(struct messages_state),
	.stream_default = TRI_FALSE,
	.match = messages_match,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = messages_request_value,
	.response_value = messages_response_value,
	.response_document = messages_response_document,
};
