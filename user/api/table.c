/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/families.h"

const struct api_ops *const api_table[] = {
	&openai_chat_api,      &openai_completions_api, &openai_embeddings_api,
	&openai_responses_api, &anthropic_messages_api, NULL,
};
