/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/span.h"

/*
 * Writes RFC 8259 text into a caller's buffer, without allocation. Once something does not fit,
 * `full` is set and everything later is dropped: check it at the end. Commas come by themselves;
 * that opened and closed match is the caller's part. Not NUL-terminated.
 */
struct json_writer {
	char *to;
	size_t len, cap;
	bool full;
};

static inline void json_init(struct json_writer *json, char *to, size_t cap)
{
	*json = (struct json_writer){.to = to, .cap = cap};
}

/* A member's name; its value must follow. The name is ours and needs no escapes. */
void json_name(struct json_writer *json, struct span name);
/* '{' or '[' as a value. */
void json_open(struct json_writer *json, char bracket);
/* '}' or ']'. */
void json_close(struct json_writer *json, char bracket);
/* Digits, `true`, or other text that is JSON already, as a value. */
void json_raw(struct json_writer *json, struct span text);
/*
 * A string of anybody's bytes, of which at most `max` are taken. What is not UTF-8 becomes U+FFFD.
 * Control characters (C0, DEL, C1) and the line separators U+2028 and U+2029 are escaped, so that a
 * line of output is one line to every reader. False when the string was cut.
 */
bool json_string(struct json_writer *json, struct span text, size_t max);
/* Bytes after the last value, such as the line's end. */
void json_tail(struct json_writer *json, char c);
