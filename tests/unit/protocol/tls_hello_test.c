/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/tls_hello.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/bytes.h"

struct bytes {
	char at[40000];
	size_t len;
};

static void add(struct bytes *b, const void *at, size_t len)
{
	assert_true(len <= sizeof(b->at) - b->len);
	if (len)
		memcpy(b->at + b->len, at, len);
	b->len += len;
}

static void add_u8(struct bytes *b, unsigned int value)
{
	char c = (char)value;

	add(b, &c, 1);
}

static void add_u16(struct bytes *b, unsigned int value)
{
	char c[2];

	put_be16(c, (uint16_t)value);
	add(b, c, 2);
}

/* "1301,1302" as numbers of two bytes, with a GREASE value in front if asked. */
static void add_numbers(struct bytes *b, const char *list, unsigned int grease)
{
	if (grease)
		add_u16(b, grease);
	for (; *list; list += list[4] == ',' ? 5 : 4)
		add_u16(b, (unsigned int)strtoul((char[]){list[0], list[1], list[2], list[3], 0},
						 NULL, 16));
}

/* Fills in the length of a vector that began at `begin` with two bytes for it. */
static void end16(struct bytes *b, size_t begin)
{
	put_be16(b->at + begin, (uint16_t)(b->len - begin - 2));
}

/* What a test wants in its ClientHello. */
struct recipe {
	const char *ciphers, *extensions, *signatures;
	const char *host;
	size_t host_len;  /* of `host` if it is not text */
	const char *alpn; /* one protocol */
	const char *versions;
	unsigned int grease;
};

static void add_extension(struct bytes *b, unsigned int type, const struct recipe *recipe)
{
	size_t host_len = recipe->host_len ? recipe->host_len
			  : recipe->host   ? strlen(recipe->host)
					   : 0;
	size_t begin, list;

	add_u16(b, type);
	begin = b->len;
	add_u16(b, 0);
	list = b->len;
	if (type == 0) {
		add_u16(b, (unsigned int)host_len + 3);
		add_u8(b, 0);
		add_u16(b, (unsigned int)host_len);
		add(b, recipe->host, host_len);
	} else if (type == 13) {
		add_u16(b, 0);
		add_numbers(b, recipe->signatures, recipe->grease);
		end16(b, list);
	} else if (type == 16 && recipe->alpn) {
		add_u16(b, (unsigned int)strlen(recipe->alpn) + 1 + 9);
		add_u8(b, (unsigned int)strlen(recipe->alpn));
		add(b, recipe->alpn, strlen(recipe->alpn));
		add(b, "\x08http/1.1", 9);
	} else if (type == 43) {
		add_u8(b, 0);
		add_numbers(b, recipe->versions ? recipe->versions : "0304,0303", recipe->grease);
		b->at[list] = (char)(b->len - list - 1);
	}
	end16(b, begin);
}

/* The handshake message. */
static struct bytes message(const struct recipe *recipe)
{
	struct bytes b = {.len = 0};
	size_t begin;

	add(&b, "\1\0\0\0\3\3", 6);
	for (int i = 0; i < 32; i++)
		add_u8(&b, (unsigned int)i);
	add_u8(&b, 0);
	begin = b.len;
	add_u16(&b, 0);
	add_numbers(&b, recipe->ciphers, recipe->grease);
	end16(&b, begin);
	add(&b, "\1", 2);
	if (recipe->extensions) {
		begin = b.len;
		add_u16(&b, 0);
		if (recipe->grease)
			add(&b, "\x3a\x3a\0\0", 4);
		for (const char *e = recipe->extensions; *e; e += e[4] == ',' ? 5 : 4)
			add_extension(&b,
				      (unsigned int)strtoul((char[]){e[0], e[1], e[2], e[3], 0},
							    NULL, 16),
				      recipe);
		end16(&b, begin);
	}
	put_be16(b.at + 2, (uint16_t)(b.len - 4));
	return b;
}

/* In records of at most `record` bytes. */
static struct bytes records(const struct bytes *message, size_t record)
{
	struct bytes b = {.len = 0};

	for (size_t at = 0; at < message->len; at += record) {
		size_t n = message->len - at < record ? message->len - at : record;

		add(&b, "\x16\3\1", 3);
		add_u16(&b, (unsigned int)n);
		add(&b, message->at + at, n);
	}
	return b;
}

static int feed_all(const struct bytes *b, size_t step, struct tls_hello *hello)
{
	struct tls_hello_parser *parser = tls_hello_new();
	int r = 0;

	for (size_t at = 0; r == 0 && at < b->len; at += step) {
		size_t n = b->len - at < step ? b->len - at : step;
		char *copy = malloc(n); /* exactly, for the sanitizer */

		memcpy(copy, b->at + at, n);
		r = tls_hello_feed(parser, span_of(copy, n), hello);
		free(copy);
	}
	tls_hello_free(parser);
	return r;
}

static int parse(const struct recipe *recipe, struct tls_hello *hello)
{
	struct bytes m = message(recipe), b = records(&m, 16384);

	memset(hello, 0, sizeof(*hello));
	return feed_all(&b, b.len, hello);
}

/* The specification's own example. */
static const struct recipe chrome = {
	.ciphers = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035",
	.extensions =
		"001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015",
	.signatures = "0403,0804,0401,0503,0805,0501,0806,0601",
	.host = "API.OpenAI.com",
	.alpn = "h2",
	.grease = 0x5a5a,
};

static void ja4_published(void **state)
{
	/* published with its raw form: shigshag.com/tools/ja4 */
	static const struct recipe script = {
		.ciphers = "1302,1303,1301,c02c,c030,c02b,c02f,cca9,cca8,00ff",
		.extensions = "0000,000b,000a,0023,0010,0005,0017,000d,002b,002d,0033",
		.signatures = "0503,0403,0807,0806,0805,0804,0601,0501,0401",
		.host = "example.com",
		.alpn = "h2",
	};
	struct tls_hello hello;

	(void)state;
	assert_int_equal(parse(&chrome, &hello), 1);
	assert_string_equal(hello.ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
	assert_int_equal(parse(&script, &hello), 1);
	assert_string_equal(hello.ja4, "t13d1011h2_61a7ad8aa9b6_3fcd1a44f3e3");
}

static void ja4_corners(void **state)
{
	struct recipe recipe = {.ciphers = ""};
	struct tls_hello hello;

	(void)state;
	assert_int_equal(parse(&recipe, &hello), 1);
	assert_string_equal(hello.ja4, "t12i000000_000000000000_000000000000");

	/* without signature algorithms no underscore: the specification's example */
	recipe = chrome;
	recipe.extensions = "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01";
	recipe.signatures = "";
	recipe.grease = 0;
	assert_int_equal(parse(&recipe, &hello), 1);
	assert_string_equal(hello.ja4, "t13i151400_8daaf6152771_6d807ffa2a79");
}

static void ja4_alpn_characters(void **state)
{
	static const struct {
		const char *alpn, *expect;
	} cases[] = {
		{"h2", "h2"},
		{"http/1.1", "h1"},
		{"x", "xx"},
		{"\xab", "ab"},
		{"\xab\xcd", "ad"},
		{"0\xab", "3b"},
		{"01\xab\xcd", "3d"},
		{"0\xab\xcd"
		 "1",
		 "01"},
	};
	struct recipe recipe = chrome;
	struct tls_hello hello;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		recipe.alpn = cases[i].alpn;
		assert_int_equal(parse(&recipe, &hello), 1);
		assert_memory_equal(hello.ja4 + 8, cases[i].expect, 2);
	}
	/* for people the first that can be printed */
	assert_string_equal(hello.alpn, "http/1.1");
}

static void facts(void **state)
{
	struct recipe recipe = chrome;
	struct tls_hello hello;

	(void)state;
	assert_int_equal(parse(&chrome, &hello), 1);
	assert_string_equal(hello.server_name, "api.openai.com");
	assert_string_equal(hello.alpn, "h2");
	assert_int_equal(hello.version, 0x0304);
	assert_false(hello.ech);

	recipe.extensions = "0000,fe0d,002b";
	recipe.versions = "0302,0303,0301";
	assert_int_equal(parse(&recipe, &hello), 1);
	assert_true(hello.ech);
	assert_int_equal(hello.version, 0x0303);
	assert_string_equal(hello.alpn, "");

	recipe.extensions = NULL;
	assert_int_equal(parse(&recipe, &hello), 1);
	assert_string_equal(hello.server_name, "");
	assert_int_equal(hello.version, 0x0303);
}

static void host_names(void **state)
{
	static const char long_label[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com";
	static const struct {
		const char *host;
		size_t len;
		const char *expect;
	} cases[] = {
		{"a.b", 0, "a.b"},
		{"A_1-x.Example.ORG.", 0, "a_1-x.example.org"},
		{"xn--bcher-kva.example", 0, "xn--bcher-kva.example"},
		{"10.0.0.1", 0, "10.0.0.1"},
		{"api.openai.com\nfake: 1", 0, ""},
		{"api.openai.com\0.evil", 20, ""},
		{"\x1b[2J.com", 0, ""},
		{"b\xc3\xbc"
		 "cher.example",
		 0, ""},
		{"a..b", 0, ""},
		{".a", 0, ""},
		{".", 0, ""},
		{"a..", 0, ""},
		{"::1", 0, ""},
		{"a b", 0, ""},
		{long_label, 0, ""},
		{long_label + 1, 0, long_label + 1},
	};
	struct recipe recipe = chrome;
	struct tls_hello hello;
	char name[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		recipe.host = cases[i].host;
		recipe.host_len = cases[i].len;
		assert_int_equal(parse(&recipe, &hello), 1);
		assert_string_equal(hello.server_name, cases[i].expect);
		assert_int_equal(hello.ja4[3], 'd');
	}
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 ? '.' : 'a';
	recipe.host = name;
	recipe.host_len = 253;
	assert_int_equal(parse(&recipe, &hello), 1);
	assert_int_equal(strlen(hello.server_name), 253);
	recipe.host_len = 255;
	assert_int_equal(parse(&recipe, &hello), 1);
	assert_int_equal(strlen(hello.server_name), 0);
}

static void any_cut_gives_the_same(void **state)
{
	static const size_t record_sizes[] = {1, 2, 3, 4, 5, 40, 16384};
	struct bytes m = message(&chrome);
	struct tls_hello whole, hello;

	(void)state;
	assert_int_equal(parse(&chrome, &whole), 1);
	for (size_t i = 0; i < sizeof(record_sizes) / sizeof(record_sizes[0]); i++) {
		struct bytes b = records(&m, record_sizes[i]);

		add(&b, "\x14\3\3\0\1\1", 6); /* what follows is not its business */
		for (size_t step = 1; step < 12; step++) {
			memset(&hello, 0, sizeof(hello));
			assert_int_equal(feed_all(&b, step, &hello), 1);
			assert_memory_equal(&hello, &whole, sizeof(hello));
		}
	}
}

static void every_truncation_wants_more(void **state)
{
	struct bytes m = message(&chrome), b = records(&m, 100);
	struct tls_hello hello = {.version = 7};

	(void)state;
	for (size_t cut = 0; cut < b.len; cut++) {
		struct bytes less = {.len = 0};

		add(&less, b.at, cut);
		assert_int_equal(feed_all(&less, cut ? cut : 1, &hello), 0);
		assert_int_equal(hello.version, 7);
	}
}

static void lengths_that_lie(void **state)
{
	/* the low bytes of the lengths: session id, cipher suites, compression, extensions */
	static const size_t at[] = {38, 40, 73, 76};
	struct bytes m = message(&chrome);
	struct tls_hello hello;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (int by = -1; by <= 1; by += 2) {
			struct bytes bad = m, b;

			bad.at[at[i]] = (char)(bad.at[at[i]] + by);
			b = records(&bad, 16384);
			assert_int_equal(feed_all(&b, b.len, &hello), -EPROTO);
		}
	}
}

static void not_tls(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"G", 1}, /* known by one byte */
		{"\x16\2", 2},
		{"\x16\3\5", 3},
		{"\x16\3\1\0\0", 5},                        /* an empty record */
		{"\x16\3\1\x40\1", 5},                      /* a longer one than may be */
		{"\x16\3\1\0\4\2", 6},                      /* a ServerHello */
		{"\x16\3\1\0\4\1\0\x40\0", 9},              /* more than TLS_HELLO_MAX */
		{"\x16\3\1\0\2\1\0\x15\3\1\0\2\2\x28", 14}, /* an alert in between */
		{"\x16\3\1\0\4\1\0\0\0", 9},                /* an empty ClientHello */
	};
	struct tls_hello hello = {.version = 7};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = {.len = 0};

		add(&b, cases[i].bytes, cases[i].len);
		assert_int_equal(feed_all(&b, 1, &hello), -EPROTO);
		assert_int_equal(feed_all(&b, b.len, &hello), -EPROTO);
		b.len--;
		assert_int_equal(b.len ? feed_all(&b, 1, &hello) : 0,
				 cases[i].len == 14 ? -EPROTO : 0);
	}
	assert_int_equal(hello.version, 7);
}

static void the_end_is_final(void **state)
{
	struct bytes m = message(&chrome), b = records(&m, 16384);
	struct tls_hello_parser *parser = tls_hello_new();
	struct tls_hello hello = {0}, again = {0};

	(void)state;
	assert_int_equal(tls_hello_feed(parser, span_of(b.at, b.len), &hello), 1);
	assert_int_equal(tls_hello_feed(parser, SPAN_LITERAL("anything"), &again), 1);
	assert_memory_equal(&hello, &again, sizeof(hello));
	tls_hello_free(parser);

	parser = tls_hello_new();
	assert_int_equal(tls_hello_feed(parser, (struct span){0}, &hello), 0);
	assert_int_equal(tls_hello_feed(parser, SPAN_LITERAL("GET"), &hello), -EPROTO);
	assert_int_equal(tls_hello_feed(parser, span_of(b.at, b.len), &hello), -EPROTO);
	tls_hello_free(parser);
	tls_hello_free(NULL);
}

static void the_largest(void **state)
{
	static char ciphers[5 * 8000];
	struct recipe recipe = {.ciphers = ciphers};
	struct tls_hello hello;

	(void)state;
	for (size_t i = 0; i < 8000; i++)
		memcpy(ciphers + 5 * i, i < 7999 ? "1301," : "1301", 5);
	assert_int_equal(parse(&recipe, &hello), 1);
	assert_memory_equal(hello.ja4, "t12i9900", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ja4_published),
		cmocka_unit_test(ja4_corners),
		cmocka_unit_test(ja4_alpn_characters),
		cmocka_unit_test(facts),
		cmocka_unit_test(host_names),
		cmocka_unit_test(any_cut_gives_the_same),
		cmocka_unit_test(every_truncation_wants_more),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(not_tls),
		cmocka_unit_test(the_end_is_final),
		cmocka_unit_test(the_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
