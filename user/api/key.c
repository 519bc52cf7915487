/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/exchange.h"

#include "util/cleanup.h"

/* Prefixes that vendors give their keys; the first that fits, so longer ones come first. */
static const struct {
	struct span prefix;
	const char *kind;
} prefixes[] = {
	{SPAN_LITERAL("sk-ant-"), "anthropic"}, {SPAN_LITERAL("sk-or-"), "openrouter"},
	{SPAN_LITERAL("sk-"), "openai"},        {SPAN_LITERAL("gsk_"), "groq"},
	{SPAN_LITERAL("AIza"), "google"},       {SPAN_LITERAL("hf_"), "huggingface"},
	{SPAN_LITERAL("xai-"), "xai"},
};

/* Headers that carry credentials, and what an unknown credential in them is called. */
static const struct {
	struct span header;
	struct span
		scheme; /* RFC 9110 section 11.4, any case; empty: the value is the credential */
	const char *kind;
} carriers[] = {
	{SPAN_LITERAL("authorization"), SPAN_LITERAL("bearer "), "bearer"},
	{SPAN_LITERAL("x-api-key"), {0}, "x-api-key"},
	{SPAN_LITERAL("api-key"), {0}, "azure"},
	{SPAN_LITERAL("x-goog-api-key"), {0}, "google"},
};

/* NULL: no known prefix. */
static const char *kind_of(struct span credential)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (span_starts(credential, prefixes[i].prefix))
			return prefixes[i].kind;
	return NULL;
}

void api_key_facts(const struct http_head *request, struct key_facts *key)
{
	const char *generic = NULL;

	*key = (struct key_facts){0};
	for (size_t i = 0; i < ARRAY_SIZE(carriers); i++) {
		struct span value = http_header_get(request, carriers[i].header);
		size_t skip = carriers[i].scheme.len;

		if (value.len <= skip ||
		    !span_eq_nocase(span_of(value.at, skip), carriers[i].scheme))
			continue;
		value = span_skip(value, skip);
		while (value.len && value.at[0] == ' ')
			value = span_skip(value, 1);
		key->kind = kind_of(value);
		if (key->kind)
			return;
		if (value.len && !generic)
			generic = carriers[i].kind;
	}
	key->kind = generic;
}
