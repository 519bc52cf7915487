/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/*
 * Anthropic's Messages API. input_tokens excludes what was read from and written to the cache. A
 * stream tells the input in message_start; the output_tokens there are not the final count.
 * message_delta repeats cumulative counts: the last one counts, they are never summed, and
 * compatible services tell the input only there.
 *
 * Counting tokens and submitting a batch are calls of their own: neither is billed by itself, so
 * neither has usage.
 */

enum request_id {
	REQUEST_BATCH = API_REQUEST_OWN,
	REQUEST_BATCH_MESSAGES,
};

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"messages", API_REQUEST_MESSAGES},
	{"messages[]", API_REQUEST_MESSAGE},
	{"tools", API_REQUEST_TOOLS},
	{"tools[]", API_REQUEST_TOOL},
	{"max_tokens", API_REQUEST_MAX_TOKENS},
	{"stream", API_REQUEST_STREAM},
	{"service_tier", API_REQUEST_TIER},
	{"requests", REQUEST_BATCH},
	{"requests[].params.model", API_REQUEST_MODEL},
	{"requests[].params.messages", REQUEST_BATCH_MESSAGES},
	{"system", .text = true},
	{"system[].text", .text = true},
	{"messages[].content", .text = true},
	{"messages[].content[].text", .text = true},
	{"messages[].content[].input", .text = true},
	{"messages[].content[].content", .text = true},
	{"messages[].content[].content[].text", .text = true},
	{"tools[]", .text = true},
	{NULL},
};

enum usage_field {
	USAGE_INPUT,
	USAGE_OUTPUT,
	USAGE_CACHE_READ,
	USAGE_CACHE_CREATION,
	USAGE_CACHE_HOUR,
	USAGE_FIELDS
};

enum response_id {
	RESPONSE_TYPE = API_RESPONSE_OWN,
	RESPONSE_STOP,
	RESPONSE_COUNT, /* of count_tokens */
	RESPONSE_USAGE, /* + usage_field: of a message or a message_delta */
	RESPONSE_START_USAGE = RESPONSE_USAGE + USAGE_FIELDS, /* of message_start */
};

static const struct json_path response_paths[] = {
	{"type", RESPONSE_TYPE},
	{"input_tokens", RESPONSE_COUNT},
	{"model", API_RESPONSE_MODEL},
	{"stop_reason", RESPONSE_STOP},
	{"usage.input_tokens", RESPONSE_USAGE + USAGE_INPUT},
	{"usage.output_tokens", RESPONSE_USAGE + USAGE_OUTPUT},
	{"usage.cache_read_input_tokens", RESPONSE_USAGE + USAGE_CACHE_READ},
	{"usage.cache_creation_input_tokens", RESPONSE_USAGE + USAGE_CACHE_CREATION},
	{"usage.cache_creation.ephemeral_1h_input_tokens", RESPONSE_USAGE + USAGE_CACHE_HOUR},
	{"usage.service_tier", API_RESPONSE_TIER},
	{"message.model", API_RESPONSE_MODEL},
	{"message.usage.input_tokens", RESPONSE_START_USAGE + USAGE_INPUT},
	{"message.usage.output_tokens", RESPONSE_START_USAGE + USAGE_OUTPUT},
	{"message.usage.cache_read_input_tokens", RESPONSE_START_USAGE + USAGE_CACHE_READ},
	{"message.usage.cache_creation_input_tokens", RESPONSE_START_USAGE + USAGE_CACHE_CREATION},
	{"message.usage.cache_creation.ephemeral_1h_input_tokens",
	 RESPONSE_START_USAGE + USAGE_CACHE_HOUR},
	{"message.usage.service_tier", API_RESPONSE_TIER},
	{"delta.stop_reason", RESPONSE_STOP},
	{"error.type", API_RESPONSE_ERROR},
	{"content[].text", .text = true},
	{"content[].thinking", .text = true},
	{"content[].input", .text = true},
	{"delta.text", .text = true},
	{"delta.thinking", .text = true},
	{"delta.partial_json", .text = true},
	{NULL},
};

enum document { DOCUMENT_OTHER, DOCUMENT_MESSAGE, DOCUMENT_START, DOCUMENT_DELTA, DOCUMENT_BATCH };

static const struct {
	struct span type;
	enum document document;
} documents[] = {
	{SPAN_LITERAL("message"), DOCUMENT_MESSAGE},
	{SPAN_LITERAL("message_start"), DOCUMENT_START},
	{SPAN_LITERAL("message_delta"), DOCUMENT_DELTA},
	{SPAN_LITERAL("message_batch"), DOCUMENT_BATCH},
};

/* Which of the calls. */
enum call { CALL_MESSAGES, CALL_COUNT, CALL_BATCH };

/* Counts are kept as one plus the count, so that zeroed state means unknown. */
struct messages_state {
	enum call call;
	bool batch_is_array, batch_has_messages;
	/* the last known, of all documents */
	token_count known[USAGE_FIELDS];
	/* of the current document; ids of the top level and of message_start apart */
	enum document document;
	bool counted;
	token_count seen[2][USAGE_FIELDS];
	char stop[SHORT_NAME_MAX];
};

_Static_assert(sizeof(struct messages_state) <= API_STATE_MAX, "state of a family");

static const struct {
	struct span path;
	const char *operation;
} calls[] = {
	[CALL_MESSAGES] = {SPAN_LITERAL("/v1/messages"), "chat"},
	[CALL_COUNT] = {SPAN_LITERAL("/v1/messages/count_tokens"), "count_tokens"},
	[CALL_BATCH] = {SPAN_LITERAL("/v1/messages/batches"), "batch"},
};

static enum api_claim messages_match(const struct http_head *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (api_is_post_to(request, calls[i].path))
			return API_CLAIM_SURE;
	return API_CLAIM_NO;
}

static void messages_request_head(void *state, struct llm_facts *facts,
				  const struct http_head *head)
{
	struct messages_state *s = state;

	for (size_t i = 1; i < ARRAY_SIZE(calls); i++) {
		if (!api_is_post_to(head, calls[i].path))
			continue;
		s->call = (enum call)i;
		facts->operation = calls[i].operation;
	}
}

static void messages_request_value(void *state, struct llm_facts *facts,
				   const struct json_value *value)
{
	struct messages_state *s = state;

	if (value->id == REQUEST_BATCH)
		s->batch_is_array = value->type == JSON_ARRAY;
	else if (value->id == REQUEST_BATCH_MESSAGES)
		s->batch_has_messages = value->type == JSON_ARRAY;
	else
		api_request_value(facts, value);
	if (s->call == CALL_BATCH)
		facts->request_shape = api_has_model(facts) && s->batch_is_array &&
				       s->batch_has_messages;
	else
		facts->request_shape = api_has_model(facts) && facts->message_count >= 0 &&
				       (s->call == CALL_COUNT ||
					facts->max_tokens != TOKENS_UNKNOWN);
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
	case RESPONSE_STOP:
		api_copy_text(s->stop, sizeof(s->stop), value);
		break;
	case RESPONSE_COUNT:
		s->counted = api_tokens(value) != TOKENS_UNKNOWN;
		break;
	default:
		if (value->id < RESPONSE_USAGE)
			api_response_value(facts, value);
		else
			s->seen[value->id >= RESPONSE_START_USAGE]
			       [(value->id - RESPONSE_USAGE) % USAGE_FIELDS] = api_tokens(value) +
									       1;
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
	to->cache_creation_1h = s->known[USAGE_CACHE_HOUR] - 1;
	if (input != TOKENS_UNKNOWN)
		input = api_tokens_add(api_tokens_add(input, to->cache_read), to->cache_creation);
	to->input = input;
	to->output = s->known[USAGE_OUTPUT] - 1;
	to->source = USAGE_REPORTED;
}

/* What a whole document says. */
static void take_document(struct messages_state *s, struct llm_facts *facts)
{
	if (s->call == CALL_COUNT ? s->counted
	    : s->call == CALL_BATCH
		    ? s->document == DOCUMENT_BATCH
		    : s->document == DOCUMENT_MESSAGE || s->document == DOCUMENT_START)
		facts->response_shape = true;
	if (s->document == DOCUMENT_MESSAGE || s->document == DOCUMENT_DELTA)
		if (s->stop[0])
			span_copy(facts->finish_reason, sizeof(facts->finish_reason),
				  span_str(s->stop));
	if (s->document >= DOCUMENT_MESSAGE && s->document <= DOCUMENT_DELTA)
		take_usage(s, &facts->usage);
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
	s->counted = false;
	s->stop[0] = '\0';
}

const struct api_ops anthropic_messages_api = {
	.name = "anthropic-messages",
	.operation = "chat",
	.state_bytes = sizeof(struct messages_state),
	.stream_default = TRI_FALSE,
	.match = messages_match,
	.request_head = messages_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = messages_request_value,
	.response_value = messages_response_value,
	.response_document = messages_response_document,
};
