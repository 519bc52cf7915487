/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/*
 * Ollama's own API. It streams unless told not to, a JSON object a line; the last one, with "done":
 * true, has the counts. Its paths are those of many a web application: elsewhere than at a known
 * service the answer must bear it out.
 */

enum request_id { REQUEST_TEXT = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"messages", API_REQUEST_MESSAGES},
	{"messages[]", API_REQUEST_MESSAGE},
	{"tools", API_REQUEST_TOOLS},
	{"tools[]", API_REQUEST_TOOL},
	{"stream", API_REQUEST_STREAM},
	{"options.num_predict", API_REQUEST_MAX_TOKENS},
	{"prompt", REQUEST_TEXT},
	{"input", REQUEST_TEXT},
	{"messages[].content", .text = true},
	{"prompt", .text = true},
	{"system", .text = true},
	{"tools[]", .text = true},
	{NULL},
};

enum response_id {
	RESPONSE_CREATED = API_RESPONSE_OWN,
	RESPONSE_DONE,
	RESPONSE_EMBEDDINGS,
	RESPONSE_COUNTS,
};

static const struct json_path response_paths[] = {
	{"model", API_RESPONSE_MODEL},
	{"created_at", RESPONSE_CREATED},
	{"done", RESPONSE_DONE},
	{"done_reason", API_RESPONSE_FINISH},
	{"embeddings", RESPONSE_EMBEDDINGS},
	{"embedding", RESPONSE_EMBEDDINGS},
	{"prompt_eval_count", RESPONSE_COUNTS + API_COUNT_INPUT},
	{"eval_count", RESPONSE_COUNTS + API_COUNT_OUTPUT},
	{"message.content", .text = true},
	{"message.thinking", .text = true},
	{"message.tool_calls", .text = true},
	{"response", .text = true},
	{NULL},
};

struct ollama_state {
	bool embeds, has_text;
	/* of the current document */
	bool has_created, has_done, has_embeddings;
	struct api_counts counts;
};

_Static_assert(sizeof(struct ollama_state) <= API_STATE_MAX, "state of a family");

static const struct {
	struct span path;
	const char *operation;
} calls[] = {
	{SPAN_LITERAL("/api/chat"), "chat"},
	{SPAN_LITERAL("/api/generate"), "text_completion"},
	{SPAN_LITERAL("/api/embed"), "embeddings"},
	{SPAN_LITERAL("/api/embeddings"), "embeddings"},
};

static enum api_claim ollama_match(const struct http_head *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (api_is_post_to(request, calls[i].path))
			return API_CLAIM_WEAK;
	return API_CLAIM_NO;
}

static void ollama_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	struct ollama_state *s = state;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (api_is_post_to(head, calls[i].path))
			facts->operation = calls[i].operation;
	s->embeds = strcmp(facts->operation, "embeddings") == 0;
	if (s->embeds)
		facts->stream = TRI_FALSE;
}

static void ollama_request_value(void *state, struct llm_facts *facts,
				 const struct json_value *value)
{
	struct ollama_state *s = state;

	if (value->id == REQUEST_TEXT)
		s->has_text = value->type == JSON_STRING || value->type == JSON_ARRAY;
	else
		api_request_value(facts, value);
	facts->request_shape = api_has_model(facts) && (facts->message_count >= 0 || s->has_text);
}

static void ollama_response_value(void *state, struct llm_facts *facts,
				  const struct json_value *value)
{
	struct ollama_state *s = state;

	switch (value->id) {
	case RESPONSE_CREATED:
		s->has_created = value->type == JSON_STRING;
		break;
	case RESPONSE_DONE:
		s->has_done = value->type == JSON_TRUE || value->type == JSON_FALSE;
		break;
	case RESPONSE_EMBEDDINGS:
		s->has_embeddings = value->type == JSON_ARRAY;
		break;
	default:
		api_counts_value(&s->counts, RESPONSE_COUNTS, facts, value);
		break;
	}
}

static void ollama_response_document(void *state, struct llm_facts *facts, struct span event_name,
				     bool whole)
{
	struct ollama_state *s = state;

	(void)event_name;
	if (whole && api_counts_take(&facts->usage, &s->counts) && s->embeds)
		facts->usage.output = 0;
	if (whole && facts->response_model[0] && s->has_created && s->has_done)
		facts->response_shape = true;
	if (whole && facts->response_model[0] && s->embeds && s->has_embeddings)
		facts->response_shape = true;
	*s = (struct ollama_state){.embeds = s->embeds, .has_text = s->has_text};
}

const struct api_ops ollama_api = {
	.name = "ollama",
	.operation = "chat",
	.state_bytes = sizeof(struct ollama_state),
	.stream_default = TRI_TRUE,
	.match = ollama_match,
	.request_head = ollama_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = ollama_request_value,
	.response_value = ollama_response_value,
	.response_document = ollama_response_document,
};
