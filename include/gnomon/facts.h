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
	/* With USAGE_ESTIMATED_* alone: where input and output lie; equal where one was reported.
	 * A bound of TOKENS_UNKNOWN is none: parts of the text were not seen. */
	token_count input_low, input_high, output_low, output_high;
};

enum tristate { TRI_UNKNOWN = -1, TRI_FALSE = 0, TRI_TRUE = 1 };

struct llm_facts {
	const char
		*api_family; /* gnomon.api_family, static; NULL: not an LLM call as far as known */
	const char *operation; /* gen_ai.operation.name, static */
	char request_model[MODEL_NAME_MAX];
	char response_model[MODEL_NAME_MAX];
	char finish_reason[SHORT_NAME_MAX];
	char error_type[SHORT_NAME_MAX];
	enum tristate stream;
	struct token_usage usage;
	/* The bodies had the family's shape; without both path and request shape a host that the
	 * catalogue does not know is never called an LLM service. */
	bool request_shape, response_shape;
	/* Parts of a body were not captured: absent facts prove nothing. */
	bool truncated;
};

/* Which kind of credential a request carried. Never the credential. */
struct key_facts {
	const char *kind;     /* gnomon.key.kind, static; NULL: none seen */
	char fingerprint[17]; /* hex, empty: none */
};
