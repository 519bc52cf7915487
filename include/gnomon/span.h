/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A run of bytes that somebody else owns. Not NUL-terminated. `at` may be NULL when `len` is 0. */
struct span {
	const char *at;
	size_t len;
};

#define SPAN_LITERAL(s) ((struct span){(s), sizeof(s) - 1})

static inline struct span span_of(const char *at, size_t len)
{
	return (struct span){at, len};
}

/* The bytes of a NUL-terminated string; NULL gives the empty span. */
static inline struct span span_str(const char *s)
{
	return (struct span){s, s ? strlen(s) : 0};
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool span_starts(struct span s, struct span prefix)
{
	return s.len >= prefix.len && memcmp(s.at, prefix.at, prefix.len) == 0;
}

static inline bool span_ends(struct span s, struct span suffix)
{
	return s.len >= suffix.len && memcmp(s.at + s.len - suffix.len, suffix.at, suffix.len) == 0;
}

/* ASCII only: host names, header names and schemes, never user text. */
static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool span_eq_nocase(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.at[i]) != ascii_lower(b.at[i]))
			return false;
	return true;
}

/* `s` without its first `n` bytes; all of it when `n` is too large leaves the empty span. */
static inline struct span span_skip(struct span s, size_t n)
{
	if (n > s.len)
		n = s.len;
	return (struct span){s.at + n, s.len - n};
}

/* Copies at most `cap - 1` bytes and ends with NUL; `cap` is at least 1. Returns false when the copy
 * is shorter than the span. */
static inline bool span_copy(char *to, size_t cap, struct span from)
{
	size_t n = from.len;

	if (!cap)
		return false;
	if (n > cap - 1)
		n = cap - 1;
	if (n)
		memcpy(to, from.at, n);
	to[n] = '\0';
	return n == from.len;
}
