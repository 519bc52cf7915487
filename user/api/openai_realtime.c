/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/openai_usage.h"
#include "util/cleanup.h"

/*
 * OpenAI's Realtime API: a WebSocket whose address names the model. The client sets the session up, adds
 * items and sound to the conversation and asks for answers, or leaves it to the server to answer whoever falls
 * silent. Each answer ends with response.done, which has its usage. Sound is sent as text, in base64, in
 * the same "delta" as words: answers are not estimated.
 */

enum request_id { REQUEST_TYPE = API_REQUEST_OWN, REQUEST_ITEM };

static const struct json_path request_paths[] = {
	{"type", REQUEST_TYPE},
	{"item.type", REQUEST_ITEM},
	{"session.model", API_REQUEST_MODEL},
	{"session.tools", API_REQUEST_TOOLS},
	{"session.tools[]", API_REQUEST_TOOL},
	{"session.max_output_tokens", API_REQUEST_MAX_TOKENS},
	{"session.max_response_output_tokens", API_REQUEST_MAX_TOKENS},
	{"response.tools", API_REQUEST_TOOLS},
	{"response.tools[]", API_REQUEST_TOOL},
	{"response.max_output_tokens", API_REQUEST_MAX_TOKENS},
	{NULL},
};

enum response_id {
	RESPONSE_OBJECT = API_RESPONSE_OWN,
	RESPONSE_STATUS,
	RESPONSE_REASON,
	RESPONSE_USAGE,
};

static const struct json_path response_paths[] = {
	{"session.model", API_RESPONSE_MODEL},
	{"error.type", API_RESPONSE_ERROR},
	{"error.code", API_RESPONSE_ERROR_CODE},
	{"response.object", RESPONSE_OBJECT},
	{"response.status", RESPONSE_STATUS},
	{"response.status_details.reason", RESPONSE_REASON},
	{"response.status_details.error.type", API_RESPONSE_ERROR},
	{"response.status_details.error.code", API_RESPONSE_ERROR_CODE},
	{"response.usage.input_tokens", RESPONSE_USAGE + OPENAI_USAGE_PROMPT},
	{"response.usage.output_tokens", RESPONSE_USAGE + OPENAI_USAGE_COMPLETION},
	{"response.usage.total_tokens", RESPONSE_USAGE + OPENAI_USAGE_TOTAL},
	{"response.usage.input_token_details.cached_tokens", RESPONSE_USAGE + OPENAI_USAGE_CACHED},
	{NULL},
};

struct realtime_state {
	bool knows_type;
	/* of the current document */
	bool object_fits;
	char status[SHORT_NAME_MAX], reason[SHORT_NAME_MAX];
	struct openai_usage usage;
};

_Static_assert(sizeof(struct realtime_state) <= API_STATE_MAX, "state of a family");

static enum api_claim realtime_match(const struct http_head *request)
{
	static const struct span paths[] = {
		SPAN_LITERAL("/v1/realtime"),
		SPAN_LITERAL("/openai/realtime"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (api_is_socket_to(request, paths[i]))
			return API_CLAIM_SURE;
	return API_CLAIM_NO;
}

static void realtime_request_head(void *state, struct llm_facts *facts,
				  const struct http_head *head)
{
	struct span model = api_target_query(head->target, SPAN_LITERAL("model"));

	(void)state;
	if (model.len)
		api_model_from_path(facts, model);
}

/* What clients say, as far as no other protocol does. */
static bool knows_type(const struct json_value *value)
{
	static const struct span types[] = {
		SPAN_LITERAL("session.update"),
		SPAN_LITERAL("response.create"),
		SPAN_LITERAL("conversation.item.create"),
		SPAN_LITERAL("input_audio_buffer.append"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (api_is_text(value, types[i]))
			return true;
	return false;
}

static void realtime_request_value(void *state, struct llm_facts *facts,
				   const struct json_value *value)
{
	struct realtime_state *s = state;

	if (value->id == REQUEST_TYPE)
		s->knows_type |= knows_type(value);
	else if (value->id == REQUEST_ITEM)
		facts->message_count += facts->message_count < 0 ? 2 : 1;
	else
		api_request_value(facts, value);
	facts->request_shape = s->knows_type;
}

static void realtime_response_value(void *state, struct llm_facts *facts,
				    const struct json_value *value)
{
	struct realtime_state *s = state;

	switch (value->id) {
	case RESPONSE_OBJECT:
		s->object_fits = api_is_text(value, SPAN_LITERAL("realtime.response"));
		break;
	case RESPONSE_STATUS:
		api_copy_text(s->status, sizeof(s->status), value);
		break;
	case RESPONSE_REASON:
		api_copy_text(s->reason, sizeof(s->reason), value);
		break;
	default:
		openai_response_value(&s->usage, RESPONSE_USAGE, facts, value);
		break;
	}
}

static void realtime_response_document(void *state, struct llm_facts *facts, struct span event_name,
				       bool whole)
{
	struct realtime_state *s = state;

	(void)event_name;
	if (whole && s->object_fits) {
		facts->response_shape = true;
		openai_take_finish(facts, s->status, s->reason);
		openai_usage_take(&facts->usage, &s->usage);
	}
	*s = (struct realtime_state){.knows_type = s->knows_type};
}

const struct api_ops openai_realtime_api = {
	.name = "openai-realtime",
	.operation = "chat",
	.state_bytes = sizeof(struct realtime_state),
	.stream_default = TRI_TRUE,
	.match = realtime_match,
	.request_head = realtime_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = realtime_request_value,
	.response_value = realtime_response_value,
	.response_document = realtime_response_document,
};
