/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

/*
 * Searches for the first of several bytes, 16 at a time by the vectors that every processor of the
 * architecture has. One pass: two memchr() calls would read a long run again for each short one in it.
 */
#define SCAN_WIDTH 16

typedef unsigned char scan_vector __attribute__((vector_size(SCAN_WIDTH)));
typedef signed char scan_hits __attribute__((vector_size(SCAN_WIDTH)));

static inline scan_vector scan_load(const char *p)
{
	scan_vector v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline scan_vector scan_all(char c)
{
	unsigned char u = (unsigned char)c;

	return (scan_vector){u, u, u, u, u, u, u, u, u, u, u, u, u, u, u, u};
}

/* Bit i tells byte i, which is 0 or -1. */
static inline uint32_t scan_mask(scan_hits hits)
{
#ifdef __SSE2__
	return (uint32_t)_mm_movemask_epi8((__m128i)hits);
#elif defined(__aarch64__)
	const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
	uint8x16_t bits = vandq_u8((uint8x16_t)hits, weights);

	return vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
#else
	uint32_t mask = 0;

	for (unsigned int i = 0; i < SCAN_WIDTH; i++)
		mask |= (uint32_t)(hits[i] & 1) << i;
	return mask;
#endif
}

/* The index of the first `a` or `b`, or `n`. */
static inline size_t scan_two(const char *p, size_t n, char a, char b)
{
	const scan_vector va = scan_all(a), vb = scan_all(b);
	size_t i = 0;

	for (; i + SCAN_WIDTH <= n; i += SCAN_WIDTH) {
		scan_vector v = scan_load(p + i);
		uint32_t mask = scan_mask((v == va) | (v == vb));

		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
	for (; i < n; i++)
		if (p[i] == a || p[i] == b)
			break;
	return i;
}

/* The bytes that do not mean themselves in a JSON string: '"', '\\' and control characters. */
static inline uint32_t scan_not_plain(scan_vector v)
{
	return scan_mask((v == scan_all('"')) | (v == scan_all('\\')) | (v < scan_all(' ')));
}

/* The index of the first such byte, or `n`. */
static inline size_t scan_string(const char *p, size_t n)
{
	size_t i = 0;

	for (; i + SCAN_WIDTH <= n; i += SCAN_WIDTH) {
		uint32_t mask = scan_not_plain(scan_load(p + i));

		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
	for (; i < n; i++)
		if (p[i] == '"' || p[i] == '\\' || (unsigned char)p[i] < ' ')
			break;
	return i;
}

/* The index of the first '"' or bracket ("{}[]"), or `n`. The brackets of one side differ in bit
 * 0x20 alone, and no other bytes map onto them. */
static inline size_t scan_structure(const char *p, size_t n)
{
	const scan_vector quote = scan_all('"'), fold = scan_all(0x20);
	const scan_vector open = scan_all('{'), close = scan_all('}');
	size_t i = 0;

	for (; i + SCAN_WIDTH <= n; i += SCAN_WIDTH) {
		scan_vector v = scan_load(p + i), folded = v | fold;
		uint32_t mask = scan_mask((folded == open) | (folded == close) | (v == quote));

		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
	for (; i < n; i++)
		if (p[i] == '"' || (p[i] | 0x20) == '{' || (p[i] | 0x20) == '}')
			break;
	return i;
}
