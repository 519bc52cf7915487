/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "estimate/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util/cleanup.h"

static const char *const parts[] = {
	"The quick brown fox jumps over the lazy dog, and then it sleeps for a while. ",
	"for (size_t i = 0; i < count; i++)\n\tsum += values[i] * 3;\n",
	"{\"id\": 12345, \"name\": \"value\", \"list\": [1, 2, 3]}\n",
	"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82, \xd0\xba\xd0\xb0\xd0\xba "
	"\xd0\xb4\xd0\xb5"
	"\xd0\xbb\xd0\xb0? ",
	"\xe4\xbb\xa5\xe5\x8f\x8a\xe5\xa4\x9a\xe5\xb9\xb4\xe5\x89\x8d\xe7\x9a\x84\xe4\xba\x8b",
};

/* Parts at random, some hundred bytes of each kind at a time: `bytes` of them or a little more. */
static char *text_of(size_t bytes, unsigned int seed, size_t *len)
{
	char *text;
	FILE *to = open_memstream(&text, len);

	while ((size_t)ftell(to) < bytes) {
		const char *part = parts[(unsigned int)rand_r(&seed) % ARRAY_SIZE(parts)];

		for (int i = rand_r(&seed) % 12; i >= 0; i--)
			fputs(part, to);
	}
	fclose(to);
	return text;
}

static struct token_range sampled(const char *text, size_t len, size_t step)
{
	struct text_sample sample = {0};
	struct token_range range;

	for (size_t i = 0; i < len; i += step)
		text_sample_add(&sample, span_of(text + i, step < len - i ? step : len - i));
	range = text_sample_tokens(&sample, TOKENIZER_O200K);
	assert_true(sample.room <= TEXT_SAMPLE_BYTES && sample.bytes == len);
	text_sample_done(&sample);
	return range;
}

static struct token_range whole(const char *text, size_t len)
{
	struct text_estimate estimate = {0};

	text_estimate_feed(&estimate, span_of(text, len));
	return text_estimate_tokens(&estimate, TOKENIZER_O200K);
}

static void assert_same(struct token_range a, struct token_range b)
{
	assert_int_equal(a.low, b.low);
	assert_int_equal(a.likely, b.likely);
	assert_int_equal(a.high, b.high);
}

static void test_short(void **state)
{
	(void)state;
	for (size_t bytes = 1; bytes < TEXT_SAMPLE_BYTES - 1000; bytes += 997) {
		size_t len;
		_cleanup_free_ char *text = text_of(bytes, (unsigned int)bytes, &len);

		if (len <= TEXT_SAMPLE_BYTES)
			assert_same(sampled(text, len, 7), whole(text, len));
	}
	assert_same(sampled("", 0, 1), whole("", 0));
}

static void test_cuts(void **state)
{
	static const size_t steps[] = {1, 3, 255, 256, 257, 4096, 16384, 1 << 30};
	size_t len;
	_cleanup_free_ char *text = text_of(300000, 1, &len);
	struct token_range once = sampled(text, len, len);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		assert_same(sampled(text, len, steps[i]), once);
}

/* Of texts of every length the sample's tokens are those of all, nine times in ten within the interval. */
static void test_long(void **state)
{
	unsigned int held = 0, far = 0;

	(void)state;
	for (unsigned int seed = 1; seed <= 100; seed++) {
		size_t len;
		_cleanup_free_ char *text = text_of(seed * 9000, seed, &len);
		struct token_range range = sampled(text, len, 1000), all = whole(text, len);
		int64_t off = range.likely > all.likely ? range.likely - all.likely
							: all.likely - range.likely;

		assert_true(range.low <= range.likely && range.likely <= range.high);
		held += all.likely >= range.low && all.likely <= range.high;
		far += off * 100 > all.likely * 10;
	}
	assert_true(held >= 90);
	assert_true(far <= 10);
}

static void test_ends(void **state)
{
	struct text_sample sample = {0};
	struct text_estimate estimate = {0};

	(void)state;
	for (int i = 0; i < 5; i++) {
		text_sample_add(&sample, SPAN_LITERAL("one text"));
		text_sample_break(&sample);
		text_estimate_feed(&estimate, SPAN_LITERAL("one text"));
		text_estimate_break(&estimate);
	}
	assert_same(text_sample_tokens(&sample, TOKENIZER_CLAUDE),
		    text_estimate_tokens(&estimate, TOKENIZER_CLAUDE));
	text_sample_done(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
