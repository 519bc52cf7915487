/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/openai_usage.h"
#include "util/cleanup.h"

/*
 * OpenAI's older Completions API: a prompt instead of messages. vLLM, llama.cpp and others serve it
 * still, DeepSeek and Mistral (/fim) complete code with it, GitHub Copilot names the model in the
 * path (/engines/copilot-codex).
 */

enum request_id { REQUEST_PROMPT = API_REQUEST_OWN };

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},   {"prompt", REQUEST_PROMPT},
	{"stream", API_REQUEST_STREAM}, {"max_tokens", API_REQUEST_MAX_TOKENS},
	{"prompt", .text = true},       {"prompt[]", .text = true},
	{"suffix", .text = true},       {NULL},
};

enum response_id {
	RESPONSE_OBJECT = API_RESPONSE_OWN,
	RESPONSE_CHOICES,
	RESPONSE_USAGE,
};

static const struct json_path response_paths[] = {
	{"object", RESPONSE_OBJECT},
	{"model", API_RESPONSE_MODEL},
	{"choices", RESPONSE_CHOICES},
	{"choices[].finish_reason", API_RESPONSE_FINISH},
	{"error.type", API_RESPONSE_ERROR},
	{"error.code", API_RESPONSE_ERROR_CODE},
	OPENAI_USAGE_PATHS("usage", RESPONSE_USAGE),
	{"choices[].text", .text = true},
	{"choices[].message.content", .text = true},
	{"choices[].delta.content", .text = true},
	{NULL},
};

struct completions_state {
	bool has_prompt;
	/* of the current document */
	bool object_fits, choices_is_array;
	struct openai_usage usage;
};

_Static_assert(sizeof(struct completions_state) <= API_STATE_MAX, "state of a family");

static enum api_claim completions_match(const struct http_head *request)
{
	static const struct span sure[] = {
		SPAN_LITERAL("/v1/completions"),
		SPAN_LITERAL("/engines/*/completions"),
		SPAN_LITERAL("/deployments/*/completions"),
		SPAN_LITERAL("/fim/completions"),
	};
	struct span stars[1];

	for (size_t i = 0; i < ARRAY_SIZE(sure); i++)
		if (api_is_post_like(request, sure[i], stars))
			return API_CLAIM_SURE;
	if (api_is_post_to(request, SPAN_LITERAL("/chat/completions")))
		return API_CLAIM_NO;
	return api_is_post_to(request, SPAN_LITERAL("/completions")) ? API_CLAIM_WEAK
								     : API_CLAIM_NO;
}

static void completions_request_head(void *state, struct llm_facts *facts,
				     const struct http_head *head)
{
	struct span model;

	(void)state;
	if (api_is_post_like(head, SPAN_LITERAL("/engines/*/completions"), &model))
		api_model_from_path(facts, model);
}

static void completions_request_value(void *state, struct llm_facts *facts,
				      const struct json_value *value)
{
	struct completions_state *s = state;

	/* text, texts, tokens, or lists of tokens */
	if (value->id == REQUEST_PROMPT)
		s->has_prompt = value->type == JSON_STRING || value->type == JSON_ARRAY;
	else
		api_request_value(facts, value);
	facts->request_shape = api_has_model(facts) && s->has_prompt;
}

static void completions_response_value(void *state, struct llm_facts *facts,
				       const struct json_value *value)
{
	struct completions_state *s = state;

	switch (value->id) {
	case RESPONSE_OBJECT:
		/* Mistral answers to /fim as it does to a chat. */
		s->object_fits = api_is_text(value, SPAN_LITERAL("text_completion")) ||
				 api_is_text(value, SPAN_LITERAL("chat.completion")) ||
				 api_is_text(value, SPAN_LITERAL("chat.completion.chunk"));
		break;
	case RESPONSE_CHOICES:
		s->choices_is_array = value->type == JSON_ARRAY;
		break;
	default:
		openai_response_value(&s->usage, RESPONSE_USAGE, facts, value);
		break;
	}
}

static void completions_response_document(void *state, struct llm_facts *facts,
					  struct span event_name, bool whole)
{
	struct completions_state *s = state;

	(void)event_name;
	if (whole) {
		openai_usage_take(&facts->usage, &s->usage);
		if (s->object_fits && s->choices_is_array)
			facts->response_shape = true;
	}
	*s = (struct completions_state){.has_prompt = s->has_prompt};
}

const struct api_ops openai_completions_api = {
	.name = "openai-completions",
	.operation = "text_completion",
	.state_bytes = sizeof(struct completions_state),
	.stream_default = TRI_FALSE,
	.match = completions_match,
	.request_head = completions_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = completions_request_value,
	.response_value = completions_response_value,
	.response_document = completions_response_document,
};
