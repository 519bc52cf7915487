/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

#include "api/family.h"
#include "util/cleanup.h"

/*
 * OpenAI's models at Azure. What the path (/openai/deployments/NAME) or the body calls the model is
 * the name of the customer's deployment: only the response tells the model. The newer form
 * (/openai/v1) is known by its host alone, Groq has such paths, too.
 */

static const struct api_ops *const formats[] = {
	&openai_chat_api,   &openai_responses_api, &openai_completions_api, &openai_embeddings_api,
	&openai_images_api, &openai_audio_api,     &openai_realtime_api,
};

static const struct api_ops *azure_format(const struct http_head *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i]->match(request) != API_CLAIM_NO)
			return formats[i];
	return NULL;
}

static enum api_claim azure_match(const struct http_head *request)
{
	struct span path = api_target_path(request->target);
	struct span first = api_segment_after(path, SPAN_LITERAL("openai"));

	if (!first.len || !azure_format(request))
		return API_CLAIM_NO;
	return span_eq(first, SPAN_LITERAL("deployments")) ? API_CLAIM_SURE : API_CLAIM_WEAK;
}

static void azure_request_head(void *state, struct llm_facts *facts, const struct http_head *head)
{
	(void)state;
	(void)head;
	facts->model_in_path = true;
}

const struct api_ops azure_openai_api = {
	.name = "azure-openai",
	.match = azure_match,
	.format = azure_format,
	.request_head = azure_request_head,
};
