/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/http_head.h"

#include <errno.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"

struct span http_header_get(const struct http_head *head, struct span name)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (span_eq_nocase(head->headers[i].name, name))
			return head->headers[i].value;
	return (struct span){0};
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 9110 section 5.6.2. */
static bool is_token_char(char c)
{
	if (is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'))
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char(s.at[i]))
			return false;
	return s.len > 0;
}

static struct span trim(struct span s)
{
	while (s.len && is_blank(s.at[0]))
		s = span_skip(s, 1);
	while (s.len && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Takes the next line off `text`, without its end. false: there is none. */
static bool take_line(struct span *text, struct span *line)
{
	const char *lf = text->len ? memchr(text->at, '\n', text->len) : NULL;

	if (!lf)
		return false;
	*line = span_of(text->at, (size_t)(lf - text->at));
	*text = span_skip(*text, line->len + 1);
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	return true;
}

/* "HTTP/1." DIGIT */
static bool is_version(struct span s)
{
	return s.len == 8 && span_starts(s, SPAN_LITERAL("HTTP/1.")) && is_digit(s.at[7]);
}

static bool target_char(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f;
}

static int parse_request_line(struct span line, struct http_head *head)
{
	const char *space = line.len ? memchr(line.at, ' ', line.len) : NULL;
	struct span version, target;

	if (!space || line.len < 8 + 1)
		return -EPROTO;
	head->method = span_of(line.at, (size_t)(space - line.at));
	version = span_of(line.at + line.len - 8, 8);
	target = span_skip(line, head->method.len + 1);
	if (!is_token(head->method) || !is_version(version) || target.len < 8 + 2)
		return -EPROTO;
	target.len -= 8 + 1;
	if (target.at[target.len] != ' ')
		return -EPROTO;
	for (size_t i = 0; i < target.len; i++)
		if (!target_char(target.at[i]))
			return -EPROTO;
	head->target = target;
	head->version = span_skip(version, 5);
	return 0;
}

static int parse_status_line(struct span line, struct http_head *head)
{
	struct span version = span_of(line.at, line.len < 8 ? line.len : 8);

	/* The reason and even the blank before it are often missing. */
	if (line.len < 12 || !is_version(version) || line.at[8] != ' ')
		return -EPROTO;
	for (size_t i = 9; i < 12; i++)
		if (!is_digit(line.at[i]))
			return -EPROTO;
	if (line.len > 12 && line.at[12] != ' ')
		return -EPROTO;
	head->status = (line.at[9] - '0') * 100 + (line.at[10] - '0') * 10 + (line.at[11] - '0');
	head->version = span_skip(version, 5);
	return head->status < 100 ? -EPROTO : 0;
}

/* What the header fields say about the framing, collected while they pass. */
struct framing_fields {
	bool have_length, have_coding;
	uint64_t length;
	bool chunked_last, other_coding;
};

/* RFC 9110 section 8.6: digits alone. Repeated lengths are refused, equal ones too: no honest
 * sender makes them. */
static int add_length(struct framing_fields *fields, struct span value)
{
	uint64_t length = 0;

	if (fields->have_length || !value.len)
		return -EPROTO;
	for (size_t i = 0; i < value.len; i++) {
		if (!is_digit(value.at[i]) || __builtin_mul_overflow(length, 10, &length) ||
		    __builtin_add_overflow(length, (uint64_t)(value.at[i] - '0'), &length))
			return -EPROTO;
	}
	fields->have_length = true;
	fields->length = length;
	return 0;
}

/* RFC 9112 section 6.1. */
static int add_codings(struct framing_fields *fields, struct span value)
{
	while (value.len) {
		const char *comma = memchr(value.at, ',', value.len);
		struct span coding = span_of(value.at,
					     comma ? (size_t)(comma - value.at) : value.len);

		value = span_skip(value, coding.len + (comma ? 1 : 0));
		coding = trim(coding);
		if (!coding.len)
			continue;
		if (fields->chunked_last)
			return -EPROTO;
		fields->have_coding = true;
		if (span_eq_nocase(coding, SPAN_LITERAL("chunked")))
			fields->chunked_last = true;
		else if (!span_eq_nocase(coding, SPAN_LITERAL("identity")))
			fields->other_coding = true;
	}
	return 0;
}

static int add_header(struct framing_fields *fields, const struct http_header *header)
{
	if (span_eq_nocase(header->name, SPAN_LITERAL("content-length")))
		return add_length(fields, header->value);
	if (span_eq_nocase(header->name, SPAN_LITERAL("transfer-encoding")))
		return add_codings(fields, header->value);
	return 0;
}

static int parse_header(struct span line, bool request, struct http_header *header)
{
	const char *colon = line.len ? memchr(line.at, ':', line.len) : NULL;

	if (!colon)
		return -EPROTO;
	header->name = span_of(line.at, (size_t)(colon - line.at));
	header->value = trim(span_skip(line, header->name.len + 1));
	/* RFC 9112 section 5.1: refused in requests, taken off responses. */
	while (!request && header->name.len && is_blank(header->name.at[header->name.len - 1]))
		header->name.len--;
	if (!is_token(header->name))
		return -EPROTO;
	/* RFC 9110 section 5.5: readers disagree on these. */
	if (header->value.len && (memchr(header->value.at, '\0', header->value.len) ||
				  memchr(header->value.at, '\r', header->value.len)))
		return -EPROTO;
	return 0;
}

static int choose_framing(const struct framing_fields *fields, const struct http_head *head,
			  bool request, struct http_framing *framing)
{
	*framing = (struct http_framing){.kind = request ? HTTP_BODY_NONE : HTTP_BODY_CLOSE};
	if (!request && (head->status < 200 || head->status == 204 || head->status == 304)) {
		framing->kind = HTTP_BODY_NONE;
	} else if (fields->have_coding && (fields->chunked_last || fields->other_coding)) {
		if (request && !fields->chunked_last)
			return -EPROTO;
		framing->kind = fields->chunked_last ? HTTP_BODY_CHUNKED : HTTP_BODY_CLOSE;
		framing->opaque = fields->other_coding;
	} else if (fields->have_length) {
		framing->kind = fields->length ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
		framing->length = fields->length;
	}
	return 0;
}

int http_head_parse(struct span text, bool request, struct http_head *head,
		    struct http_header headers[], struct http_framing *framing)
{
	struct framing_fields fields = {0};
	struct span line;
	int r;

	*head = (struct http_head){.headers = headers, .head_bytes = (uint32_t)text.len};
	if (!take_line(&text, &line))
		return -EPROTO;
	r = request ? parse_request_line(line, head) : parse_status_line(line, head);
	if (r < 0)
		return r;
	while (take_line(&text, &line) && line.len) {
		struct http_header header;

		r = parse_header(line, request, &header);
		if (r == 0)
			r = add_header(&fields, &header);
		if (r < 0)
			return r;
		if (head->header_count < HTTP_HEADERS_MAX)
			headers[head->header_count++] = header;
	}
	return choose_framing(&fields, head, request, framing);
}

bool http_head_folded(struct span text)
{
	for (const char *lf; text.len && (lf = memchr(text.at, '\n', text.len)) != NULL;) {
		text = span_skip(text, (size_t)(lf - text.at) + 1);
		if (text.len && is_blank(text.at[0]))
			return true;
	}
	return false;
}

void http_head_unfold(char *text, size_t len)
{
	const char *first = memchr(text, '\n', len);

	/* A blank after the start line continues no field: left for the parser to refuse. */
	for (size_t i = first ? (size_t)(first - text) + 1 : len; i + 1 < len; i++) {
		if (text[i] != '\n' || !is_blank(text[i + 1]))
			continue;
		text[i] = ' ';
		if (text[i - 1] == '\r')
			text[i - 1] = ' ';
	}
}

/* Does `s` start with `prefix`, or could it when longer? */
static enum protocol_guess guess_prefix(struct span s, struct span prefix)
{
	if (s.len >= prefix.len)
		return span_starts(s, prefix) ? PROTOCOL_YES : PROTOCOL_NO;
	return span_starts(prefix, s) ? PROTOCOL_MAYBE : PROTOCOL_NO;
}

/* What follows "METHOD ". */
static enum protocol_guess guess_target(struct span rest, bool connect)
{
	size_t i = 0;

	while (i < rest.len && target_char(rest.at[i]))
		i++;
	/* origin-form, absolute-form or "*" (RFC 9112 section 3.2); CONNECT has an authority. */
	if (rest.len && !connect && rest.at[0] != '/' && rest.at[0] != '*' && rest.at[0] != 'h')
		return PROTOCOL_NO;
	if (i == rest.len)
		return i >= STREAM_FIRST_BYTES - 16 ? PROTOCOL_YES : PROTOCOL_MAYBE;
	if (i == 0 || rest.at[i] != ' ')
		return PROTOCOL_NO;
	return guess_prefix(span_skip(rest, i), SPAN_LITERAL(" HTTP/1."));
}

enum protocol_guess http_head_guess_request(struct span first)
{
	static const struct span methods[] = {
		SPAN_LITERAL("POST "),    SPAN_LITERAL("GET "),     SPAN_LITERAL("HEAD "),
		SPAN_LITERAL("PUT "),     SPAN_LITERAL("DELETE "),  SPAN_LITERAL("PATCH "),
		SPAN_LITERAL("OPTIONS "), SPAN_LITERAL("CONNECT "), SPAN_LITERAL("TRACE "),
	};
	enum protocol_guess best = PROTOCOL_NO;

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		enum protocol_guess guess = guess_prefix(first, methods[i]);

		if (guess == PROTOCOL_YES)
			return guess_target(span_skip(first, methods[i].len),
					    methods[i].at[0] == 'C');
		if (guess == PROTOCOL_MAYBE)
			best = guess;
	}
	return best;
}

enum protocol_guess http_head_guess_status(struct span first)
{
	enum protocol_guess guess = guess_prefix(first, SPAN_LITERAL("HTTP/1."));

	if (guess != PROTOCOL_YES)
		return guess;
	/* "HTTP/1.1 200", then a blank or the line's end */
	for (size_t i = 7; i < first.len && i < 13; i++) {
		char c = first.at[i];
		bool ok = i == 8    ? c == ' '
			  : i == 12 ? c == ' ' || c == '\r' || c == '\n'
				    : is_digit(c);

		if (!ok)
			return PROTOCOL_NO;
	}
	return first.len > 12 ? PROTOCOL_YES : PROTOCOL_MAYBE;
}
