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

	if (path->len >= 3 && end[-3] == '%') {
		int high = hex_digit(end[-2]), low = hex_digit(end[-1]);

		if (high >= 0 && low >= 0) {
			path->len -= 3;
			return (char)(high * 16 + low);
		}
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

struct span api_target_query(struct span target, struct span name)
{
	struct span path = api_target_path(target);
	size_t used = path.len ? (size_t)(path.at + path.len - target.at) : 0;
	struct span query = span_skip(target, used);

	while (query.len && query.at[0] != '#') {
		size_t len = 1;

		while (len < query.len && query.at[len] != '&' && query.at[len] != '#')
			len++;
		/* one parameter, led by '?' or '&' */
		if (len > name.len + 1 && query.at[name.len + 1] == '=' &&
		    span_eq(span_of(query.at + 1, name.len), name))
			return span_of(query.at + name.len + 2, len - name.len - 2);
		query = span_skip(query, len);
	}
	return (struct span){0};
}

/* Cuts the last segment off, with the slash before it; that must be there. */
static bool take_segment(struct span *path, struct span *segment)
{
	size_t at = path->len;

	while (at && path->at[at - 1] != '/')
		at--;
	if (!at)
		return false;
	*segment = span_skip(*path, at);
	path->len = at - 1;
	return true;
}

static bool segment_is(struct span segment, struct span text)
{
	while (text.len && segment.len) {
		if (take_last(&segment) != text.at[text.len - 1])
			return false;
		text.len--;
	}
	return !text.len && !segment.len;
}

bool api_path_like(struct span path, struct span form, struct span stars[])
{
	struct span want, got;
	size_t star = 0;

	for (size_t i = 0; i < form.len; i++)
		star += form.at[i] == '*';
	while (form.len) {
		if (!take_segment(&form, &want) || !take_segment(&path, &got))
			return false;
		if (!span_eq(want, SPAN_LITERAL("*"))) {
			if (!segment_is(got, want))
				return false;
		} else if (got.len) {
			stars[--star] = got;
		} else {
			return false;
		}
	}
	return true;
}

bool api_is_post_like(const struct http_head *request, struct span form, struct span stars[])
{
	return span_eq(request->method, SPAN_LITERAL("POST")) &&
	       api_path_like(api_target_path(request->target), form, stars);
}

struct span api_segment_after(struct span path, struct span name)
{
	struct span segment;
	struct span after = {0};

	/* from the end: the first one of that name is found last */
	for (struct span next = {0}; take_segment(&path, &segment); next = segment)
		if (segment_is(segment, name))
			after = next;
	return after;
}

void api_copy_decoded(char *to, size_t cap, struct span from)
{
	char text[JSON_VALUE_MAX];
	struct json_value value = {.type = JSON_STRING, .text = {.at = text}};

	while (from.len && value.text.len < sizeof(text)) {
		char c = from.at[0];
		size_t used = 1;

		if (c == '%' && from.len >= 3 && hex_digit(from.at[1]) >= 0 &&
		    hex_digit(from.at[2]) >= 0) {
			c = (char)(hex_digit(from.at[1]) << 4 | hex_digit(from.at[2]));
			used = 3;
		}
		text[value.text.len++] = c;
		from = span_skip(from, used);
	}
	api_copy_text(to, cap, &value);
}

void api_model_from_path(struct llm_facts *facts, struct span model)
{
	facts->model_in_path = true;
	api_copy_decoded(facts->request_model, sizeof(facts->request_model), model);
}

token_count api_tokens_of(struct span digits)
{
	token_count n = 0;

	if (!digits.len)
		return TOKENS_UNKNOWN;
	for (size_t i = 0; i < digits.len; i++) {
		char c = digits.at[i];

		if (c < '0' || c > '9')
			return TOKENS_UNKNOWN;
		n = n * 10 + (c - '0');
		if (n > TOKENS_MAX)
			return TOKENS_UNKNOWN;
	}
	return n;
}

bool api_is_socket_to(const struct http_head *request, struct span suffix)
{
	return span_eq(request->method, SPAN_LITERAL("GET")) &&
	       span_eq_nocase(http_header_get(request, SPAN_LITERAL("upgrade")),
			      SPAN_LITERAL("websocket")) &&
	       api_path_ends(api_target_path(request->target), suffix);
}

token_count api_tokens(const struct json_value *value)
{
	if (value->type != JSON_NUMBER || value->truncated)
		return TOKENS_UNKNOWN;
	return api_tokens_of(value->text);
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

void api_take_text(char *to, size_t cap, const struct json_value *value)
{
	if (value->type == JSON_STRING && value->text.len)
		api_copy_text(to, cap, value);
}

void api_request_value(struct llm_facts *facts, const struct json_value *value)
{
	switch (value->id) {
	case API_REQUEST_MODEL:
		if (!facts->model_in_path)
			api_copy_text(facts->request_model, sizeof(facts->request_model), value);
		break;
	case API_REQUEST_STREAM:
		facts->stream = value->type == JSON_TRUE ? TRI_TRUE : TRI_FALSE;
		break;
	case API_REQUEST_MAX_TOKENS:
		facts->max_tokens = api_tokens(value);
		break;
	case API_REQUEST_TIER:
		api_take_text(facts->service_tier, sizeof(facts->service_tier), value);
		break;
	case API_REQUEST_MESSAGES:
		facts->message_count = value->type == JSON_ARRAY ? 0 : -1;
		break;
	case API_REQUEST_MESSAGE:
		facts->message_count++;
		break;
	case API_REQUEST_TOOLS:
		facts->tool_count = value->type == JSON_ARRAY ? 0 : -1;
		break;
	case API_REQUEST_TOOL:
		facts->tool_count++;
		break;
	default:
		break;
	}
}

void api_response_value(struct llm_facts *facts, const struct json_value *value)
{
	switch (value->id) {
	case API_RESPONSE_MODEL:
		/* Azure's first chunk has an empty one. */
		api_take_text(facts->response_model, sizeof(facts->response_model), value);
		break;
	case API_RESPONSE_FINISH:
		api_take_text(facts->finish_reason, sizeof(facts->finish_reason), value);
		break;
	case API_RESPONSE_TIER:
		api_take_text(facts->service_tier, sizeof(facts->service_tier), value);
		break;
	case API_RESPONSE_ERROR:
		api_take_text(facts->error_type, sizeof(facts->error_type), value);
		break;
	case API_RESPONSE_ERROR_CODE:
		if (!facts->error_type[0])
			api_take_text(facts->error_type, sizeof(facts->error_type), value);
		break;
	default:
		break;
	}
}

void api_counts_value(struct api_counts *counts, int first_id, struct llm_facts *facts,
		      const struct json_value *value)
{
	if (value->id == first_id + API_COUNT_INPUT)
		counts->input = api_tokens(value) + 1;
	else if (value->id == first_id + API_COUNT_OUTPUT)
		counts->output = api_tokens(value) + 1;
	else
		api_response_value(facts, value);
}

bool api_counts_take(struct token_usage *to, const struct api_counts *from)
{
	if (!from->input && !from->output)
		return false;
	to->source = USAGE_REPORTED;
	to->input = from->input - 1;
	to->output = from->output - 1;
	return true;
}
