/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

/* The first that claims a request surely gets it: clouds, which borrow others' formats, come before
 * those. Of weak claims the first one counts, too: the longer path comes before the shorter. */
const struct api_ops *const api_table[] = {
	&vertex_api,
	&azure_openai_api,
	&bedrock_api,
	&openai_chat_api,
	&openai_completions_api,
	&openai_embeddings_api,
	&openai_responses_api,
	&openai_realtime_api,
	&openai_images_api,
	&openai_audio_api,
	&anthropic_messages_api,
	&gemini_api,
	&gemini_live_api,
	&mistral_api,
	&cohere_api,
	&ollama_api,
	&kobold_api,
	&kserve_api,
	&tgi_api,
	&llama_cpp_api,
	&rerank_api,
	&connect_grpc_api,
	&web_app_api,
	&mcp_api,
	NULL,
};
