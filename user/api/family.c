/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/family.h"

#include "util/cleanup.h"
#include "util/hex.h"

struct span api_target_path(struct span target)
{
	static const struct span schemes[] = {SPAN_LITERAL("http://"), SPAN_LITERAL("https://")};
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		struct span head = span_of(target.at, schemes[i].len);

		if (target.len < schemes[i].len || !span_eq_nocase(head, schemes[i]))
			continue;
		target = span_skip(target, schemes[i].len);
		while (target.len && target.at[0] != '/' && target.at[0] != '?')
			target = span_skip(target, 1);
		break;
	}
	while (len < target.len && target.at[len] != '?' && target.at[len] != '#')
		len++;
	return span_of(target.at, len);
}

/* Takes the last, perhaps encoded, character off a non-empty path. */
static char take_last(struct span *path)
{
	const char *end = path->at + path->len;

	if (path->len >= 3 && end[-3] == '%' && hex_digit(end[-2]) >= 0 &&
	    hex_digit(end[-1]) >= 0) {
		path->len -= 3;
		return (char)(hex_digit(end[-2]) << 4 | hex_digit(end[-1]));
	}
	path->len--;
	return end[-1];
}

bool api_path_ends(struct span path, struct span suffix)
{
	while (suffix.len) {
		if (!path.len || take_last(&path) != suffix.at[suffix.len - 1])
			return false;
		suffix.len--;
	}
	return true;
}

bool api_is_post_to(const struct http_head *request, struct span suffix)
{
	return span_eq(request->method, SPAN_LITERAL("POST")) &&
	       api_path_ends(api_target_path(request->target), suffix);
}

token_count api_tokens(const struct json_value *value)
{
	token_count n = 0;

	if (value->type != JSON_NUMBER || value->truncated || !value->text.len)
		return TOKENS_UNKNOWN;
	for (size_t i = 0; i < value->text.len; i++) {
		char c = value->text.at[i];

		if (c < '0' || c > '9')
			return TOKENS_UNKNOWN;
		n = n * 10 + (c - '0');
		if (n > TOKENS_MAX)
			return TOKENS_UNKNOWN;
	}
	return n;
}

token_count api_tokens_add(token_count a, token_count b)
{
	if (a == TOKENS_UNKNOWN)
		return b;
	return b == TOKENS_UNKNOWN ? a : a + b;
}

void api_copy_text(char *to, size_t cap, const struct json_value *value)
{
	struct span text = value->type == JSON_STRING ? value->text : (struct span){0};
	size_t n = text.len;

	if (n >= cap) {
		n = cap - 1;
		/* text.at[n] is the first byte left out: go back to where its character begins. */
		while (n && ((unsigned char)text.at[n] & 0xc0) == 0x80)
			n--;
	}
	for (size_t i = 0; i < n; i++) {
		char c = text.at[i];

		to[i] = (unsigned char)c < ' ' || c == 0x7f ? '?' : c;
	}
	to[n] = '\0';
}
