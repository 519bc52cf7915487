/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/span.h"

/* What decoders learn about one API call. Owned by the exchange; plain values, no pointers except
 * to static text. */

enum usage_source { USAGE_NONE, USAGE_REPORTED, USAGE_ESTIMATED_TEXT, USAGE_ESTIMATED_CIPHERTEXT };

/* A count that may be unknown: -1 then. */
typedef int64_t token_count;
#define TOKENS_UNKNOWN ((token_count)-1)

/* Normalised: input includes what came from or went to a cache, output includes reasoning. */
struct token_usage {
	enum usage_source source;
	token_count input, output;
	token_count cache_read, cache_creation, reasoning;
	/* Of cache_creation, what is to be kept for an hour; 0 or unknown: none that shows. */
	token_count cache_creation_1h;
	/* With USAGE_ESTIMATED_* alone: where input and output lie; equal where one was reported.
	 * A bound of TOKENS_UNKNOWN is none: parts of the text were not seen. */
	token_count input_low, input_high, output_low, output_high;
};

enum tristate { TRI_UNKNOWN = -1, TRI_FALSE = 0, TRI_TRUE = 1 };

struct llm_facts {
	const char
		*api_family; /* gnomon.api_family, static; NULL: not an LLM call as far as known */
	const char *operation; /* gen_ai.operation.name, static */
	/* The request's path tells the model, or hides it behind a name of the customer's: what
	 * the body says of it does not count. */
	bool model_in_path;
	char request_model[MODEL_NAME_MAX];
	char response_model[MODEL_NAME_MAX];
	char finish_reason[SHORT_NAME_MAX];
	char error_type[SHORT_NAME_MAX];
	char service_tier[SHORT_NAME_MAX]; /* what was charged for, else what was asked for */
	enum tristate stream;
	token_count max_tokens; /* of output, as the request limits it */
	/* Of the request; -1: it has no such list. */
	int64_t message_count, tool_count;
	/* Documents that the answer came in, where it came in several. */
	int64_t chunk_count;
	struct token_usage usage;
	/* The bodies had the family's shape; without both path and request shape a host that the
	 * catalogue does not know is never called an LLM service. */
	bool request_shape, response_shape;
	/* Parts of a body were not captured: absent facts prove nothing. */
	bool truncated;
	/* A call of the Model Context Protocol; all empty for others. */
	char mcp_method[SHORT_NAME_MAX];
	char mcp_tool[SHORT_NAME_MAX];
	char mcp_server
		[SHORT_NAME_MAX]; /* as the server calls itself; told when a session begins */
};

/* Which kind of credential a request carried. Never the credential. */
struct key_facts {
	const char *kind;     /* gnomon.key.kind, static; NULL: none seen */
	char fingerprint[17]; /* hex, empty: none */
	const char *account;  /* gnomon.account.kind, static; NULL: it does not show */
	char account_fingerprint[17];
	char session[17]; /* of the Model Context Protocol */
};
