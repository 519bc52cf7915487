/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/json_array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/protocol/document_log.h"
#include "util/cleanup.h"

DOCUMENT_RUN(json_array)

static void check(const char *text, const char *expected)
{
	for (size_t step = 0; step < 40; step++) {
		_cleanup_free_ char *told = run_json_array(text, strlen(text), step, 0, 0);

		assert_string_equal(told, expected);
	}
}

static void test_elements(void **state)
{
	(void)state;
	check("[{\"a\":[1,{\"b\":\"]}\\\"}\"}]}\n,\r\n{\"c\":{}}\n]\n",
	      "{\"a\":[1,{\"b\":\"]}\\\"}\"}]}|;{\"c\":{}}|;");
	check("[]", "");
	check(" [ [1] , 2, \"[{\\\"\", null, {} ]{}", "[1]|;{}|;");
	check("[{\"esc\":\"\\\\\"},{}]", "{\"esc\":\"\\\\\"}|;{}|;");
	check("[{\"cut\":", "{\"cut\":");
}

static void test_lost(void **state)
{
	static const char text[] = "[{\"first\":1},\n{\"second\":2},\n{\"third\":3}]";

	(void)state;
	for (size_t at = 0; at + 3 < strlen(text); at++) {
		_cleanup_free_ char *whole = run_json_array(text, strlen(text), 0, at, 3);
		_cleanup_free_ char *bytes = run_json_array(text, strlen(text), 1, at, 3);

		assert_string_equal(whole, bytes);
		assert_true(at < 12 || strstr(whole, "{\"first\":1}|;"));
		assert_null(strstr(whole, "third\":3}|;"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
