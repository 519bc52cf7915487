/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/api.h"

/* What the families share. */

struct service;

/* The family that a request is best taken for, and how sure that is; NULL: none. `service` is what
 * the catalogue knows of the host, or NULL. A weak claim comes last, unless the service speaks the
 * family. */
const struct api_ops *api_choose(const struct http_head *request, const struct service *service,
				 enum api_claim *claim);
/* Does the catalogue say that the service speaks the family? */
bool api_service_speaks(const struct service *service, const struct api_ops *ops);

/* The path of a request target (RFC 9112 section 3.2): without scheme and authority, query and
 * fragment. */
struct span api_target_path(struct span target);
/* The value of a parameter of the target's query, as sent; empty: none. */
struct span api_target_query(struct span target, struct span name);
/* Does the path end with `suffix`, percent-encoded or not (RFC 3986 section 2.1)? */
bool api_path_ends(struct span path, struct span suffix);
/* Is it POST with a path that ends so? */
bool api_is_post_to(const struct http_head *request, struct span suffix);
/* Does it ask for a WebSocket (RFC 6455 section 4.1) at such a path? */
bool api_is_socket_to(const struct http_head *request, struct span suffix);
/* Does the path end with the segments of `form` ("/models/" followed by a star, say)? Each "*" there
 * is one whole, non-empty segment; `stars` receives them as sent, in order. */
bool api_path_like(struct span path, struct span form, struct span stars[]);
bool api_is_post_like(const struct http_head *request, struct span form, struct span stars[]);
/* The segment after the first one named `name`; empty: none. */
struct span api_segment_after(struct span path, struct span name);
/* Copies, percent-decoded, control characters replaced by '?', cut at cap - 1 bytes. */
void api_copy_decoded(char *to, size_t cap, struct span from);
/* Takes the model from the path: bodies then have no say. */
void api_model_from_path(struct llm_facts *facts, struct span model);

/* A count from a JSON number: digits alone, at most TOKENS_MAX. Anything else: TOKENS_UNKNOWN. */
token_count api_tokens(const struct json_value *value);
/* The same of a header's value. */
token_count api_tokens_of(struct span digits);
/* The sum, where unknown adds nothing; unknown when both are. Neither exceeds 3 x TOKENS_MAX. */
token_count api_tokens_add(token_count a, token_count b);

/* Copies a string value, control characters replaced by '?', cut at cap - 1 bytes between
 * characters. Other types than string leave `to` empty. */
void api_copy_text(char *to, size_t cap, const struct json_value *value);
/* The same, but only a string that is not empty replaces what is there. */
void api_take_text(char *to, size_t cap, const struct json_value *value);

/* Values that mean the same in most families' requests; the families' own ids begin after them. */
enum api_request_id {
	API_REQUEST_MODEL,
	API_REQUEST_STREAM,
	API_REQUEST_MAX_TOKENS,
	API_REQUEST_TIER,
	API_REQUEST_MESSAGES, /* the list */
	API_REQUEST_MESSAGE,  /* each of its elements */
	API_REQUEST_TOOLS,
	API_REQUEST_TOOL,
	API_REQUEST_OWN,
};

/* ... and in responses. */
enum api_response_id {
	API_RESPONSE_MODEL,
	API_RESPONSE_FINISH,
	API_RESPONSE_TIER,
	API_RESPONSE_ERROR,      /* the error's type: it counts before a code */
	API_RESPONSE_ERROR_CODE, /* in its absence */
	API_RESPONSE_OWN,
};

/* Input and output of a response that tells both once, in one document. One plus the count, so that
 * zeroed state means unknown. */
struct api_counts {
	token_count input, output;
};
/* Ids of the two, from the family's own id for the first on. */
enum { API_COUNT_INPUT, API_COUNT_OUTPUT };

/* Notes a count where the id is `first_id` or beyond, else does what api_response_value() does. */
void api_counts_value(struct api_counts *counts, int first_id, struct llm_facts *facts,
		      const struct json_value *value);
/* The document was whole: takes over what it told. False: neither count. */
bool api_counts_take(struct token_usage *to, const struct api_counts *from);

/* Take such a value over; others are ignored. */
void api_request_value(struct llm_facts *facts, const struct json_value *value);
void api_response_value(struct llm_facts *facts, const struct json_value *value);
/* Has the request named a model, by body or path? */
static inline bool api_has_model(const struct llm_facts *facts)
{
	return facts->model_in_path || facts->request_model[0];
}
static inline bool api_is_text(const struct json_value *value, struct span text)
{
	return value->type == JSON_STRING && span_eq(value->text, text);
}
