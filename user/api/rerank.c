/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/openai_usage.h"

/* Ranking documents by a query, as Jina, Voyage, Together and vLLM offer it after Cohere's example.
 * The path is not much: a model, a query and documents in the body are. There is no output. */

enum request_id { REQUEST_QUERY = API_REQUEST_OWN, REQUEST_DOCUMENTS };

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"query", REQUEST_QUERY},
	{"documents", REQUEST_DOCUMENTS},
	{NULL},
};

enum response_id { RESPONSE_RESULTS = API_RESPONSE_OWN, RESPONSE_USAGE };

static const struct json_path response_paths[] = {
	{"model", API_RESPONSE_MODEL},
	{"results", RESPONSE_RESULTS},
	{"data", RESPONSE_RESULTS},
	{"error.type", API_RESPONSE_ERROR},
	{"error.code", API_RESPONSE_ERROR_CODE},
	{"meta.billed_units.input_tokens", RESPONSE_USAGE + OPENAI_USAGE_PROMPT},
	OPENAI_USAGE_PATHS("usage", RESPONSE_USAGE),
	{NULL},
};

struct rerank_state {
	bool has_query, has_documents;
	/* of the current document */
	bool has_results;
	struct openai_usage usage;
};

_Static_assert(sizeof(struct rerank_state) <= API_STATE_MAX, "state of a family");

static enum api_claim rerank_match(const struct http_head *request)
{
	return api_is_post_to(request, SPAN_LITERAL("/rerank")) ? API_CLAIM_SHAPED : API_CLAIM_NO;
}

static void rerank_request_value(void *state, struct llm_facts *facts,
				 const struct json_value *value)
{
	struct rerank_state *s = state;

	if (value->id == REQUEST_QUERY)
		s->has_query = value->type == JSON_STRING || value->type == JSON_OBJECT;
	else if (value->id == REQUEST_DOCUMENTS)
		s->has_documents = value->type == JSON_ARRAY;
	else
		api_request_value(facts, value);
	facts->request_shape = api_has_model(facts) && s->has_query && s->has_documents;
}

static void rerank_response_value(void *state, struct llm_facts *facts,
				  const struct json_value *value)
{
	struct rerank_state *s = state;

	if (value->id == RESPONSE_RESULTS)
		s->has_results = value->type == JSON_ARRAY;
	else
		openai_response_value(&s->usage, RESPONSE_USAGE, facts, value);
}

static void rerank_response_document(void *state, struct llm_facts *facts, struct span event_name,
				     bool whole)
{
	struct rerank_state *s = state;

	(void)event_name;
	if (whole) {
		openai_usage_take_input(&facts->usage, &s->usage);
		if (s->has_results)
			facts->response_shape = true;
	}
	*s = (struct rerank_state){.has_query = s->has_query, .has_documents = s->has_documents};
}

const struct api_ops rerank_api = {
	.name = "rerank",
	.operation = "rerank",
	.state_bytes = sizeof(struct rerank_state),
	.stream_default = TRI_FALSE,
	.match = rerank_match,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = rerank_request_value,
	.response_value = rerank_response_value,
	.response_document = rerank_response_document,
};
