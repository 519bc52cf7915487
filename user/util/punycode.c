/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/punycode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/utf8.h"

/* RFC 3492 section 5. */
enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 128 };

/* RFC 1035 section 2.3.4 */
#define LABEL_MAX 63

struct out {
	char *to;
	size_t len, cap;
	bool full;
};

static void put(struct out *out, char c)
{
	if (out->len + 1 < out->cap)
		out->to[out->len++] = c;
	else
		out->full = true;
}

/* Section 6.1. */
static uint32_t adapt(uint32_t delta, uint32_t count, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / count;
	for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
		delta /= BASE - TMIN;
	return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static char digit(uint32_t value)
{
	return (char)(value < 26 ? 'a' + value : '0' + value - 26);
}

/* A number of variable length, section 3.3. */
static void put_number(struct out *out, uint32_t value, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;

		if (value < t)
			break;
		put(out, digit(t + (value - t) % (BASE - t)));
		value = (value - t) / (BASE - t);
	}
	put(out, digit(value));
}

/* The code points of a label; -EINVAL, -ERANGE. */
static int decode(struct span label, uint32_t points[static LABEL_MAX])
{
	int n = 0;

	while (label.len) {
		if (n == LABEL_MAX)
			return -ERANGE;
		label = span_skip(label, utf8_decode(label, &points[n]));
		if (points[n++] == UTF8_INVALID)
			return -EINVAL;
	}
	return n;
}

/* Section 6.3. With at most 63 code points below 2^21 nothing overflows 32 bits. */
static void encode(struct out *out, const uint32_t *points, uint32_t count)
{
	uint32_t n = INITIAL_N, delta = 0, bias = INITIAL_BIAS, basic = 0, done;

	for (uint32_t i = 0; i < count; i++)
		if (points[i] < INITIAL_N) {
			put(out, (char)points[i]);
			basic++;
		}
	if (basic)
		put(out, '-');
	for (done = basic; done < count; delta++, n++) {
		uint32_t next = UINT32_MAX;

		for (uint32_t i = 0; i < count; i++)
			if (points[i] >= n && points[i] < next)
				next = points[i];
		delta += (next - n) * (done + 1);
		n = next;
		for (uint32_t i = 0; i < count; i++) {
			delta += points[i] < n;
			if (points[i] != n)
				continue;
			put_number(out, delta, bias);
			bias = adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
	}
}

static int put_label(struct out *out, struct span label)
{
	uint32_t points[LABEL_MAX];
	size_t before = out->len;
	bool ascii = true;
	int count = decode(label, points);

	if (count < 0)
		return count;
	for (int i = 0; i < count; i++)
		ascii &= points[i] < INITIAL_N;
	for (const char *mark = "xn--"; !ascii && *mark; mark++)
		put(out, *mark);
	if (ascii)
		for (int i = 0; i < count; i++)
			put(out, (char)points[i]);
	else
		encode(out, points, (uint32_t)count);
	return out->full || out->len - before > LABEL_MAX ? -ERANGE : 0;
}

int punycode_host(struct span host, char *to, size_t cap)
{
	struct out out = {.to = to, .cap = cap};

	for (;;) {
		const char *dot = host.len ? memchr(host.at, '.', host.len) : NULL;
		size_t len = dot ? (size_t)(dot - host.at) : host.len;
		int r = put_label(&out, span_of(host.at, len));

		if (r < 0)
			return r;
		if (!dot)
			return (int)out.len;
		put(&out, '.');
		host = span_skip(host, len + 1);
	}
}
