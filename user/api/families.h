/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/api.h"

/* Every family; a row each in user/api/table.c, too. */

extern const struct api_ops vertex_api;
extern const struct api_ops azure_openai_api;
extern const struct api_ops bedrock_api;
extern const struct api_ops openai_chat_api;
extern const struct api_ops openai_completions_api;
extern const struct api_ops openai_embeddings_api;
extern const struct api_ops openai_responses_api;
extern const struct api_ops openai_realtime_api;
extern const struct api_ops openai_images_api;
extern const struct api_ops openai_audio_api;
extern const struct api_ops anthropic_messages_api;
extern const struct api_ops gemini_api;
extern const struct api_ops gemini_live_api;
extern const struct api_ops mistral_api;
extern const struct api_ops cohere_api;
extern const struct api_ops ollama_api;
extern const struct api_ops kobold_api;
extern const struct api_ops kserve_api;
extern const struct api_ops tgi_api;
extern const struct api_ops llama_cpp_api;
extern const struct api_ops rerank_api;
extern const struct api_ops connect_grpc_api;
extern const struct api_ops web_app_api;
extern const struct api_ops mcp_api;
