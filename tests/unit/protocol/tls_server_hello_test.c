/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "protocol/tls_hello.h"
#include "util/bytes.h"
#include "util/cleanup.h"

/* A ServerHello in one record: its fixed part, and extensions as given. */
static size_t make(char to[static 512], uint16_t version, struct span extensions)
{
	size_t body = 2 + 32 + 1 + 2 + 1 + (extensions.at ? 2 + extensions.len : 0);

	memset(to, 0, 512);
	memcpy(to, "\x16\3\3", 3);
	put_be16(to + 3, (uint16_t)(body + 4));
	to[5] = 2;
	put_be16(to + 7, (uint16_t)body);
	put_be16(to + 9, version);
	memcpy(to + 44, "\x13\1", 2);
	if (extensions.at) {
		put_be16(to + 47, (uint16_t)extensions.len);
		memcpy(to + 49, extensions.at, extensions.len);
	}
	return 9 + body;
}

static int feed(const char *bytes, size_t len, size_t step, struct tls_server_hello *hello)
{
	struct tls_hello_parser *parser = tls_hello_new();
	int r = 0;

	for (size_t at = 0; at < len && r == 0; at += step) {
		size_t n = len - at < step ? len - at : step;
		char *copy = malloc(n);

		memcpy(copy, bytes + at, n);
		r = tls_server_hello_feed(parser, span_of(copy, n), hello);
		free(copy);
	}
	tls_hello_free(parser);
	return r;
}

static const struct {
	uint16_t legacy;
	struct span extensions;
	uint16_t version;
	const char *text, *alpn;
} cases[] = {
	{0x0303, SPAN_LITERAL("\0\x2b\0\2\3\4\0\x33\0\2\0\x17"), 0x0304, "1.3", ""},
	{0x0303, SPAN_LITERAL("\xff\1\0\1\0\0\x10\0\5\0\3\2h2"), 0x0303, "1.2", "h2"},
	{0x0302, {NULL, 0}, 0x0302, "1.1", ""},
	{0x0301, {"", 0}, 0x0301, "1.0", ""},
	{0x0300, {NULL, 0}, 0x0300, "3.0", ""},
	{0x03ff, {NULL, 0}, 0x03ff, NULL, ""},
};

static void facts_and_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char bytes[512];
		size_t len = make(bytes, cases[i].legacy, cases[i].extensions);

		for (size_t step = 1; step <= len; step++) {
			struct tls_server_hello hello = {0};

			assert_int_equal(feed(bytes, len, step, &hello), 1);
			assert_int_equal(hello.version, cases[i].version);
			assert_string_equal(hello.alpn, cases[i].alpn);
			if (cases[i].text)
				assert_string_equal(tls_version_text(hello.version), cases[i].text);
			else
				assert_null(tls_version_text(hello.version));
		}
		for (size_t cut = 0; cut < len; cut++) {
			struct tls_server_hello hello = {.version = 7};

			assert_int_equal(feed(bytes, cut, cut + 1, &hello), 0);
			assert_int_equal(hello.version, 7);
		}
	}
}

static void refused(void **state)
{
	static const struct {
		size_t at;
		char value;
		const char *why;
	} broken[] = {
		{0, 0x17, "no handshake"},
		{5, 1, "a ClientHello"},
		{9, 2, "no version of TLS"},
		{43, 33, "a long session id"},
		{43, 32, "one that is not there"},
		{48, 200, "extensions that are not there"},
		{48, 3, "bytes behind them"},
		{52, 1, "a version of one byte"},
		{52, 9, "an extension longer than all"},
	};
	char good[512];
	size_t len = make(good, 0x0303, SPAN_LITERAL("\0\x2b\0\2\3\4"));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct tls_server_hello hello = {.version = 7};
		char bytes[512];

		memcpy(bytes, good, sizeof(bytes));
		bytes[broken[i].at] = broken[i].value;
		if (feed(bytes, len, len, &hello) != -EPROTO)
			fail_msg("%s", broken[i].why);
		assert_int_equal(hello.version, 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_and_cuts),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
