/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/span.h"

/*
 * Host patterns:
 *   api.openai.com                    that host
 *   *.openai.azure.com                every host below it, at any depth; not openai.azure.com
 * itself bedrock-runtime.*.amazonaws.com   a `*` stands for one or more characters of one label
 *   *-aiplatform.googleapis.com
 */
enum pattern_kind { PATTERN_EXACT, PATTERN_SUFFIX, PATTERN_GLOB };

struct pattern {
	enum pattern_kind kind;
	struct span text;
	struct span key;      /* the literal labels at the end: what the index files it under */
	uint16_t literal_len; /* characters that are not `*`: the more, the more specific */
	uint8_t labels;
};

/* Reads a pattern, which keeps pointing into `text`. NULL when good, else what is wrong with it. */
const char *pattern_parse(struct span text, struct pattern *pattern);
/* Does a glob match this host? Lower case, no trailing dot. */
bool pattern_glob_matches(const struct pattern *pattern, struct span host);
/* Is a a more specific pattern than b? Exact before all; then more literal characters; then more
 * labels; then a suffix before a glob. Both match the same host, so that what is left is equal. */
bool pattern_more_specific(const struct pattern *a, const struct pattern *b);
