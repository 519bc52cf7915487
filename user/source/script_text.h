/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/observation.h"
#include "gnomon/span.h"

/*
 * The words and values of the script language (script.h). Every script_read_ function begins at
 * the current word and leaves `at` behind the value; 0, -ENOMEM, or -EINVAL with the reason in
 * `diag`.
 */

#define NS_PER_S 1000000000ULL
/* The clock's end: 30 years. */
#define SCRIPT_SECONDS_MAX 1000000000ULL

struct diag;

struct script_text {
	struct span text;
	size_t at;
	const char *name; /* of the file, for messages */
	struct diag *diag;
};

/* Bytes that grow; `at` is freed by the owner. */
struct buffer {
	char *at;
	size_t len, cap;
};

/* One of the names that a value may be; a table ends with a NULL name. */
struct choice {
	const char *name;
	uint64_t value;
};

/* Adds a message about the place `where`. */
__attribute__((format(printf, 3, 4))) void script_complain(struct script_text *t, size_t where,
							   const char *format, ...);
/* The same, and what the caller is to return. */
#define script_fail(...) (script_complain(__VA_ARGS__), -EINVAL)

/* The byte `ahead` of the current one, or -1 past the end. */
static inline int script_peek(const struct script_text *t, size_t ahead)
{
	return ahead < t->text.len - t->at ? (unsigned char)t->text.at[t->at + ahead] : -1;
}

/* Goes to the next word of the statement; false when the statement has ended. */
bool script_next_word(struct script_text *t);
/* Is this a blank, a line's end or the text's? */
bool script_word_ends(const struct script_text *t);
/* Lower-case letters, digits and underscores, maybe none. */
struct span script_read_name(struct script_text *t);
/* A string in quotes, appended. */
int script_read_string(struct script_text *t, struct buffer *to);
/* A string in quotes or the bytes up to the next blank, appended. */
int script_read_text(struct script_text *t, struct buffer *to);
/* Pairs of hexadecimal digits, appended. */
int script_read_hex(struct script_text *t, struct buffer *to);
int script_read_number(struct script_text *t, uint64_t max, uint64_t *to);
/* Seconds with up to nine decimals, in nanoseconds. */
int script_read_seconds(struct script_text *t, uint64_t *to_ns);
int script_read_choice(struct script_text *t, const struct choice *choices, uint64_t *to);
/* 10.0.0.1:80 or [2001:db8::1]:80. */
int script_read_endpoint(struct script_text *t, struct net_endpoint *to);
