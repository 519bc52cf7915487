/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/api.h"

/* What the families share. */

extern const struct api_ops openai_chat_api;
extern const struct api_ops anthropic_messages_api;

/* The path of a request target (RFC 9112 section 3.2): without scheme and authority, query and
 * fragment. */
struct span api_target_path(struct span target);
/* Does the path end with `suffix`, percent-encoded or not (RFC 3986 section 2.1)? */
bool api_path_ends(struct span path, struct span suffix);
/* Is it POST with a path that ends so? */
bool api_is_post_to(const struct http_head *request, struct span suffix);

/* A count from a JSON number: digits alone, at most TOKENS_MAX. Anything else: TOKENS_UNKNOWN. */
token_count api_tokens(const struct json_value *value);
/* The sum, where unknown adds nothing; unknown when both are. Neither exceeds 3 x TOKENS_MAX. */
token_count api_tokens_add(token_count a, token_count b);

/* Copies a string value, control characters replaced by '?', cut at cap - 1 bytes between
 * characters. Other types than string leave `to` empty. */
void api_copy_text(char *to, size_t cap, const struct json_value *value);
