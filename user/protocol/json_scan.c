/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/json_scan.h"

#include <errno.h>
#include <limits.h>
#include <sys/types.h>

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
	AT_END,  /* the document is whole; the last one between values */
	IN_STRING,
	IN_STRING_PASSED,
	IN_NUMBER,
	IN_LITERAL,
	IN_PASSED, /* a container that nobody wants */
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

/* How much of a text remains when what is left of a character at its end is cut off (RFC 3629). */
static size_t whole_characters(struct span text)
{
	size_t back = 0;
	unsigned char c = 0;

	while (back < 4 && back < text.len) {
		c = (unsigned char)text.at[text.len - ++back];
		if ((c & 0xc0) != 0x80)
			break;
	}
	if ((c >= 0xf0 && back < 4) || (c >= 0xe0 && c < 0xf0 && back < 3) ||
	    (c >= 0xc0 && c < 0xe0 && back < 2))
		return text.len - back;
	return text.len;
}

static bool is_wanted(const struct json_scan *s)
{
	return s->node >= 0 && s->paths->node[s->node].id >= 0;
}

static void tell(struct json_scan *s, enum json_value_type type, struct span text, bool truncated)
{
	struct json_value value = {.type = type, .text = text, .truncated = truncated};

	if (!is_wanted(s))
		return;
	value.id = s->paths->node[s->node].id;
	if (truncated)
		value.text.len = whole_characters(text);
	s->tell(s->ctx, &value);
}

/* The same of what lies in one span, which may be too long. */
static void tell_whole(struct json_scan *s, enum json_value_type type, struct span text)
{
	bool truncated = text.len > JSON_VALUE_MAX;

	tell(s, type, truncated ? span_of(text.at, JSON_VALUE_MAX) : text, truncated);
}

/* ... and of what was put together. */
static void tell_kept(struct json_scan *s, enum json_value_type type)
{
	tell(s, type, span_of(s->text, s->text_len), s->truncated);
}

/* Text alone is gathered where values are kept, so that escapes do not make pieces of a byte each. */
#define GATHERED_PIECE_MAX 64

static void gathered_tell(struct json_scan *s)
{
	if (s->text_len)
		s->tell_text(s->ctx, span_of(s->text, s->text_len));
	s->text_len = 0;
}

static void gather(struct json_scan *s, const char *at, size_t len)
{
	if (len > GATHERED_PIECE_MAX || len > sizeof(s->text) - s->text_len)
		gathered_tell(s);
	if (len > GATHERED_PIECE_MAX) {
		s->tell_text(s->ctx, span_of(at, len));
		return;
	}
	memcpy(s->text + s->text_len, at, len);
	s->text_len += (uint16_t)len;
}

static void text_add(struct json_scan *s, const char *at, size_t len)
{
	size_t room = sizeof(s->text) - s->text_len;

	if (!s->kept) {
		gather(s, at, len);
		return;
	}
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

/* What the escapes of two characters mean. */
static const char meant[UCHAR_MAX + 1] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* One byte of an escape sequence. */
static void escape_byte(struct json_scan *s, char c)
{
	const char *which = &meant[(unsigned char)c];
	int digit;

	if (s->escape == 1) {
		if (c == 'u') {
			s->escape = 2;
			s->code = 0;
			return;
		}
		if (!*which) {
			stop_invalid(s);
			return;
		}
		flush_high(s);
		text_add(s, which, 1);
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
	if (s->in_text) {
		if (!s->kept)
			gathered_tell(s);
		s->tell_text(s->ctx, (struct span){0});
	}
	s->in_text = false;
}

static void key_done(struct json_scan *s, struct span name)
{
	uint8_t found = json_paths_member(s->paths, s->stack[s->depth - 1].node, name);

	s->node = found ? (int16_t)found : NOT_WANTED;
	s->state = AT_COLON;
}

static void string_done(struct json_scan *s)
{
	flush_high(s);
	text_done(s);
	if (s->is_key) {
		/* one that is too long equals none */
		key_done(s, s->truncated ? SPAN_LITERAL("") : span_of(s->text, s->text_len));
		return;
	}
	if (s->kept)
		tell_kept(s, JSON_STRING);
	value_done(s);
}

/* Text alone, as far as it is simple: a run of bytes or an escape of two at a time is copied and unescaped
 * where it is gathered. */
static size_t gather_string(struct json_scan *s, const char *p, size_t n)
{
	size_t i = 0;

	while (n - i > SCAN_WIDTH + 1) {
		scan_vector v = scan_load(p + i);
		uint32_t mask = scan_not_plain(v);
		size_t run = mask ? (size_t)__builtin_ctz(mask) : SCAN_WIDTH;
		const char *which;

		if (sizeof(s->text) - s->text_len < SCAN_WIDTH + 1)
			gathered_tell(s);
		memcpy(s->text + s->text_len, &v, sizeof(v));
		s->text_len += (uint16_t)run;
		i += run;
		if (!mask)
			continue;
		which = &meant[(unsigned char)p[i + 1]];
		if (p[i] != '\\' || !*which)
			break;
		s->text[s->text_len++] = *which;
		i += 2;
	}
	return i;
}

static size_t feed_string(struct json_scan *s, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && s->state == IN_STRING) {
		size_t run;

		if (!s->kept && !s->escape && !s->high)
			i += gather_string(s, p + i, n - i);

		if (s->escape) {
			escape_byte(s, p[i++]);
			continue;
		}
		run = scan_string(p + i, n - i);
		if (run) {
			flush_high(s);
			text_add(s, p + i, run);
		}
		i += run;
		if (i == n)
			break;
		if (p[i] == '"')
			string_done(s);
		else if (p[i] == '\\')
			s->escape = 1;
		else
			stop_invalid(s);
		i++;
	}
	if (s->in_text && !s->kept)
		gathered_tell(s);
	return i;
}

/* A string that nobody wants: only its end matters. */
static size_t feed_string_passed(struct json_scan *s, const char *p, size_t n)
{
	size_t i = 0;

	if (s->escape) {
		s->escape = 0;
		i = 1;
	}
	for (;;) {
		i += scan_two(p + i, n - i, '"', '\\');
		if (i >= n)
			return n;
		if (p[i] == '"') {
			value_done(s);
			return i + 1;
		}
		if (i + 1 == n) {
			s->escape = 1;
			return n;
		}
		i += 2;
	}
}

static size_t feed_passed(struct json_scan *s, const char *p, size_t n)
{
	size_t used = json_skip(&s->skip, p, n);

	if (s->in_text)
		s->tell_text(s->ctx, span_of(p, used));
	if (!s->skip.depth) {
		text_done(s);
		value_done(s);
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
	tell_kept(s, JSON_NUMBER);
	value_done(s);
}

static size_t number_chars(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && ((p[i] >= '0' && p[i] <= '9') || p[i] == '-' || p[i] == '+' ||
			 p[i] == '.' || p[i] == 'e' || p[i] == 'E'))
		i++;
	return i;
}

static size_t feed_number(struct json_scan *s, const char *p, size_t n)
{
	size_t i = number_chars(p, n);

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
		tell(s, literals[s->literal].type, (struct span){0}, false);
		value_done(s);
	}
	return i;
}

/* ---- what begins, and is taken at once when it lies there whole: `n` bytes at `p` come next, and how many of
 * them were taken is returned ---- */

/* The length of a string without escapes whose end is here too; -1: it is not such a one. */
static ssize_t plain_string(const char *p, size_t n)
{
	size_t len = scan_string(p, n);

	return len < n && p[len] == '"' ? (ssize_t)len : -1;
}

static void string_begin(struct json_scan *s, bool is_key)
{
	s->state = IN_STRING;
	s->is_key = is_key;
	s->kept = is_key || is_wanted(s);
	s->text_len = 0;
	s->truncated = false;
	s->escape = 0;
	s->high = 0;
}

static size_t begin_key(struct json_scan *s, const char *p, size_t n)
{
	ssize_t len = plain_string(p, n);

	if (len < 0) {
		s->in_text = false;
		string_begin(s, true);
		return 0;
	}
	key_done(s, len > JSON_VALUE_MAX ? SPAN_LITERAL("") : span_of(p, (size_t)len));
	return (size_t)len + 1;
}

static size_t begin_string(struct json_scan *s, const char *p, size_t n)
{
	bool text = s->node >= 0 && s->paths->node[s->node].text && s->tell_text;
	ssize_t len;

	if (!text && !is_wanted(s)) {
		s->state = IN_STRING_PASSED;
		s->escape = 0;
		return n ? feed_string_passed(s, p, n) : 0;
	}
	len = plain_string(p, n);
	if (len < 0) {
		s->in_text = text;
		string_begin(s, false);
		return 0;
	}
	if (text && len)
		s->tell_text(s->ctx, span_of(p, (size_t)len));
	if (text)
		s->tell_text(s->ctx, (struct span){0});
	tell_whole(s, JSON_STRING, span_of(p, (size_t)len));
	value_done(s);
	return (size_t)len + 1;
}

/* `p` is behind its first character, which is told again when the number is not whole. */
static size_t begin_number(struct json_scan *s, const char *p, size_t n)
{
	size_t rest = number_chars(p, n);
	struct span whole = span_of(p - 1, rest + 1);

	if (rest == n) {
		s->state = IN_NUMBER;
		s->text_len = 0;
		s->truncated = false;
		s->in_text = false;
		s->kept = true;
		text_add(s, whole.at, 1);
		return 0;
	}
	if (whole.len <= JSON_VALUE_MAX && !is_number(whole)) {
		stop_invalid(s);
		return rest;
	}
	tell_whole(s, JSON_NUMBER, whole);
	value_done(s);
	return rest;
}

/* The first character is `c`. */
static size_t begin_literal(struct json_scan *s, char c, const char *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(literals); i++) {
		struct span rest = span_skip(literals[i].text, 1);

		if (c != literals[i].text.at[0])
			continue;
		if (n >= rest.len && memcmp(p, rest.at, rest.len) == 0) {
			tell(s, literals[i].type, (struct span){0}, false);
			value_done(s);
			return rest.len;
		}
		s->state = IN_LITERAL;
		s->literal = (uint8_t)i;
		s->literal_at = 1;
		return 0;
	}
	stop_invalid(s);
	return 0;
}

static void container_begin(struct json_scan *s, bool array)
{
	const struct json_node *node = s->node >= 0 ? &s->paths->node[s->node] : NULL;

	tell(s, array ? JSON_ARRAY : JSON_OBJECT, (struct span){0}, false);
	if (!node || !(array ? node->element : node->has_members) || s->depth == JSON_DEPTH_MAX) {
		s->state = IN_PASSED;
		json_skip_begin(&s->skip);
		s->in_text = node && node->text && s->tell_text;
		s->text_len = 0;
		s->kept = false;
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

static size_t value_begin(struct json_scan *s, char c, const char *p, size_t n)
{
	if (c == '"')
		return begin_string(s, p, n);
	if (c == '-' || (c >= '0' && c <= '9'))
		return begin_number(s, p, n);
	if (c != '{' && c != '[')
		return begin_literal(s, c, p, n);
	container_begin(s, c == '[');
	return 0;
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

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Members of one object, as long as they lie here whole with nothing between them. `p` is behind the first
 * key's quote. */
static size_t take_members(struct json_scan *s, const char *p, size_t n)
{
	size_t i = 0;

	for (;;) {
		i += begin_key(s, p + i, n - i);
		if (s->state != AT_COLON || n - i < 2 || p[i] != ':' || is_blank(p[i + 1]))
			return i;
		s->state = AT_VALUE;
		i += 2;
		i += value_begin(s, p[i - 1], p + i, n - i);
		if (s->state != AT_NEXT || n - i < 2 || p[i] != ',' || p[i + 1] != '"')
			return i;
		i += 2;
	}
}

/* One character between values. */
static size_t structure_char(struct json_scan *s, char c, const char *p, size_t n)
{
	switch ((enum json_state)s->state) {
	case AT_FIRST_ELEMENT:
		if (c == ']')
			break;
		return value_begin(s, c, p, n);
	case AT_VALUE:
		return value_begin(s, c, p, n);
	case AT_FIRST_KEY:
		if (c == '}')
			break;
		/* fallthrough */
	case AT_KEY:
		if (c == '"')
			return take_members(s, p, n);
		stop_invalid(s);
		return 0;
	case AT_COLON:
		if (c == ':')
			s->state = AT_VALUE;
		else
			stop_invalid(s);
		return 0;
	case AT_NEXT:
		next_value(s, c);
		return 0;
	default:
		stop_invalid(s);
		return 0;
	}
	container_end(s, c);
	return 0;
}

/* Between values, and through all that lie here whole. */
static size_t feed_structure(struct json_scan *s, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && s->state <= AT_END) {
		char c = p[i++];

		if (!is_blank(c))
			i += structure_char(s, c, p + i, n - i);
	}
	return i;
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
