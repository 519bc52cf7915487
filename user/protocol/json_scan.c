/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/json_scan.h"

#include <errno.h>

#include "protocol/byte_scan.h"
#include "util/cleanup.h"
#include "util/hex.h"

enum json_state {
	AT_VALUE,
	AT_FIRST_ELEMENT, /* a value or ']' */
	AT_FIRST_KEY,     /* a key or '}' */
	AT_KEY,
	AT_COLON,
	AT_NEXT, /* ',' or the end of the container */
	IN_STRING,
	IN_STRING_PASSED,
	IN_NUMBER,
	IN_LITERAL,
	IN_PASSED, /* a container that nobody wants */
	IN_PASSED_STRING,
	AT_END, /* the document is whole */
	STOPPED,
	STATE_COUNT,
};

#define NOT_WANTED (-1)

static const struct {
	struct span text;
	enum json_value_type type;
} literals[] = {
	{SPAN_LITERAL("true"), JSON_TRUE},
	{SPAN_LITERAL("false"), JSON_FALSE},
	{SPAN_LITERAL("null"), JSON_NULL},
};

/* ---- compiled paths ---- */

static int node_new(struct json_paths *to, const char *name, size_t len)
{
	if (to->count == JSON_PATH_NODES_MAX)
		return -E2BIG;
	if (len > UINT8_MAX)
		return -EINVAL;
	to->node[to->count] = (struct json_node){.name = name, .name_len = (uint8_t)len, .id = -1};
	return (int)to->count++;
}

static uint8_t find_member(const struct json_paths *paths, uint8_t node, struct span name)
{
	uint8_t i;

	for (i = paths->node[node].child; i; i = paths->node[i].next)
		if (span_eq(span_of(paths->node[i].name, paths->node[i].name_len), name))
			break;
	return i;
}

static int add_member(struct json_paths *to, uint8_t node, struct span name)
{
	int i = find_member(to, node, name);

	if (i)
		return i;
	i = node_new(to, name.at, name.len);
	if (i < 0)
		return i;
	to->node[i].next = to->node[node].child;
	to->node[node].child = (uint8_t)i;
	return i;
}

static int add_element(struct json_paths *to, uint8_t node)
{
	int i = to->node[node].element;

	if (!i) {
		i = node_new(to, NULL, 0);
		if (i > 0)
			to->node[node].element = (uint8_t)i;
	}
	return i;
}

static int add_path(struct json_paths *to, const struct json_path *path)
{
	const char *p = path->path;
	int node = 0;

	if (!path->text && (path->id < 0 || path->id > INT16_MAX))
		return -EINVAL;
	while (*p) {
		size_t len = strcspn(p, ".[");

		if (len)
			node = add_member(to, (uint8_t)node, span_of(p, len));
		else if (p != path->path || *p != '[')
			return -EINVAL;
		p += len;
		while (node >= 0 && p[0] == '[' && p[1] == ']') {
			node = add_element(to, (uint8_t)node);
			p += 2;
		}
		if (node < 0)
			return node;
		if (*p == '.' && p[1])
			p++;
		else if (*p)
			return -EINVAL;
	}
	if (!node || (path->text ? to->node[node].text : to->node[node].id >= 0))
		return -EINVAL;
	if (path->text)
		to->node[node].text = true;
	else
		to->node[node].id = (int16_t)path->id;
	return 0;
}

int json_paths_compile(struct json_paths *to, const struct json_path *paths)
{
	_Static_assert(JSON_PATH_NODES_MAX <= UINT8_MAX, "node links are bytes");
	int r = 0;

	to->count = 0;
	node_new(to, NULL, 0);
	for (; paths->path && r == 0; paths++)
		r = add_path(to, paths);
	return r;
}

/* ---- scanning ---- */

static void stop_invalid(struct json_scan *s)
{
	s->invalid = true;
	s->state = STOPPED;
}

static void value_done(struct json_scan *s)
{
	s->state = s->depth ? AT_NEXT : AT_END;
}

/* Cuts text that ends inside a character (RFC 3629). */
static void trim_utf8(struct json_scan *s)
{
	size_t back = 0;
	unsigned char c = 0;

	while (back < 4 && back < s->text_len) {
		c = (unsigned char)s->text[s->text_len - ++back];
		if ((c & 0xc0) != 0x80)
			break;
	}
	if ((c >= 0xf0 && back < 4) || (c >= 0xe0 && c < 0xf0 && back < 3) ||
	    (c >= 0xc0 && c < 0xe0 && back < 2))
		s->text_len -= (uint16_t)back;
}

static void tell(struct json_scan *s, enum json_value_type type)
{
	struct json_value value = {.type = type};

	if (s->node < 0 || s->paths->node[s->node].id < 0)
		return;
	value.id = s->paths->node[s->node].id;
	if (type == JSON_STRING || type == JSON_NUMBER) {
		if (s->truncated)
			trim_utf8(s);
		value.text = span_of(s->text, s->text_len);
		value.truncated = s->truncated;
	}
	s->tell(s->ctx, &value);
}

static void text_add(struct json_scan *s, const char *at, size_t len)
{
	size_t room = sizeof(s->text) - s->text_len;

	if (s->in_text)
		s->tell_text(s->ctx, span_of(at, len));
	if (len > room) {
		len = room;
		s->truncated = true;
	}
	memcpy(s->text + s->text_len, at, len);
	s->text_len += (uint16_t)len;
}

static void text_add_code(struct json_scan *s, uint32_t code)
{
	char utf8[4];
	size_t len;

	if (code < 0x80) {
		utf8[0] = (char)code;
		len = 1;
	} else if (code < 0x800) {
		utf8[0] = (char)(0xc0 | code >> 6);
		utf8[1] = (char)(0x80 | (code & 0x3f));
		len = 2;
	} else if (code < 0x10000) {
		utf8[0] = (char)(0xe0 | code >> 12);
		utf8[1] = (char)(0x80 | (code >> 6 & 0x3f));
		utf8[2] = (char)(0x80 | (code & 0x3f));
		len = 3;
	} else {
		utf8[0] = (char)(0xf0 | code >> 18);
		utf8[1] = (char)(0x80 | (code >> 12 & 0x3f));
		utf8[2] = (char)(0x80 | (code >> 6 & 0x3f));
		utf8[3] = (char)(0x80 | (code & 0x3f));
		len = 4;
	}
	text_add(s, utf8, len);
}

#define REPLACEMENT 0xfffd

/* A high surrogate that no low one followed. */
static void flush_high(struct json_scan *s)
{
	if (s->high)
		text_add_code(s, REPLACEMENT);
	s->high = 0;
}

/* RFC 8259 section 7: surrogate pairs make one character; half of one makes none. */
static void unicode_escape(struct json_scan *s)
{
	if (s->code >= 0xdc00 && s->code <= 0xdfff && s->high) {
		text_add_code(s, 0x10000 + ((s->high - 0xd800) << 10) + (s->code - 0xdc00));
		s->high = 0;
		return;
	}
	flush_high(s);
	if (s->code >= 0xd800 && s->code <= 0xdbff)
		s->high = s->code;
	else
		text_add_code(s, s->code >= 0xdc00 && s->code <= 0xdfff ? REPLACEMENT : s->code);
}

/* One byte of an escape sequence. */
static void escape_byte(struct json_scan *s, char c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *which;
	int digit;

	if (s->escape == 1) {
		if (c == 'u') {
			s->escape = 2;
			s->code = 0;
			return;
		}
		which = c ? strchr(from, c) : NULL;
		if (!which) {
			stop_invalid(s);
			return;
		}
		flush_high(s);
		text_add(s, &to[which - from], 1);
		s->escape = 0;
		return;
	}
	digit = hex_digit(c);
	if (digit < 0) {
		stop_invalid(s);
		return;
	}
	s->code = s->code << 4 | (uint32_t)digit;
	if (++s->escape == 6) {
		s->escape = 0;
		unicode_escape(s);
	}
}

static void text_done(struct json_scan *s)
{
	if (s->in_text)
		s->tell_text(s->ctx, (struct span){0});
	s->in_text = false;
}

static void string_done(struct json_scan *s)
{
	flush_high(s);
	text_done(s);
	if (!s->is_key) {
		tell(s, JSON_STRING);
		value_done(s);
		return;
	}
	s->node = NOT_WANTED;
	if (!s->truncated) {
		uint8_t found = find_member(s->paths, s->stack[s->depth - 1].node,
					    span_of(s->text, s->text_len));

		if (found)
			s->node = found;
	}
	s->state = AT_COLON;
}

static bool has_control(const char *p, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		any |= (unsigned char)p[i] < 0x20;
	return any;
}

static size_t feed_string(struct json_scan *s, const char *p, size_t n)
{
	size_t i;

	if (s->escape) {
		escape_byte(s, p[0]);
		return 1;
	}
	i = scan_two(p, n, '"', '\\');
	if (i) {
		if (has_control(p, i)) {
			/* what came before the fault is told however the bytes are cut */
			for (; (unsigned char)*p >= 0x20; p++) {
				flush_high(s);
				text_add(s, p, 1);
			}
			stop_invalid(s);
			return n;
		}
		flush_high(s);
		text_add(s, p, i);
	}
	if (i == n)
		return n;
	if (p[i] == '"')
		string_done(s);
	else
		s->escape = 1;
	return i + 1;
}

/* A string that nobody wants: only its end matters. *ended when it came. */
static size_t pass_string(struct json_scan *s, const char *p, size_t n, bool *ended)
{
	size_t i = 0;

	*ended = false;
	if (s->escape) {
		s->escape = 0;
		i = 1;
	}
	for (;;) {
		i += scan_two(p + i, n - i, '"', '\\');
		if (i >= n)
			return n;
		if (p[i] == '"') {
			*ended = true;
			return i + 1;
		}
		if (i + 1 == n) {
			s->escape = 1;
			return n;
		}
		i += 2;
	}
}

static size_t feed_string_passed(struct json_scan *s, const char *p, size_t n)
{
	bool ended;
	size_t used = pass_string(s, p, n, &ended);

	if (ended)
		value_done(s);
	return used;
}

static size_t feed_passed_string(struct json_scan *s, const char *p, size_t n)
{
	bool ended;
	size_t used = pass_string(s, p, n, &ended);

	if (ended)
		s->state = IN_PASSED;
	if (s->in_text)
		s->tell_text(s->ctx, span_of(p, used));
	return used;
}

static size_t pass_container(struct json_scan *s, const char *p, size_t n)
{
	size_t i = 0;

	while (s->state == IN_PASSED) {
		bool ended = false;

		i += scan_structure(p + i, n - i);
		if (i == n)
			break;
		if (p[i] == '{' || p[i] == '[') {
			s->skip_depth++;
		} else if (p[i] != '"') {
			if (--s->skip_depth == 0)
				value_done(s);
		} else {
			i += pass_string(s, p + i + 1, n - i - 1, &ended);
			if (!ended)
				s->state = IN_PASSED_STRING;
		}
		i++;
	}
	return i;
}

static size_t feed_passed(struct json_scan *s, const char *p, size_t n)
{
	size_t used = pass_container(s, p, n);

	if (s->in_text) {
		s->tell_text(s->ctx, span_of(p, used));
		if (!s->skip_depth)
			text_done(s);
	}
	return used;
}

static bool digits(const char **p, const char *end)
{
	const char *from = *p;

	while (*p < end && **p >= '0' && **p <= '9')
		(*p)++;
	return *p > from;
}

/* RFC 8259 section 6. */
static bool is_number(struct span text)
{
	const char *p = text.at, *end = text.at + text.len;

	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else if (!digits(&p, end))
		return false;
	if (p < end && *p == '.') {
		p++;
		if (!digits(&p, end))
			return false;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (!digits(&p, end))
			return false;
	}
	return p == end;
}

static void number_done(struct json_scan *s)
{
	if (!s->truncated && !is_number(span_of(s->text, s->text_len))) {
		stop_invalid(s);
		return;
	}
	tell(s, JSON_NUMBER);
	value_done(s);
}

static bool number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static size_t feed_number(struct json_scan *s, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && number_char(p[i]))
		i++;
	text_add(s, p, i);
	if (i < n)
		number_done(s);
	return i;
}

static size_t feed_literal(struct json_scan *s, const char *p, size_t n)
{
	struct span text = literals[s->literal].text;
	size_t i = 0;

	while (i < n && s->literal_at < text.len) {
		if (p[i++] != text.at[s->literal_at++]) {
			stop_invalid(s);
			return n;
		}
	}
	if (s->literal_at == text.len) {
		tell(s, literals[s->literal].type);
		value_done(s);
	}
	return i;
}

static void string_begin(struct json_scan *s, bool is_key)
{
	const struct json_node *node = !is_key && s->node >= 0 ? &s->paths->node[s->node] : NULL;
	bool wanted;

	s->in_text = node && node->text && s->tell_text;
	wanted = is_key || s->in_text || (node && node->id >= 0);
	s->state = wanted ? IN_STRING : IN_STRING_PASSED;
	s->is_key = is_key;
	s->text_len = 0;
	s->truncated = false;
	s->escape = 0;
	s->high = 0;
}

static void container_begin(struct json_scan *s, bool array)
{
	const struct json_node *node = s->node >= 0 ? &s->paths->node[s->node] : NULL;

	tell(s, array ? JSON_ARRAY : JSON_OBJECT);
	if (!node || !(array ? node->element : node->child) || s->depth == JSON_DEPTH_MAX) {
		s->state = IN_PASSED;
		s->skip_depth = 1;
		s->in_text = node && node->text && s->tell_text;
		if (s->in_text)
			s->tell_text(s->ctx, array ? SPAN_LITERAL("[") : SPAN_LITERAL("{"));
		return;
	}
	s->stack[s->depth].node = (uint8_t)s->node;
	s->stack[s->depth].array = array;
	s->depth++;
	s->state = array ? AT_FIRST_ELEMENT : AT_FIRST_KEY;
	if (array)
		s->node = node->element;
}

static void value_begin(struct json_scan *s, char c)
{
	if (c == '"') {
		string_begin(s, false);
	} else if (c == '{' || c == '[') {
		container_begin(s, c == '[');
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		s->state = IN_NUMBER;
		s->text_len = 0;
		s->truncated = false;
		text_add(s, &c, 1);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(literals); i++) {
			if (c != literals[i].text.at[0])
				continue;
			s->state = IN_LITERAL;
			s->literal = (uint8_t)i;
			s->literal_at = 1;
			return;
		}
		stop_invalid(s);
	}
}

static void container_end(struct json_scan *s, char c)
{
	if (c != (s->stack[s->depth - 1].array ? ']' : '}')) {
		stop_invalid(s);
		return;
	}
	s->depth--;
	value_done(s);
}

static void next_value(struct json_scan *s, char c)
{
	if (c != ',') {
		container_end(s, c);
	} else if (s->stack[s->depth - 1].array) {
		s->node = s->paths->node[s->stack[s->depth - 1].node].element;
		s->state = AT_VALUE;
	} else {
		s->state = AT_KEY;
	}
}

/* Between values: blanks and one character that says what comes. */
static size_t feed_structure(struct json_scan *s, const char *p, size_t n)
{
	size_t i = 0;
	char c;

	while (i < n && (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' || p[i] == '\t'))
		i++;
	if (i == n)
		return n;
	c = p[i];
	if (s->state == AT_VALUE || (s->state == AT_FIRST_ELEMENT && c != ']'))
		value_begin(s, c);
	else if (c == '"' && (s->state == AT_KEY || s->state == AT_FIRST_KEY))
		string_begin(s, true);
	else if (s->state == AT_FIRST_ELEMENT || (s->state == AT_FIRST_KEY && c == '}'))
		container_end(s, c);
	else if (c == ':' && s->state == AT_COLON)
		s->state = AT_VALUE;
	else if (s->state == AT_NEXT)
		next_value(s, c);
	else
		stop_invalid(s);
	return i + 1;
}

/* Each gets at least one byte and returns how many it took. A number takes none of the byte that
 * ends it. */
static size_t (*const feed_state[STATE_COUNT])(struct json_scan *s, const char *p, size_t n) = {
	[AT_VALUE] = feed_structure,
	[AT_FIRST_ELEMENT] = feed_structure,
	[AT_FIRST_KEY] = feed_structure,
	[AT_KEY] = feed_structure,
	[AT_COLON] = feed_structure,
	[AT_NEXT] = feed_structure,
	[AT_END] = feed_structure,
	[IN_STRING] = feed_string,
	[IN_STRING_PASSED] = feed_string_passed,
	[IN_NUMBER] = feed_number,
	[IN_LITERAL] = feed_literal,
	[IN_PASSED] = feed_passed,
	[IN_PASSED_STRING] = feed_passed_string,
};

void json_scan_init(struct json_scan *scan, const struct json_paths *paths, json_value_fn *tell_fn,
		    void *ctx)
{
	scan->paths = paths;
	scan->tell = tell_fn;
	scan->ctx = ctx;
	scan->tell_text = NULL;
	json_scan_restart(scan);
}

void json_scan_tell_text(struct json_scan *scan, json_text_fn *tell_text)
{
	scan->tell_text = tell_text;
}

void json_scan_restart(struct json_scan *scan)
{
	_Static_assert(sizeof(struct json_scan) < 2048, "one per body");

	scan->state = AT_VALUE;
	scan->depth = 0;
	scan->escape = 0;
	scan->node = 0;
	scan->invalid = scan->lost = scan->in_text = false;
}

void json_scan_feed(struct json_scan *scan, struct span bytes)
{
	while (bytes.len && scan->state != STOPPED) {
		size_t used = feed_state[scan->state](scan, bytes.at, bytes.len);

		bytes = span_skip(bytes, used);
	}
}

void json_scan_lost(struct json_scan *scan)
{
	/* A whole document stays whole: only blanks can have followed. */
	if (scan->state == AT_END)
		return;
	scan->lost = true;
	scan->state = STOPPED;
}

int json_scan_end(struct json_scan *scan)
{
	if (scan->state == IN_NUMBER && !scan->depth)
		number_done(scan);
	if (scan->invalid)
		return -EINVAL;
	return scan->state == AT_END ? 0 : -ENODATA;
}
