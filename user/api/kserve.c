/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/* The generate extension of KServe's protocol, as Triton serves it: the model in the path, text in
 * and out, no counts. Its infer calls serve any kind of model: they count at known services only. */

enum request_id { REQUEST_TEXT = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"text_input", REQUEST_TEXT},
	{"max_tokens", API_REQUEST_MAX_TOKENS},
	{"parameters.max_tokens", API_REQUEST_MAX_TOKENS},
	{"text_input", .text = true},
	{NULL},
};

enum response_id { RESPONSE_TEXT = API_RESPONSE_OWN };

static const struct json_path response_paths[] = {
	{"model_name", API_RESPONSE_MODEL},
	{"text_output", RESPONSE_TEXT},
	{"text_output", .text = true},
	{NULL},
};

static const struct {
	struct span form;
	bool generates, stream;
} calls[] = {
	{SPAN_LITERAL("/v2/models/*/generate"), true, false},
	{SPAN_LITERAL("/v2/models/*/generate_stream"), true, true},
	{SPAN_LITERAL("/v2/models/*/versions/*/generate"), true, false},
	{SPAN_LITERAL("/v2/models/*/versions/*/generate_stream"), true, true},
	{SPAN_LITERAL("/v2/models/*/infer"), false, false},
	{SPAN_LITERAL("/v2/models/*/versions/*/infer"), false, false},
};

static enum api_claim kserve_match(const struct http_head *request)
{
	struct span stars[2];

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (api_is_post_like(request, calls[i].form, stars))
			return calls[i].generates ? API_CLAIM_WEAK : API_CLAIM_LISTED;
	return API_CLAIM_NO;
}

static void kserve_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	struct span stars[2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (!api_is_post_like(head, calls[i].form, stars))
			continue;
		api_model_from_path(facts, stars[0]);
		facts->stream = calls[i].stream ? TRI_TRUE : TRI_FALSE;
	}
}

static void kserve_request_value(void *state, struct llm_facts *facts,
				 const struct json_value *value)
{
	(void)state;
	if (value->id == REQUEST_TEXT)
		facts->request_shape = value->type == JSON_STRING;
	else
		api_request_value(facts, value);
}

static void kserve_response_value(void *state, struct llm_facts *facts,
				  const struct json_value *value)
{
	bool *has_text = state;

	if (value->id == RESPONSE_TEXT)
		*has_text = value->type == JSON_STRING || value->type == JSON_ARRAY;
	else
		api_response_value(facts, value);
}

static void kserve_response_document(void *state, struct llm_facts *facts, struct span event_name,
				     bool whole)
{
	bool *has_text = state;

	(void)event_name;
	if (whole && *has_text && facts->response_model[0])
		facts->response_shape = true;
	*has_text = false;
}

const struct api_ops kserve_api = {
	.name = "kserve",
	.operation = "text_completion",
	.state_bytes = sizeof(bool),
	.stream_default = TRI_FALSE,
	.match = kserve_match,
	.request_head = kserve_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = kserve_request_value,
	.response_value = kserve_response_value,
	.response_document = kserve_response_document,
};
