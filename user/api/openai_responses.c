/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/openai_usage.h"
#include "util/cleanup.h"

/*
 * OpenAI's Responses API, also behind a ChatGPT login (/backend-api/codex/responses). A whole answer
 * is the response object itself; a stream's events carry one under "response", the first without and
 * the last (response.completed, .incomplete, .failed) with usage. The messages of its WebSocket form
 * are the same documents.
 */

enum request_id { REQUEST_INPUT = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"input", REQUEST_INPUT},
	{"input[]", API_REQUEST_MESSAGE},
	{"tools", API_REQUEST_TOOLS},
	{"tools[]", API_REQUEST_TOOL},
	{"stream", API_REQUEST_STREAM},
	{"max_output_tokens", API_REQUEST_MAX_TOKENS},
	{"service_tier", API_REQUEST_TIER},
	{"instructions", .text = true},
	{"input", .text = true},
	{"input[].content", .text = true},
	{"input[].content[].text", .text = true},
	{"input[].arguments", .text = true},
	{"input[].output", .text = true},
	{"input[].output[].text", .text = true},
	{"tools[]", .text = true},
	{NULL},
};

enum response_id {
	RESPONSE_OBJECT = API_RESPONSE_OWN,
	RESPONSE_TYPE,
	RESPONSE_STATUS,
	RESPONSE_REASON,
	RESPONSE_CODE,
	RESPONSE_USAGE,
	RESPONSE_EVENT_USAGE = RESPONSE_USAGE + OPENAI_USAGE_FIELDS,
};

static const struct json_path response_paths[] = {
	{"type", RESPONSE_TYPE},
	{"code", RESPONSE_CODE},
	{"object", RESPONSE_OBJECT},
	{"model", API_RESPONSE_MODEL},
	{"status", RESPONSE_STATUS},
	{"service_tier", API_RESPONSE_TIER},
	{"incomplete_details.reason", RESPONSE_REASON},
	{"error.type", API_RESPONSE_ERROR},
	{"error.code", API_RESPONSE_ERROR_CODE},
	OPENAI_INPUT_USAGE_PATHS("usage", RESPONSE_USAGE),
	{"response.object", RESPONSE_OBJECT},
	{"response.model", API_RESPONSE_MODEL},
	{"response.status", RESPONSE_STATUS},
	{"response.service_tier", API_RESPONSE_TIER},
	{"response.incomplete_details.reason", RESPONSE_REASON},
	{"response.error.type", API_RESPONSE_ERROR},
	{"response.error.code", API_RESPONSE_ERROR_CODE},
	OPENAI_INPUT_USAGE_PATHS("response.usage", RESPONSE_EVENT_USAGE),
	{"delta", .text = true},
	{"output[].content[].text", .text = true},
	{"output[].arguments", .text = true},
	{NULL},
};

struct responses_state {
	bool has_input, counts;
	/* of the current document */
	bool object_fits, type_is_error;
	char status[SHORT_NAME_MAX], reason[SHORT_NAME_MAX], code[SHORT_NAME_MAX];
	struct openai_usage usage, event_usage;
};

_Static_assert(sizeof(struct responses_state) <= API_STATE_MAX, "state of a family");

static const struct span count_path = SPAN_LITERAL("/v1/responses/input_tokens");

static enum api_claim responses_match(const struct http_head *request)
{
	static const struct span sure[] = {
		SPAN_LITERAL("/v1/responses"),
		SPAN_LITERAL("/openai/responses"),
		SPAN_LITERAL("/codex/responses"),
		SPAN_LITERAL("/v1/responses/compact"),
		SPAN_LITERAL("/codex/responses/compact"),
	};

	/* Codex's own choice; each message is {"type":"response.create", ...} */
	static const struct span sockets[] = {
		SPAN_LITERAL("/v1/responses"),
		SPAN_LITERAL("/codex/responses"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(sure); i++)
		if (api_is_post_to(request, sure[i]))
			return API_CLAIM_SURE;
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		if (api_is_socket_to(request, sockets[i]))
			return API_CLAIM_SURE;
	if (api_is_post_to(request, count_path))
		return API_CLAIM_SURE;
	/* forms and surveys have responses, too */
	return api_is_post_to(request, SPAN_LITERAL("/responses")) ? API_CLAIM_WEAK : API_CLAIM_NO;
}

static void responses_request_head(void *state, struct llm_facts *facts,
				   const struct http_head *head)
{
	struct responses_state *s = state;

	s->counts = api_is_post_to(head, count_path);
	if (s->counts)
		facts->operation = "count_tokens";
}

static void responses_request_value(void *state, struct llm_facts *facts,
				    const struct json_value *value)
{
	struct responses_state *s = state;

	if (value->id == REQUEST_INPUT) {
		s->has_input = value->type == JSON_STRING || value->type == JSON_ARRAY;
		facts->message_count = value->type == JSON_ARRAY ? 0 : -1;
	} else {
		api_request_value(facts, value);
	}
	facts->request_shape = api_has_model(facts) && s->has_input;
}

static void responses_response_value(void *state, struct llm_facts *facts,
				     const struct json_value *value)
{
	struct responses_state *s = state;

	switch (value->id) {
	case RESPONSE_OBJECT:
		s->object_fits = api_is_text(value, SPAN_LITERAL("response")) ||
				 api_is_text(value, SPAN_LITERAL("response.compaction")) ||
				 api_is_text(value, SPAN_LITERAL("response.input_tokens"));
		break;
	case RESPONSE_TYPE:
		s->type_is_error = api_is_text(value, SPAN_LITERAL("error"));
		break;
	case RESPONSE_STATUS:
		api_copy_text(s->status, sizeof(s->status), value);
		break;
	case RESPONSE_REASON:
		api_copy_text(s->reason, sizeof(s->reason), value);
		break;
	case RESPONSE_CODE:
		api_copy_text(s->code, sizeof(s->code), value);
		break;
	default:
		if (value->id >= RESPONSE_EVENT_USAGE)
			openai_usage_value(&s->event_usage, value->id - RESPONSE_EVENT_USAGE,
					   value);
		else
			openai_response_value(&s->usage, RESPONSE_USAGE, facts, value);
		break;
	}
}

static void responses_response_document(void *state, struct llm_facts *facts,
					struct span event_name, bool whole)
{
	struct responses_state *s = state;

	(void)event_name;
	if (whole) {
		if (s->object_fits) {
			facts->response_shape = true;
			openai_take_finish(facts, s->status, s->reason);
		}
		if (s->type_is_error && s->code[0] && !facts->error_type[0])
			span_copy(facts->error_type, sizeof(facts->error_type), span_str(s->code));
		if (!s->counts && !openai_usage_take(&facts->usage, &s->event_usage))
			openai_usage_take(&facts->usage, &s->usage);
	}
	*s = (struct responses_state){.has_input = s->has_input, .counts = s->counts};
}

const struct api_ops openai_responses_api = {
	.name = "openai-responses",
	.operation = "chat",
	.state_bytes = sizeof(struct responses_state),
	.stream_default = TRI_FALSE,
	.match = responses_match,
	.request_head = responses_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = responses_request_value,
	.response_value = responses_response_value,
	.response_document = responses_response_document,
};
