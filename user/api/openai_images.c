/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/openai_usage.h"
#include "util/cleanup.h"

/* OpenAI's Images API. Edits and variations come as forms, whose fields are not read: they are known
 * by path and host alone. Newer models tell usage in tokens. */

enum request_id { REQUEST_PROMPT = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"prompt", REQUEST_PROMPT},
	{"stream", API_REQUEST_STREAM},
	{NULL},
};

enum response_id {
	RESPONSE_DATA = API_RESPONSE_OWN,
	RESPONSE_USAGE,
};

static const struct json_path response_paths[] = {
	{"data", RESPONSE_DATA},
	{"model", API_RESPONSE_MODEL},
	{"error.type", API_RESPONSE_ERROR},
	{"error.code", API_RESPONSE_ERROR_CODE},
	OPENAI_INPUT_USAGE_PATHS("usage", RESPONSE_USAGE),
	{NULL},
};

struct images_state {
	bool has_prompt;
	/* of the current document */
	bool data_is_array;
	struct openai_usage usage;
};

_Static_assert(sizeof(struct images_state) <= API_STATE_MAX, "state of a family");

static enum api_claim images_match(const struct http_head *request)
{
	static const struct span paths[] = {
		SPAN_LITERAL("/images/generations"),
		SPAN_LITERAL("/images/edits"),
		SPAN_LITERAL("/images/variations"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (api_is_post_to(request, paths[i]))
			return API_CLAIM_SURE;
	return API_CLAIM_NO;
}

static void images_request_value(void *state, struct llm_facts *facts,
				 const struct json_value *value)
{
	struct images_state *s = state;

	if (value->id == REQUEST_PROMPT)
		s->has_prompt = value->type == JSON_STRING;
	else
		api_request_value(facts, value);
	facts->request_shape = api_has_model(facts) && s->has_prompt;
}

static void images_response_value(void *state, struct llm_facts *facts,
				  const struct json_value *value)
{
	struct images_state *s = state;

	if (value->id == RESPONSE_DATA)
		s->data_is_array = value->type == JSON_ARRAY;
	else
		openai_response_value(&s->usage, RESPONSE_USAGE, facts, value);
}

static void images_response_document(void *state, struct llm_facts *facts, struct span event_name,
				     bool whole)
{
	struct images_state *s = state;

	(void)event_name;
	if (whole) {
		openai_usage_take(&facts->usage, &s->usage);
		if (s->data_is_array)
			facts->response_shape = true;
	}
	*s = (struct images_state){.has_prompt = s->has_prompt};
}

const struct api_ops openai_images_api = {
	.name = "openai-images",
	.operation = "image_generation",
	.state_bytes = sizeof(struct images_state),
	.stream_default = TRI_FALSE,
	.match = images_match,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = images_request_value,
	.response_value = images_response_value,
	.response_document = images_response_document,
};
