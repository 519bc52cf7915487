/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/cleanup.h"

static void decode(const char *bytes, size_t len, uint32_t want, size_t want_len)
{
	/* Heap memory of exactly that size: the sanitizer sees a read past the end. */
	_cleanup_free_ char *copy = malloc(len);
	uint32_t code;

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	assert_int_equal(utf8_decode(span_of(copy, len), &code), want_len);
	assert_int_equal(code, want);
}

static void test_well_formed(void **state)
{
	(void)state;
	decode("A", 1, 'A', 1);
	decode("\0", 1, 0, 1);
	decode("\x7f", 1, 0x7f, 1);
	decode("\xc2\x80", 2, 0x80, 2);
	decode("\xdf\xbf", 2, 0x7ff, 2);
	decode("\xe0\xa0\x80", 3, 0x800, 3);
	decode("\xed\x9f\xbf", 3, 0xd7ff, 3);
	decode("\xee\x80\x80", 3, 0xe000, 3);
	decode("\xef\xbf\xbf", 3, 0xffff, 3);
	decode("\xf0\x90\x80\x80", 4, 0x10000, 4);
	decode("\xf4\x8f\xbf\xbf", 4, 0x10ffff, 4);
}

/* The lengths are those of the maximal subparts: The Unicode Standard, table 3-8. */
static void test_ill_formed(void **state)
{
	(void)state;
	decode("\x80", 1, UTF8_INVALID, 1);
	decode("\xff", 1, UTF8_INVALID, 1);
	decode("\xc0\xaf", 2, UTF8_INVALID, 1); /* overlong '/' */
	decode("\xc1\xbf", 2, UTF8_INVALID, 1);
	decode("\xe0\x80\xaf", 3, UTF8_INVALID, 1);     /* overlong */
	decode("\xf0\x8f\xbf\xbf", 4, UTF8_INVALID, 1); /* overlong */
	decode("\xed\xa0\x80", 3, UTF8_INVALID, 1);     /* surrogate */
	decode("\xf4\x90\x80\x80", 4, UTF8_INVALID, 1); /* U+110000 */
	decode("\xf5\x80\x80\x80", 4, UTF8_INVALID, 1);
	decode("\xe2\x82", 2, UTF8_INVALID, 2); /* cut short by the end */
	decode("\xf0\x9f\x98", 3, UTF8_INVALID, 3);
	decode("\xe2\x82"
	       "A",
	       3, UTF8_INVALID, 2); /* cut short by a letter */
	decode("\xc3", 1, UTF8_INVALID, 1);
}

static void test_whole(void **state)
{
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(utf8_whole(span_of(text, i)), want[i]);
	/* Bytes that are none cannot be made whole, and are not eaten either. */
	assert_int_equal(utf8_whole(span_of("\x80\x80\x80\x80\x80", 5)), 5);
	assert_int_equal(utf8_whole(span_of("ab\xff", 3)), 3);
}

static void test_cut(void **state)
{
	struct span text = SPAN_LITERAL("ab\xe2\x82\xac");

	(void)state;
	assert_int_equal(utf8_cut(text, 10), 5);
	assert_int_equal(utf8_cut(text, 5), 5);
	assert_int_equal(utf8_cut(text, 4), 2);
	assert_int_equal(utf8_cut(text, 3), 2);
	assert_int_equal(utf8_cut(text, 2), 2);
	assert_int_equal(utf8_cut(text, 0), 0);
	assert_int_equal(utf8_cut(span_of(NULL, 0), 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well_formed),
		cmocka_unit_test(test_ill_formed),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
