/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/script_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/diag.h"

static int buffer_add(struct buffer *buffer, char c)
{
	if (buffer->len == buffer->cap) {
		size_t cap = buffer->cap ? 2 * buffer->cap : 64;
		char *at = realloc(buffer->at, cap);

		if (!at)
			return -ENOMEM;
		buffer->at = at;
		buffer->cap = cap;
	}
	buffer->at[buffer->len++] = c;
	return 0;
}

void script_complain(struct script_text *t, size_t where, const char *format, ...)
{
	unsigned int line = 1, column = 1;
	char text[256];
	va_list args;

	for (size_t i = 0; i < where && i < t->text.len; i++) {
		column++;
		if (t->text.at[i] == '\n') {
			line++;
			column = 1;
		}
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	diag_add(t->diag, t->name, line, column, "%s", text);
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

bool script_next_word(struct script_text *t)
{
	for (;; t->at++) {
		if (script_peek(t, 0) == '#')
			while (script_peek(t, 0) != '\n' && script_peek(t, 0) != -1)
				t->at++;
		if (script_peek(t, 0) == '\n' && is_blank(script_peek(t, 1)))
			continue;
		if (!is_blank(script_peek(t, 0)))
			return script_peek(t, 0) != '\n' && script_peek(t, 0) != -1;
	}
}

bool script_word_ends(const struct script_text *t)
{
	int c = script_peek(t, 0);

	return c == -1 || c == '\n' || is_blank(c);
}

struct span script_read_name(struct script_text *t)
{
	size_t begin = t->at;

	for (;;) {
		int c = script_peek(t, 0);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return span_of(t->text.at + begin, t->at - begin);
		t->at++;
	}
}

/* The bytes up to the next blank. */
static struct span read_value(struct script_text *t)
{
	size_t begin = t->at;

	while (!script_word_ends(t))
		t->at++;
	return span_of(t->text.at + begin, t->at - begin);
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* What follows a backslash; the character, or -EINVAL. */
static int read_escape(struct script_text *t)
{
	static const char letters[] = "nrt0\\\"", bytes[] = "\n\r\t\0\\\"";
	int c = script_peek(t, 0);
	const char *letter = c > 0 ? strchr(letters, c) : NULL;

	if (letter) {
		t->at++;
		return bytes[letter - letters];
	}
	if (c == 'x' && hex_digit(script_peek(t, 1)) >= 0 && hex_digit(script_peek(t, 2)) >= 0) {
		c = hex_digit(script_peek(t, 1)) * 16 + hex_digit(script_peek(t, 2));
		t->at += 3;
		return c;
	}
	return script_fail(t, t->at, "unknown escape in a string");
}

int script_read_string(struct script_text *t, struct buffer *to)
{
	size_t begin = t->at++;

	for (;;) {
		int c = script_peek(t, 0);

		if (c == -1 || c == '\n')
			return script_fail(t, begin, "the string does not end on its line");
		t->at++;
		if (c == '"')
			break;
		if (c == '\\') {
			c = read_escape(t);
			if (c < 0)
				return c;
		}
		if (buffer_add(to, (char)c))
			return -ENOMEM;
	}
	return script_word_ends(t) ? 0 : script_fail(t, t->at, "a blank must follow a string");
}

int script_read_text(struct script_text *t, struct buffer *to)
{
	struct span value;

	if (script_peek(t, 0) == '"')
		return script_read_string(t, to);
	value = read_value(t);
	for (size_t i = 0; i < value.len; i++)
		if (buffer_add(to, value.at[i]))
			return -ENOMEM;
	return 0;
}

int script_read_hex(struct script_text *t, struct buffer *to)
{
	size_t begin = t->at;

	while (!script_word_ends(t)) {
		int high = hex_digit(script_peek(t, 0)), low = hex_digit(script_peek(t, 1));

		if (high < 0 || low < 0)
			return script_fail(t, t->at, "not a pair of hexadecimal digits");
		if (buffer_add(to, (char)(high * 16 + low)))
			return -ENOMEM;
		t->at += 2;
	}
	return t->at > begin ? 0 : script_fail(t, begin, "no hexadecimal digits");
}

int script_read_number(struct script_text *t, uint64_t max, uint64_t *to)
{
	size_t begin = t->at;
	unsigned int base = 10;
	uint64_t n = 0;

	if (script_peek(t, 0) == '0' && script_peek(t, 1) == 'x') {
		base = 16;
		t->at += 2;
	}
	if (script_word_ends(t))
		return script_fail(t, begin, "not a number");
	for (; !script_word_ends(t); t->at++) {
		int digit = hex_digit(script_peek(t, 0));

		if (digit < 0 || (unsigned int)digit >= base)
			return script_fail(t, t->at, "not a number");
		if (n > (max - (unsigned int)digit) / base || max < (unsigned int)digit)
			return script_fail(t, begin, "more than %llu", (unsigned long long)max);
		n = n * base + (unsigned int)digit;
	}
	*to = n;
	return 0;
}

int script_read_seconds(struct script_text *t, uint64_t *to)
{
	size_t begin = t->at;
	uint64_t ns = 0, unit = NS_PER_S;
	bool point = false;

	if (hex_digit(script_peek(t, 0)) < 0)
		return script_fail(t, begin, "not a number of seconds");
	for (; !script_word_ends(t); t->at++) {
		int c = script_peek(t, 0);

		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (c < '0' || c > '9' || unit == 1)
			return script_fail(t, t->at, "not a number of seconds");
		if (point)
			unit /= 10;
		ns = point ? ns + unit * (unsigned int)(c - '0')
			   : ns * 10 + NS_PER_S * (unsigned int)(c - '0');
		if (ns > SCRIPT_SECONDS_MAX * NS_PER_S)
			return script_fail(t, begin, "more than 30 years");
	}
	*to = ns;
	return 0;
}

int script_read_choice(struct script_text *t, const struct choice *choices, uint64_t *to)
{
	size_t begin = t->at;
	struct span name = script_read_name(t);

	if (script_word_ends(t)) {
		for (const struct choice *c = choices; c->name; c++) {
			if (span_eq(name, span_str(c->name))) {
				*to = c->value;
				return 0;
			}
		}
	}
	return script_fail(t, begin, "not one of %s, %s ...", choices[0].name, choices[1].name);
}

int script_read_endpoint(struct script_text *t, struct net_endpoint *to)
{
	size_t begin = t->at;
	char address[INET6_ADDRSTRLEN];
	bool bracket = script_peek(t, 0) == '[';
	struct span value;
	uint64_t port;
	int r;

	t->at += bracket;
	value = span_of(t->text.at + t->at, 0);
	while (!script_word_ends(t) && script_peek(t, 0) != (bracket ? ']' : ':')) {
		value.len++;
		t->at++;
	}
	t->at += bracket && script_peek(t, 0) == ']';
	if (script_peek(t, 0) != ':' || !span_copy(address, sizeof(address), value))
		return script_fail(t, begin, "not ADDRESS:PORT");
	*to = (struct net_endpoint){.address.family = bracket ? 6 : 4};
	if (inet_pton(bracket ? AF_INET6 : AF_INET, address, to->address.bytes) != 1)
		return script_fail(t, begin, "not an address");
	t->at++;
	r = script_read_number(t, UINT16_MAX, &port);
	to->port = r ? 0 : (uint16_t)port;
	return r;
}
