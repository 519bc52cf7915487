/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/facts.h"
#include "gnomon/protocol.h"

/*
 * One API family (openai-chat, anthropic-messages ...): which requests are its own, which JSON
 * values of a request and of a response it wants, and what they mean. One file and one row in
 * user/api/table.c.
 */

enum json_value_type {
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
	JSON_OBJECT,
	JSON_ARRAY,
};

/* A value that the scanner found at a wanted path. */
struct json_value {
	int id; /* the json_path's */
	enum json_value_type type;
	struct span
		text; /* strings unescaped, numbers as written; cut at JSON_VALUE_MAX; objects and
			   * arrays: empty, told when they begin */
	bool truncated;
};

/* "usage.prompt_tokens", "choices[].finish_reason"; id is the family's own. What people and models wrote
 * ("choices[].delta.content") is `text`: it is told whole and in pieces, for its tokens to be estimated,
 * and not as a value. An object or array that is text is told as it is written. */
struct json_path {
	const char *path;
	int id; /* not used with `text` */
	bool text;
};

/* How sure a request's head alone is. */
enum api_claim {
	API_CLAIM_NO,
	/* Nothing to go by: a claim only at a service that is known to speak the family. */
	API_CLAIM_LISTED,
	/* Others have such paths too: a service that is known to speak the family, or the shape of
	 * both bodies, must bear it out. */
	API_CLAIM_WEAK,
	/* The request's body decides, whatever the host. */
	API_CLAIM_SHAPED,
	/* Enough for a known host; others need the shape of the request's body besides. */
	API_CLAIM_SURE,
};

struct api_ops {
	const char *name;      /* gnomon.api_family */
	const char *operation; /* gen_ai.operation.name when nothing better is known; NULL: none */
	size_t state_bytes;    /* private state per exchange, zeroed; at most API_STATE_MAX */
	enum tristate stream_default; /* what a whole request without a stream flag asks for */
	/* Is this request one of this family's? By method, path and headers only. */
	enum api_claim (*match)(const struct http_head *request);
	/* The family whose bodies this request has, where they are another's (a cloud that serves
	 * other vendors' models). Its paths, functions and state are used then; name, operation and
	 * the functions for heads stay this family's, which get a NULL state. NULL, also as the
	 * result: its own. */
	const struct api_ops *(*format)(const struct http_head *request);
	/* What the heads say; each may be NULL. */
	void (*request_head)(void *state, struct llm_facts *facts, const struct http_head *head);
	void (*response_head)(void *state, struct llm_facts *facts, const struct http_head *head);
	const struct json_path *request_paths; /* ends with a NULL path */
	const struct json_path *response_paths;
	void (*request_value)(void *state, struct llm_facts *facts, const struct json_value *value);
	void (*response_value)(void *state, struct llm_facts *facts,
			       const struct json_value *value);
	/* One response document (the whole body, or one server-sent event) has ended. Unless `whole`,
	 * it was cut, damaged or no JSON: counts that only mean something together are then void. */
	void (*response_document)(void *state, struct llm_facts *facts, struct span event_name,
				  bool whole);
};

extern const struct api_ops *const api_table[]; /* ends with NULL */
