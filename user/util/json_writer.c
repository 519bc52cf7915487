/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/json_writer.h"

#include "util/utf8.h"

static bool fits(struct json_writer *json, size_t len)
{
	if (json->full || json->cap - json->len < len) {
		json->full = true;
		return false;
	}
	return true;
}

static void put(struct json_writer *json, const char *text, size_t len)
{
	if (!fits(json, len))
		return;
	memcpy(json->to + json->len, text, len);
	json->len += len;
}

void json_tail(struct json_writer *json, char c)
{
	if (fits(json, 1))
		json->to[json->len++] = c;
}

/* What was written last tells whether a value or a name goes on in the same container: strings end
 * with a quote, so that no text can pass for one of these. */
static void separate(struct json_writer *json)
{
	char last = json->len ? json->to[json->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		json_tail(json, ',');
}

void json_name(struct json_writer *json, struct span name)
{
	separate(json);
	json_tail(json, '"');
	put(json, name.at, name.len);
	put(json, "\":", 2);
}

void json_open(struct json_writer *json, char bracket)
{
	separate(json);
	json_tail(json, bracket);
}

void json_close(struct json_writer *json, char bracket)
{
	json_tail(json, bracket);
}

void json_raw(struct json_writer *json, struct span text)
{
	separate(json);
	put(json, text.at, text.len);
}

static char short_escape(uint32_t code)
{
	switch (code) {
	case '"':
	case '\\':
		return (char)code;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return '\0';
	}
}

static void put_escape(struct json_writer *json, uint32_t code)
{
	static const char hex[] = "0123456789abcdef";
	char letter = short_escape(code);

	if (letter)
		put(json, (char[]){'\\', letter}, 2);
	else
		put(json,
		    (char[]){'\\', 'u', hex[code >> 12 & 15], hex[code >> 8 & 15],
			     hex[code >> 4 & 15], hex[code & 15]},
		    6);
}

/* ASCII that stands for itself in a string. */
static const bool plain[256] = {
	[' ' ... '!'] = true,
	['#' ... '['] = true,
	[']' ... '~'] = true,
};

/* One character that is not plain ASCII; returns the bytes it took. */
static size_t put_special(struct json_writer *json, struct span text)
{
	uint32_t code;
	size_t n = utf8_decode(text, &code);

	if (code == UTF8_INVALID)
		put(json, "\xef\xbf\xbd", 3);
	else if (code < 0xa0 || code == 0x2028 || code == 0x2029)
		put_escape(json, code);
	else
		put(json, text.at, n);
	return n;
}

/* Copies the plain start of `text` as far as it fits; returns its length. */
static size_t put_plain(struct json_writer *json, struct span text)
{
	size_t room = json->cap - json->len, i = 0;
	char *to = json->to + json->len;

	for (; i < text.len && plain[(unsigned char)text.at[i]]; i++) {
		if (i == room) {
			json->full = true;
			break;
		}
		to[i] = text.at[i];
	}
	json->len += i;
	return i;
}

bool json_string(struct json_writer *json, struct span text, size_t max)
{
	size_t len = utf8_cut(text, max), i = 0;

	separate(json);
	json_tail(json, '"');
	while (i < len && !json->full) {
		struct span left = span_of(text.at + i, len - i);

		i += plain[(unsigned char)left.at[0]] ? put_plain(json, left)
						      : put_special(json, left);
	}
	json_tail(json, '"');
	return len == text.len;
}
