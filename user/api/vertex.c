/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "api/google_path.h"

/*
 * Google Cloud's Vertex AI: models of many publishers. Google's own speak Gemini's format, Anthropic's
 * its Messages format without a model in the body, the others that of a chat. An endpoint's number
 * is not a model.
 */

static struct span publisher_of(const struct http_head *request)
{
	return api_segment_after(api_target_path(request->target), SPAN_LITERAL("publishers"));
}

static bool is_endpoint(const struct http_head *request)
{
	struct span stars[3];

	return api_is_post_like(request, SPAN_LITERAL("/projects/*/locations/*/endpoints/*"),
				stars);
}

static enum api_claim vertex_match(const struct http_head *request)
{
	struct span stars[2], model;
	const struct google_method *method = google_path(request, &model);

	if (!method || !model.len)
		return API_CLAIM_NO;
	if (api_is_post_like(request, SPAN_LITERAL("/publishers/*/models/*"), stars))
		return API_CLAIM_SURE;
	if (!is_endpoint(request))
		return API_CLAIM_NO;
	return method->model_alone ? API_CLAIM_WEAK : API_CLAIM_SURE;
}

static const struct api_ops *vertex_format(const struct http_head *request)
{
	struct span publisher = publisher_of(request), model;
	const struct google_method *method = google_path(request, &model);

	if (span_eq(publisher, SPAN_LITERAL("anthropic")))
		return &anthropic_messages_api;
	if (!method || !method->model_alone || span_eq(publisher, SPAN_LITERAL("google")))
		return &gemini_api;
	return &openai_chat_api;
}

static void vertex_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	struct span model;
	const struct google_method *method = google_path(head, &model);

	(void)state;
	if (!method)
		return;
	google_method_facts(facts, method, model);
	if (is_endpoint(head))
		facts->request_model[0] = '\0';
	/* Anthropic's way to count: a model of that name, the real one in the body. */
	if (span_eq(model, SPAN_LITERAL("count-tokens"))) {
		facts->model_in_path = false;
		facts->request_model[0] = '\0';
		facts->operation = "count_tokens";
	}
}

const struct api_ops vertex_api = {
	.name = "vertex",
	.match = vertex_match,
	.format = vertex_format,
	.request_head = vertex_request_head,
};
