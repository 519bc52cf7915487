/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/openai_usage.h"

/* OpenAI's Embeddings API, which Voyage, Jina, Mistral and model servers copied. An embedding has no
 * output tokens; some services tell only the total. */

enum request_id { REQUEST_INPUT = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"input", REQUEST_INPUT},
	{NULL},
};

enum response_id {
	RESPONSE_OBJECT = API_RESPONSE_OWN,
	RESPONSE_DATA,
	RESPONSE_USAGE,
};

static const struct json_path response_paths[] = {
	{"object", RESPONSE_OBJECT},
	{"model", API_RESPONSE_MODEL},
	{"data", RESPONSE_DATA},
	{"error.type", API_RESPONSE_ERROR},
	{"error.code", API_RESPONSE_ERROR_CODE},
	OPENAI_USAGE_PATHS("usage", RESPONSE_USAGE),
	{NULL},
};

struct embeddings_state {
	bool has_input;
	/* of the current document */
	bool object_is_list, data_is_array;
	struct openai_usage usage;
};

_Static_assert(sizeof(struct embeddings_state) <= API_STATE_MAX, "state of a family");

static enum api_claim embeddings_match(const struct http_head *request)
{
	/* Ollama's first API for it has one prompt and no data list. */
	if (api_is_post_to(request, SPAN_LITERAL("/api/embeddings")))
		return API_CLAIM_NO;
	return api_is_post_to(request, SPAN_LITERAL("/embeddings")) ? API_CLAIM_SURE : API_CLAIM_NO;
}

static void embeddings_request_value(void *state, struct llm_facts *facts,
				     const struct json_value *value)
{
	struct embeddings_state *s = state;

	if (value->id == REQUEST_INPUT)
		s->has_input = value->type == JSON_STRING || value->type == JSON_ARRAY;
	else
		api_request_value(facts, value);
	facts->request_shape = api_has_model(facts) && s->has_input;
}

static void embeddings_response_value(void *state, struct llm_facts *facts,
				      const struct json_value *value)
{
	struct embeddings_state *s = state;

	switch (value->id) {
	case RESPONSE_OBJECT:
		s->object_is_list = api_is_text(value, SPAN_LITERAL("list"));
		break;
	case RESPONSE_DATA:
		s->data_is_array = value->type == JSON_ARRAY;
		break;
	default:
		openai_response_value(&s->usage, RESPONSE_USAGE, facts, value);
		break;
	}
}

static void embeddings_response_document(void *state, struct llm_facts *facts,
					 struct span event_name, bool whole)
{
	struct embeddings_state *s = state;

	(void)event_name;
	if (whole) {
		openai_usage_take_input(&facts->usage, &s->usage);
		if (s->object_is_list && s->data_is_array)
			facts->response_shape = true;
	}
	*s = (struct embeddings_state){.has_input = s->has_input};
}

const struct api_ops openai_embeddings_api = {
	.name = "openai-embeddings",
	.operation = "embeddings",
	.state_bytes = sizeof(struct embeddings_state),
	.stream_default = TRI_FALSE,
	.match = embeddings_match,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = embeddings_request_value,
	.response_value = embeddings_response_value,
	.response_document = embeddings_response_document,
};
