/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/* llama.cpp's own API (the server speaks OpenAI's too). The last document, with "stop": true, has
 * the counts; tokens_evaluated is the whole prompt, timings.cache_n of it came from the cache. */

enum request_id { REQUEST_PROMPT = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"prompt", REQUEST_PROMPT},
	{"prompt.prompt_string", REQUEST_PROMPT}, /* with pictures beside it */
	{"input_prefix", REQUEST_PROMPT},         /* of /infill */
	{"stream", API_REQUEST_STREAM},
	{"n_predict", API_REQUEST_MAX_TOKENS},
	{"prompt", .text = true},
	{"prompt.prompt_string", .text = true},
	{"prompt[].prompt_string", .text = true},
	{"input_prefix", .text = true},
	{"input_suffix", .text = true},
	{NULL},
};

enum response_id {
	RESPONSE_CONTENT = API_RESPONSE_OWN,
	RESPONSE_STOP,
	RESPONSE_CACHED,
	RESPONSE_COUNTS,
};

static const struct json_path response_paths[] = {
	{"model", API_RESPONSE_MODEL},
	{"content", RESPONSE_CONTENT},
	{"stop", RESPONSE_STOP},
	{"stop_type", API_RESPONSE_FINISH},
	{"tokens_evaluated", RESPONSE_COUNTS + API_COUNT_INPUT},
	{"tokens_predicted", RESPONSE_COUNTS + API_COUNT_OUTPUT},
	{"timings.cache_n", RESPONSE_CACHED},
	{"error.type", API_RESPONSE_ERROR},
	{"content", .text = true},
	{NULL},
};

struct llama_state {
	/* of the current document */
	bool has_content, has_stop, stopped;
	token_count cached; /* one plus the count */
	struct api_counts counts;
};

_Static_assert(sizeof(struct llama_state) <= API_STATE_MAX, "state of a family");

static enum api_claim llama_match(const struct http_head *request)
{
	if (api_is_post_to(request, SPAN_LITERAL("/completion")) ||
	    api_is_post_to(request, SPAN_LITERAL("/infill")))
		return API_CLAIM_WEAK;
	return API_CLAIM_NO;
}

static void llama_request_value(void *state, struct llm_facts *facts,
				const struct json_value *value)
{
	(void)state;
	if (value->id == REQUEST_PROMPT)
		facts->request_shape = value->type == JSON_STRING || value->type == JSON_ARRAY;
	else
		api_request_value(facts, value);
}

static void llama_response_value(void *state, struct llm_facts *facts,
				 const struct json_value *value)
{
	struct llama_state *s = state;

	switch (value->id) {
	case RESPONSE_CONTENT:
		s->has_content = value->type == JSON_STRING;
		break;
	case RESPONSE_STOP:
		s->has_stop = value->type == JSON_TRUE || value->type == JSON_FALSE;
		s->stopped = value->type == JSON_TRUE;
		break;
	case RESPONSE_CACHED:
		s->cached = api_tokens(value) + 1;
		break;
	default:
		api_counts_value(&s->counts, RESPONSE_COUNTS, facts, value);
		break;
	}
}

static void llama_response_document(void *state, struct llm_facts *facts, struct span event_name,
				    bool whole)
{
	struct llama_state *s = state;

	(void)event_name;
	/* newer servers count in each document; the last one's counts are those of the whole */
	if (whole && s->has_content && s->has_stop && s->counts.input && s->counts.output)
		facts->response_shape = true;
	if (facts->response_shape && whole && s->stopped) {
		api_counts_take(&facts->usage, &s->counts);
		facts->usage.cache_read = s->cached <= s->counts.input ? s->cached - 1
								       : TOKENS_UNKNOWN;
	}
	*s = (struct llama_state){0};
}

const struct api_ops llama_cpp_api = {
	.name = "llama-cpp",
	.operation = "text_completion",
	.state_bytes = sizeof(struct llama_state),
	.stream_default = TRI_FALSE,
	.match = llama_match,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = llama_request_value,
	.response_value = llama_response_value,
	.response_document = llama_response_document,
};
