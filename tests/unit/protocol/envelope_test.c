/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/protocol/document_log.h"
#include "util/cleanup.h"

DOCUMENT_RUN(envelope)

static void test_messages(void **state)
{
	static const char text[] = "\0\0\0\0\2{}\0\0\0\0\0\1\0\0\0\3zzz\2\0\0\0\4{\"e\"";
	struct envelope envelope;
	struct document_log log;

	(void)state;
	for (size_t step = 0; step < 30; step++) {
		_cleanup_free_ char *told = run_envelope(text, sizeof(text) - 1, step, 0, 0);

		assert_string_equal(told, "{}|;|;|!;{\"e\"|;");
	}
	document_log_begin(&log);
	envelope_init(&envelope, &document_log_listener, &log);
	envelope_feed(&envelope, span_of(text, sizeof(text) - 1));
	assert_int_equal(envelope.messages, 4);
	assert_int_equal(envelope.bytes, 2 + 3 + 4);
	free(document_log_take(&log));
}

static void test_lost(void **state)
{
	static const char text[] = "\0\0\0\0\2{}\0\0\0\0\2{}\0\0\0\0\2{}";

	(void)state;
	for (size_t at = 0; at + 1 < sizeof(text) - 1; at++) {
		_cleanup_free_ char *whole = run_envelope(text, sizeof(text) - 1, 0, at, 1);
		_cleanup_free_ char *bytes = run_envelope(text, sizeof(text) - 1, 1, at, 1);

		assert_string_equal(whole, bytes);
		assert_true(strlen(whole) <= at / 7 * 4 + 5);
	}
}

/* The largest length costs nothing. */
static void test_endless(void **state)
{
	_cleanup_free_ char *told = run_envelope("\0\xff\xff\xff\xff{}", 7, 1, 0, 0);

	(void)state;
	assert_string_equal(told, "{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_endless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
