/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/bedrock_chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util/cleanup.h"

struct text {
	char at[4096];
	size_t len;
};

static void add(void *ctx, struct span bytes)
{
	struct text *to = ctx;

	assert_true(bytes.len > 0 && to->len + bytes.len <= sizeof(to->at));
	memcpy(to->at + to->len, bytes.at, bytes.len);
	to->len += bytes.len;
}

static void check(const char *payload, const char *expected)
{
	size_t len = strlen(payload);

	for (size_t step = 1; step <= len; step++) {
		struct bedrock_chunk chunk;
		struct text text = {.len = 0};

		bedrock_chunk_init(&chunk);
		for (size_t i = 0; i < len; i += step)
			bedrock_chunk_feed(&chunk,
					   span_of(payload + i, step < len - i ? step : len - i),
					   add, &text);
		assert_int_equal(text.len, strlen(expected));
		assert_memory_equal(text.at, expected, text.len);
	}
}

static void test_payloads(void **state)
{
	(void)state;
	check("{\"bytes\":\"eyJhIjoxfQ==\"}", "{\"a\":1}");
	check("{ \"bytes\" : \"eyJhIjoxfQ==\" }", "{\"a\":1}");
	check("{\"p\":\"abcdef\",\"bytes\":\"aGVsbG8\",\"q\":\"aGVsbG8\"}", "hello");
	/* the escaped slash of some encoders */
	check("{\"bytes\":\"Pz8\\/\"}", "???");
	check("{\"bytes\":\"\"}", "");
	check("{\"message\":\"bytes\"}", "");
	check("{\"message\":\"Too many requests\"}", "");
	check("\"bytes\":\"aGVsbG8", "hello");
	check("{\"\"bytes\":\"aGk=\"}", "hi");
}

/* More than is handed on at a time. */
static void test_long(void **state)
{
	static const char head[] = "{\"bytes\":\"";
	char payload[2048], expected[1500];
	size_t len = strlen(head);

	(void)state;
	memcpy(payload, head, len);
	memset(payload + len, 'Q', 1600); /* "QQQQ" is 0x41 0x04 0x10 */
	strcpy(payload + len + 1600, "\"}");
	for (size_t i = 0; i < 1200; i++)
		expected[i] = "\x41\x04\x10"[i % 3];
	expected[1200] = '\0';
	check(payload, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_payloads),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
