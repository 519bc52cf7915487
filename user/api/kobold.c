/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/* KoboldCpp's own API (the server speaks OpenAI's too): a prompt and nothing that names the model.
 * Newer versions count. */

enum request_id { REQUEST_PROMPT = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"prompt", REQUEST_PROMPT},
	{"max_length", API_REQUEST_MAX_TOKENS},
	{"prompt", .text = true},
	{NULL},
};

enum response_id {
	RESPONSE_TEXT = API_RESPONSE_OWN,
	RESPONSE_COUNTS,
};

static const struct json_path response_paths[] = {
	{"results[].text", RESPONSE_TEXT},
	{"results[].finish_reason", API_RESPONSE_FINISH},
	{"results[].prompt_tokens", RESPONSE_COUNTS + API_COUNT_INPUT},
	{"results[].completion_tokens", RESPONSE_COUNTS + API_COUNT_OUTPUT},
	{"token", RESPONSE_TEXT},
	{"finish_reason", API_RESPONSE_FINISH},
	{"results[].text", .text = true},
	{"token", .text = true},
	{NULL},
};

struct kobold_state {
	/* of the current document */
	bool has_text;
	struct api_counts counts;
};

_Static_assert(sizeof(struct kobold_state) <= API_STATE_MAX, "state of a family");

static const struct {
	struct span path;
	bool stream;
} calls[] = {
	{SPAN_LITERAL("/api/v1/generate"), false},
	{SPAN_LITERAL("/api/latest/generate"), false},
	{SPAN_LITERAL("/api/extra/generate/stream"), true},
};

static enum api_claim kobold_match(const struct http_head *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (api_is_post_to(request, calls[i].path))
			return API_CLAIM_WEAK;
	return API_CLAIM_NO;
}

static void kobold_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (api_is_post_to(head, calls[i].path))
			facts->stream = calls[i].stream ? TRI_TRUE : TRI_FALSE;
}

static void kobold_request_value(void *state, struct llm_facts *facts,
				 const struct json_value *value)
{
	(void)state;
	if (value->id == REQUEST_PROMPT)
		facts->request_shape = value->type == JSON_STRING;
	else
		api_request_value(facts, value);
}

static void kobold_response_value(void *state, struct llm_facts *facts,
				  const struct json_value *value)
{
	struct kobold_state *s = state;

	switch (value->id) {
	case RESPONSE_TEXT:
		s->has_text = value->type == JSON_STRING;
		break;
	default:
		api_counts_value(&s->counts, RESPONSE_COUNTS, facts, value);
		break;
	}
}

static void kobold_response_document(void *state, struct llm_facts *facts, struct span event_name,
				     bool whole)
{
	struct kobold_state *s = state;

	(void)event_name;
	if (whole && s->has_text && facts->finish_reason[0])
		facts->response_shape = true;
	if (whole)
		api_counts_take(&facts->usage, &s->counts);
	*s = (struct kobold_state){0};
}

const struct api_ops kobold_api = {
	.name = "kobold",
	.operation = "text_completion",
	.state_bytes = sizeof(struct kobold_state),
	.stream_default = TRI_FALSE,
	.match = kobold_match,
	.request_head = kobold_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = kobold_request_value,
	.response_value = kobold_response_value,
	.response_document = kobold_response_document,
};
