/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * Searches for the first of several bytes, 16 at a time where the processor can. One pass: two
 * memchr() calls would read a long run again for each short one in it.
 */

/* The index of the first `a` or `b`, or `n`. */
static inline size_t scan_two(const char *p, size_t n, char a, char b)
{
	size_t i = 0;

#ifdef __SSE2__
	const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b);

	for (; i + 16 <= n; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, va), _mm_cmpeq_epi8(v, vb));
		unsigned int mask = (unsigned int)_mm_movemask_epi8(hit);

		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
#endif
	for (; i < n; i++)
		if (p[i] == a || p[i] == b)
			break;
	return i;
}

/* The index of the first '"' or bracket ("{}[]"), or `n`. The brackets of one side differ in bit
 * 0x20 alone, and no other bytes map onto them. */
static inline size_t scan_structure(const char *p, size_t n)
{
	size_t i = 0;

#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), open = _mm_set1_epi8('{');
	const __m128i close = _mm_set1_epi8('}'), fold = _mm_set1_epi8(0x20);

	for (; i + 16 <= n; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i folded = _mm_or_si128(v, fold);
		__m128i hit = _mm_or_si128(_mm_cmpeq_epi8(folded, open),
					   _mm_cmpeq_epi8(folded, close));
		unsigned int mask;

		hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, quote));
		mask = (unsigned int)_mm_movemask_epi8(hit);
		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
#endif
	for (; i < n; i++)
		if (p[i] == '"' || (p[i] | 0x20) == '{' || (p[i] | 0x20) == '}')
			break;
	return i;
}
