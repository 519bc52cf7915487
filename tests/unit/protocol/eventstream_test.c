/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/eventstream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/protocol/document_log.h"
#include "unit/protocol/eventstream_maker.h"
#include "util/cleanup.h"

DOCUMENT_RUN(eventstream)

static char text[4096];

static size_t make(void)
{
	size_t len = put_event(text, "messageStart", "{\"role\":\"assistant\"}");

	len += put_event(text + len, "contentBlockDelta", "{\"delta\":{\"text\":\"hi\"}}");
	len += put_event(text + len, "messageStop", "");
	len += put_event(text + len, "metadata", "{\"usage\":{\"inputTokens\":1}}");
	return len;
}

#define EXPECTED                                                                                   \
	"{\"role\":\"assistant\"}|messageStart;{\"delta\":{\"text\":\"hi\"}}|contentBlockDelta;"   \
	"|messageStop;{\"usage\":{\"inputTokens\":1}}|metadata;"

static void test_messages(void **state)
{
	size_t len = make();

	(void)state;
	for (size_t step = 0; step < 200; step++) {
		_cleanup_free_ char *told = run_eventstream(text, len, step, 0, 0);

		assert_string_equal(told, EXPECTED);
	}
}

/* Each byte damaged in turn: the message is told as damaged or passed over, the others are whole. */
static void test_damaged(void **state)
{
	size_t len = make();

	(void)state;
	for (size_t at = 0; at < len; at++) {
		_cleanup_free_ char *whole = NULL, *bytes = NULL;
		unsigned int good = 0;

		text[at] ^= 0x21;
		whole = run_eventstream(text, len, 0, 0, 0);
		bytes = run_eventstream(text, len, 1, 0, 0);
		assert_string_equal(whole, bytes);
		good += strstr(whole, "}|messageStart;") != NULL;
		good += strstr(whole, "}|contentBlockDelta;") != NULL;
		good += strstr(whole, "|messageStop;") != NULL;
		good += strstr(whole, "}|metadata;") != NULL;
		assert_int_equal(good, 3);
		text[at] ^= 0x21;
	}
}

/* After a loss the next whole message is found. */
static void test_lost(void **state)
{
	size_t len = make();

	(void)state;
	for (size_t lost = 1; lost < 30; lost += 4) {
		for (size_t at = 0; at + lost < len; at++) {
			_cleanup_free_ char *whole = run_eventstream(text, len, 0, at, lost);
			_cleanup_free_ char *bytes = run_eventstream(text, len, 1, at, lost);

			assert_string_equal(whole, bytes);
			if (at + lost < 200)
				assert_non_null(
					strstr(whole, "{\"usage\":{\"inputTokens\":1}}|metadata;"));
		}
	}
}

/* Values of every type and headers that lie about their lengths. */
static void test_headers(void **state)
{
	static const char headers[] = "\1a\0\1b\1\1c\2x\1d\3xx\1e\4xxxx\1f\5xxxxxxxx\1g\6\0\2yy"
				      "\1h\10xxxxxxxx\1i\11xxxxxxxxxxxxxxxx\0\0"
				      "\x0f:exception-type\7\0\3bad";
	size_t n = sizeof(headers) - 1;

	(void)state;
	for (size_t cut = 0; cut <= n; cut++) {
		size_t total = 12 + cut + 2 + 4;
		_cleanup_free_ char *whole = NULL, *bytes = NULL;

		put32(text, (uint32_t)total);
		put32(text + 4, (uint32_t)cut);
		put32(text + 8, (uint32_t)crc32(0, (const unsigned char *)text, 8));
		memcpy(text + 12, headers, cut);
		memcpy(text + 12 + cut, "{}", 2);
		put32(text + total - 4,
		      (uint32_t)crc32(0, (const unsigned char *)text, (unsigned int)total - 4));
		whole = run_eventstream(text, total, 0, 0, 0);
		bytes = run_eventstream(text, total, 1, 0, 0);
		assert_string_equal(whole, bytes);
		assert_true(strncmp(whole, "{}|", 3) == 0);
		if (cut == n)
			assert_string_equal(whole, "{}|bad;");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
