/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/span.h"

/*
 * Patterns of hosts, and of what is below a path of them:
 *   api.openai.com                    that host
 *   *.openai.azure.com                every host below it, at any depth; not openai.azure.com itself
 *   bedrock-runtime.*.amazonaws.com   a `*` stands for one or more characters of one label
 *   *-aiplatform.googleapis.com
 *   huggingface.co/chat               that path and all below it; not /chatter
 *   api.cloudflare.com/client/v4/accounts/+/ai   with `*` for `+`: one segment
 */
enum pattern_kind { PATTERN_EXACT, PATTERN_SUFFIX, PATTERN_GLOB };

/* Small, since an index reads one where it may miss the caches. */
struct pattern {
	const char *text;
	uint16_t text_len;
	uint16_t host_len;     /* of the text, what stands before the path */
	uint16_t key_at;       /* where in the host the literal labels at its end begin */
	uint16_t literal_len;  /* characters of the host that are not `*` */
	uint16_t path_literal; /* ... and of the path */
	uint8_t labels;
	uint8_t kind; /* enum pattern_kind, of the host */
};

static inline struct span pattern_text(const struct pattern *pattern)
{
	return span_of(pattern->text, pattern->text_len);
}

static inline struct span pattern_host(const struct pattern *pattern)
{
	return span_of(pattern->text, pattern->host_len);
}

/* What an index files the pattern under. */
static inline struct span pattern_key(const struct pattern *pattern)
{
	return span_skip(pattern_host(pattern), pattern->key_at);
}

/* With its first slash; empty: the pattern is of whole hosts. */
static inline struct span pattern_path(const struct pattern *pattern)
{
	return span_skip(pattern_text(pattern), pattern->host_len);
}

/* Reads a pattern, which keeps pointing into `text`. NULL when good, else what is wrong with it. */
const char *pattern_parse(struct span text, struct pattern *pattern);
/* Does a glob match this host? Lower case, no trailing dot. */
bool pattern_glob_matches(const struct pattern *pattern, struct span host);
/* Does the pattern, of any kind, match this host? The same. */
bool pattern_host_matches(const struct pattern *pattern, struct span host);
/* Is a URL's path, as sent, at or below that of the pattern? Percent-encoding (RFC 3986 section 2.1)
 * is read, slashes in a row are one, case counts, a query or fragment ends it. */
bool pattern_path_matches(const struct pattern *pattern, struct span path);
/* Is a a more specific pattern than b? By host: exact before all; then more literal characters; then
 * more labels; then a suffix before a glob. Then by path: more literal characters, then more of
 * them in all. Both match the same host, so that what is left is equal. */
bool pattern_more_specific(const struct pattern *a, const struct pattern *b);
