/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/*
 * What the web pages of ChatGPT and Claude talk to. Neither is documented, and neither counts
 * tokens: the model is all there is. Both always stream. "auto" asks ChatGPT to choose; what it chose
 * stands in the metadata of its messages.
 */

enum request_id { REQUEST_ACTION = API_REQUEST_OWN, REQUEST_PROMPT };

static const struct json_path request_paths[] = {
	{"model", API_REQUEST_MODEL},
	{"messages", API_REQUEST_MESSAGES},
	{"messages[]", API_REQUEST_MESSAGE},
	{"action", REQUEST_ACTION},
	{"prompt", REQUEST_PROMPT},
	{"messages[].content.parts[]", .text = true},
	{"prompt", .text = true},
	{NULL},
};

enum response_id { RESPONSE_TYPE = API_RESPONSE_OWN };

static const struct json_path response_paths[] = {
	{"type", RESPONSE_TYPE},
	/* ChatGPT: messages, deltas that add one, and what its server says of the turn */
	{"message.metadata.model_slug", API_RESPONSE_MODEL},
	{"v.message.metadata.model_slug", API_RESPONSE_MODEL},
	{"metadata.model_slug", API_RESPONSE_MODEL},
	/* Claude: as in the Messages API, and before it */
	{"message.model", API_RESPONSE_MODEL},
	{"model", API_RESPONSE_MODEL},
	{"delta.stop_reason", API_RESPONSE_FINISH},
	{"stop_reason", API_RESPONSE_FINISH},
	{"error.type", API_RESPONSE_ERROR},
	{"v", .text = true},
	{"v[].v", .text = true},
	{"completion", .text = true},
	{"delta.text", .text = true},
	{"delta.thinking", .text = true},
	{NULL},
};

struct web_state {
	bool claude, has_action, has_prompt;
};

static bool is_claude(const struct http_head *request)
{
	static const struct span forms[] = {
		SPAN_LITERAL("/organizations/*/chat_conversations/*/completion"),
		SPAN_LITERAL("/organizations/*/chat_conversations/*/retry_completion"),
	};
	struct span stars[2];

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (api_is_post_like(request, forms[i], stars))
			return true;
	return false;
}

static enum api_claim web_match(const struct http_head *request)
{
	static const struct span paths[] = {
		SPAN_LITERAL("/backend-api/conversation"),
		SPAN_LITERAL("/backend-api/f/conversation"),
		SPAN_LITERAL("/backend-anon/conversation"),
		SPAN_LITERAL("/backend-anon/f/conversation"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (api_is_post_to(request, paths[i]))
			return API_CLAIM_SURE;
	return is_claude(request) ? API_CLAIM_SURE : API_CLAIM_NO;
}

static void web_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	struct web_state *s = state;

	(void)facts;
	s->claude = is_claude(head);
}

static void web_request_value(void *state, struct llm_facts *facts, const struct json_value *value)
{
	struct web_state *s = state;

	if (value->id == REQUEST_ACTION)
		s->has_action = value->type == JSON_STRING;
	else if (value->id == REQUEST_PROMPT)
		s->has_prompt = value->type == JSON_STRING;
	else
		api_request_value(facts, value);
	facts->request_shape = s->claude ? s->has_prompt
					 : api_has_model(facts) && facts->message_count >= 0 &&
						   s->has_action;
}

static void web_response_value(void *state, struct llm_facts *facts, const struct json_value *value)
{
	(void)state;
	if (value->id == RESPONSE_TYPE)
		facts->response_shape |= value->type == JSON_STRING;
	else
		api_response_value(facts, value);
}

static void web_response_document(void *state, struct llm_facts *facts, struct span event_name,
				  bool whole)
{
	(void)state;
	(void)facts;
	(void)event_name;
	(void)whole;
}

const struct api_ops web_app_api = {
	.name = "web-app",
	.operation = "chat",
	.state_bytes = sizeof(struct web_state),
	.stream_default = TRI_TRUE,
	.match = web_match,
	.request_head = web_request_head,
	.request_paths = request_paths,
	.response_paths = response_paths,
	.request_value = web_request_value,
	.response_value = web_response_value,
	.response_document = web_response_document,
};
