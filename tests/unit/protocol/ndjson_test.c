/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/ndjson.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/protocol/document_log.h"
#include "util/cleanup.h"

DOCUMENT_RUN(ndjson)

static void check(const char *text, const char *expected)
{
	for (size_t step = 0; step < 40; step++) {
		_cleanup_free_ char *told = run_ndjson(text, strlen(text), step, 0, 0);

		assert_string_equal(told, expected);
	}
}

static void test_lines(void **state)
{
	(void)state;
	check("{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}|;{\"b\":2}|;");
	check("\r\n \t\n{}\r\n\n  {\"n\": [1,\t2] }\r\n", "{}\r|;{\"n\": [1,\t2] }\r|;");
	/* the last line may lack its end: the body's is enough */
	check("{}\n{\"cut\"", "{}|;{\"cut\"");
	check("", "");
}

/* Losses cost the documents that they touch. */
static void test_lost(void **state)
{
	static const char text[] = "{\"first\":1}\n{\"second\":2}\n{\"third\":3}\n";

	(void)state;
	for (size_t lost = 1; lost < 20; lost++) {
		for (size_t at = 0; at + lost < strlen(text); at++) {
			_cleanup_free_ char *whole = NULL, *bytes = NULL;
			bool first = at > 11, third = at + lost <= 24;

			whole = run_ndjson(text, strlen(text), 0, at, lost);
			bytes = run_ndjson(text, strlen(text), 1, at, lost);
			assert_string_equal(whole, bytes);
			assert_non_null(strstr(whole, "!;"));
			assert_true(!first || strstr(whole, "{\"first\":1}|;"));
			assert_true(!third || strstr(whole, "{\"third\":3}|;"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
