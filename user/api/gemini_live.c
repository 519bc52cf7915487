/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/*
 * Gemini's Live API: a WebSocket whose first message sets the session up and names the model. Then come
 * turns, sound and pictures; each answer ends with turnComplete. Counts stand beside the answers, in the same
 * message or one of their own; each replaces the one before.
 */

enum request_id { REQUEST_INPUT = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"setup.model", API_REQUEST_MODEL},
	{"setup.generationConfig.maxOutputTokens", API_REQUEST_MAX_TOKENS},
	{"setup.tools", API_REQUEST_TOOLS},
	{"setup.tools[].functionDeclarations[]", API_REQUEST_TOOL},
	{"clientContent.turns", API_REQUEST_MESSAGES},
	{"clientContent.turns[]", API_REQUEST_MESSAGE},
	{"client_content.turns", API_REQUEST_MESSAGES},
	{"client_content.turns[]", API_REQUEST_MESSAGE},
	{"realtimeInput", REQUEST_INPUT},
	{"realtime_input", REQUEST_INPUT},
	{"clientContent.turns[].parts[].text", .text = true},
	{"client_content.turns[].parts[].text", .text = true},
	{NULL},
};

enum response_id {
	RESPONSE_CONTENT = API_RESPONSE_OWN,
	RESPONSE_COMPLETE,
	RESPONSE_INTERRUPTED,
	RESPONSE_CACHED,
	RESPONSE_THOUGHTS,
	RESPONSE_COUNTS,
};

static const struct json_path response_paths[] = {
	{"serverContent", RESPONSE_CONTENT},
	{"serverContent.turnComplete", RESPONSE_COMPLETE},
	{"serverContent.interrupted", RESPONSE_INTERRUPTED},
	{"usageMetadata.promptTokenCount", RESPONSE_COUNTS + API_COUNT_INPUT},
	{"usageMetadata.responseTokenCount", RESPONSE_COUNTS + API_COUNT_OUTPUT},
	{"usageMetadata.cachedContentTokenCount", RESPONSE_CACHED},
	{"usageMetadata.thoughtsTokenCount", RESPONSE_THOUGHTS},
	{"serverContent.modelTurn.parts[].text", .text = true},
	{NULL},
};

/* Counts as one plus the count. */
struct live_state {
	bool has_input;
	/* of the current document */
	bool answered, complete, interrupted;
	token_count cached, thoughts;
	struct api_counts counts;
};

_Static_assert(sizeof(struct live_state) <= API_STATE_MAX, "state of a family");

static enum api_claim live_match(const struct http_head *request)
{
	/* v1alpha, v1beta; tokens that live shortly have a method of their own */
	static const struct span methods[] = {
		SPAN_LITERAL(".GenerativeService.BidiGenerateContent"),
		SPAN_LITERAL(".GenerativeService.BidiGenerateContentConstrained"),
		SPAN_LITERAL(".LlmBidiService/BidiGenerateContent"), /* Vertex AI */
	};

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (api_is_socket_to(request, methods[i]))
			return API_CLAIM_SURE;
	return API_CLAIM_NO;
}

static void live_request_value(void *state, struct llm_facts *facts, const struct json_value *value)
{
	struct live_state *s = state;

	if (value->id == REQUEST_INPUT)
		s->has_input = value->type == JSON_OBJECT;
	else
		api_request_value(facts, value);
	facts->request_shape = api_has_model(facts) || facts->message_count >= 0 || s->has_input;
}

static void live_response_value(void *state, struct llm_facts *facts,
				const struct json_value *value)
{
	struct live_state *s = state;

	switch (value->id) {
	case RESPONSE_CONTENT:
		s->answered = value->type == JSON_OBJECT;
		break;
	case RESPONSE_COMPLETE:
		s->complete = value->type == JSON_TRUE;
		break;
	case RESPONSE_INTERRUPTED:
		s->interrupted = value->type == JSON_TRUE;
		break;
	case RESPONSE_CACHED:
		s->cached = api_tokens(value) + 1;
		break;
	case RESPONSE_THOUGHTS:
		s->thoughts = api_tokens(value) + 1;
		break;
	default:
		api_counts_value(&s->counts, RESPONSE_COUNTS, facts, value);
		break;
	}
}

static void live_response_document(void *state, struct llm_facts *facts, struct span event_name,
				   bool whole)
{
	struct live_state *s = state;
	struct token_usage *usage = &facts->usage;

	(void)event_name;
	if (whole && s->answered)
		facts->response_shape = true;
	if (whole && api_counts_take(usage, &s->counts)) {
		usage->cache_read = s->cached - 1;
		usage->reasoning = s->thoughts - 1;
		/* thoughts lie outside the answer's count, as everywhere at Gemini */
		usage->output = api_tokens_add(usage->output, usage->reasoning);
	}
	if (whole && (s->complete || s->interrupted))
		span_copy(facts->finish_reason, sizeof(facts->finish_reason),
			  s->interrupted ? SPAN_LITERAL("interrupted")
					 : SPAN_LITERAL("turn_complete"));
	*s = (struct live_state){.has_input = s->has_input};
}

const struct api_ops gemini_live_api = {
	.name = "gemini-live",
	.operation = "generate_content",
	.state_bytes = sizeof(struct live_state),
	.stream_default = TRI_TRUE,
	.match = live_match,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = live_request_value,
	.response_value = live_response_value,
	.response_document = live_response_document,
};
