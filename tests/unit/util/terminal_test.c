/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/cleanup.h"

#define BAD "\xef\xbf\xbd"

static void clean(const char *from, const char *want)
{
	char got[256];

	assert_int_equal(terminal_clean(got, sizeof(got), span_str(from)), strlen(want));
	assert_string_equal(got, want);
}

static void test_clean(void **state)
{
	(void)state;
	clean("", "");
	clean("plain ~ text", "plain ~ text");
	clean("gr\xc3\xbc\xc3\x9f \xe4\xbd\xa0", "gr\xc3\xbc\xc3\x9f \xe4\xbd\xa0");
	clean("\033[2J\033]0;title\a", BAD "[2J" BAD "]0;title" BAD);
	clean("a\tb\r\nc", "a b  c");
	clean("\x7f\xc2\x9b"
	      "31m",
	      BAD BAD "31m"); /* DEL, and U+009B: CSI in one */
	clean("\x9b"
	      "31m",
	      BAD "31m");                                       /* the same as a bare byte */
	clean("evil\xe2\x80\xaegnp.exe", "evil" BAD "gnp.exe"); /* right-to-left override */
	clean("a\xe2\x80\x8b"
	      "b\xef\xbb\xbf",
	      "a" BAD "b" BAD);         /* zero width space, BOM */
	clean("\xf3\xa0\x81\x81", BAD); /* a tag character */
	clean("\xc0\xaf\xed\xa0\x80", BAD BAD BAD BAD BAD);
	clean("\xe2\x80\xa8", BAD); /* line separator */
}

/* Whatever the room: ended, within it, whole characters, and an ellipsis where something is missing. */
static void test_cut(void **state)
{
	struct span text = SPAN_LITERAL("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\x01 and more");

	(void)state;
	for (size_t cap = 8; cap < 40; cap++) {
		_cleanup_free_ char *got = malloc(cap);
		size_t len = terminal_clean(got, cap, text);

		assert_non_null(got);
		assert_true(len < cap);
		assert_int_equal(strlen(got), len);
		if (cap > text.len + 2) /* the control character grows by two bytes */
			assert_string_equal(got, "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" BAD
						 " and more");
		else
			assert_string_equal(got + len - 3, "\xe2\x80\xa6");
	}
}

static void test_width(void **state)
{
	(void)state;
	assert_int_equal(terminal_width(SPAN_LITERAL("")), 0);
	assert_int_equal(terminal_width(SPAN_LITERAL("abc")), 3);
	assert_int_equal(terminal_width(SPAN_LITERAL("\xc3\xa4\xe2\x82\xac")), 2);
	assert_int_equal(terminal_width(SPAN_LITERAL("\xe4\xbd\xa0\xe5\xa5\xbd")), 4);
	assert_int_equal(terminal_width(SPAN_LITERAL("\xf0\x9f\x98\x80")), 2);
	assert_int_equal(terminal_width(SPAN_LITERAL("e\xcc\x81")), 1);
	assert_int_equal(terminal_width(SPAN_LITERAL(BAD)), 1);
}

static void test_fit(void **state)
{
	struct span text = SPAN_LITERAL("a\xe4\xbd\xa0\xe5\xa5\xbd"
					"e\xcc\x81z");
	static const size_t want[] = {0, 1, 1, 4, 4, 7, 10, 11, 11};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(terminal_fit(text, i), want[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
