/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/tunnel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/cleanup.h"

/* What a client and its proxy say, in turns, each up to where the tunnel is open, and then some. */
struct turn_of {
	enum stream_dir dir;
	struct span bytes;
};

#define OUT(text)                                                                                  \
	{                                                                                          \
		DIR_OUT, SPAN_LITERAL(text)                                                        \
	}
#define IN(text)                                                                                   \
	{                                                                                          \
		DIR_IN, SPAN_LITERAL(text)                                                         \
	}
#define TURNS_MAX 8

struct talk {
	const char *label;
	struct turn_of turns[TURNS_MAX];
	const char *how, *name; /* name NULL: the address */
	uint8_t address[16];
	uint8_t family;
	uint16_t port;
	bool refused;
	bool no_answer; /* of the last question */
};

#define INSIDE "\x16\3\1\0\5hello"

static const struct talk talks[] = {
	{"a CONNECT as curl sends it",
	 {OUT("CONNECT API.OpenAI.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n"
	      "User-Agent: curl/7.88.1\r\nProxy-Connection: Keep-Alive\r\n\r\n"),
	  IN("HTTP/1.1 200 Connection established\r\n\r\n"), OUT(INSIDE), IN(INSIDE)},
	 "http_connect",
	 "api.openai.com",
	 .port = 443},
	{"the shortest, with the ClientHello right behind it",
	 {OUT("CONNECT a.b:1 HTTP/1.0\n\n" INSIDE), IN("HTTP/1.0 200\n\n" INSIDE)},
	 "http_connect",
	 "a.b",
	 .port = 1},
	{"again, with credentials",
	 {OUT("CONNECT a.b:443 HTTP/1.1\r\n\r\n"),
	  IN("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nno\r\n"),
	  OUT("CONNECT a.b:443 HTTP/1.1\r\nProxy-Authorization: Basic c2VjcmV0\r\n\r\n"),
	  IN("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), OUT(INSIDE), IN(INSIDE)},
	 "http_connect",
	 "a.b",
	 .port = 443},
	{"through one proxy to another",
	 {OUT("CONNECT second.example:8080 HTTP/1.1\r\n\r\n"), IN("HTTP/1.1 200 OK\r\n\r\n"),
	  OUT("CONNECT [2001:db8::1]:8443 HTTP/1.1\r\n\r\n"), IN("HTTP/1.1 200 OK\r\n\r\n"),
	  OUT(INSIDE), IN(INSIDE)},
	 "http_connect",
	 NULL,
	 {0x20, 1, 0xd, 0xb8, [15] = 1},
	 6,
	 8443},
	{"a CONNECT that is refused",
	 {OUT("CONNECT a.b:443 HTTP/1.1\r\n\r\n"), IN("HTTP/1.1 403 No\r\n\r\nnever")},
	 "http_connect",
	 "a.b",
	 .port = 443,
	 .refused = true,
	 .no_answer = true},
	{"SOCKS5 with a name",
	 {OUT("\5\2\0\1"), IN("\5\0"),
	  OUT("\5\1\0\3\x0e"
	      "api.openai.com\1\xbb"),
	  IN("\5\0\0\1\0\0\0\0\0\0"), OUT(INSIDE), IN(INSIDE)},
	 "socks5",
	 "api.openai.com",
	 .port = 443},
	{"SOCKS5 with an address of IPv4, which the proxy tells by a name",
	 {OUT("\5\1\0"), IN("\5\0"), OUT("\5\1\0\1\xcb\0\x71\x0a\x01\xbb"),
	  IN("\5\0\0\3\4here\x10\x20"), OUT(INSIDE), IN(INSIDE)},
	 "socks5",
	 NULL,
	 {203, 0, 113, 10},
	 4,
	 443},
	{"SOCKS5 with an address of IPv6 and a password that looks like a request",
	 {OUT("\5\2\0\2"), IN("\5\2"), OUT("\1\5alice\4\5\1\0\1"), IN("\1\0"),
	  OUT("\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x01\xbb"),
	  IN("\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), OUT(INSIDE), IN(INSIDE)},
	 "socks5",
	 NULL,
	 {0x20, 1, 0xd, 0xb8, [15] = 1},
	 6,
	 443},
	{"SOCKS5 that does not wait for answers",
	 {OUT("\5\1\0\5\1\0\3\3a.b\x01\xbb" INSIDE), IN("\5\0\5\0\0\1\0\0\0\0\0\0" INSIDE)},
	 "socks5",
	 "a.b",
	 .port = 443},
	{"SOCKS5 that is refused",
	 {OUT("\5\1\0"), IN("\5\0"), OUT("\5\1\0\3\3a.b\x01\xbb"), IN("\5\5\0\1\0\0\0\0\0\0")},
	 "socks5",
	 "a.b",
	 .port = 443,
	 .refused = true},
	{"SOCKS4",
	 {OUT("\4\1\x01\xbb\xcb\0\x71\x0a"
	      "bob\0"),
	  IN("\0\x5a\0\0\0\0\0\0"), OUT(INSIDE), IN(INSIDE)},
	 "socks4",
	 NULL,
	 {203, 0, 113, 10},
	 4,
	 443},
	{"SOCKS4a, refused",
	 {OUT("\4\1\x01\xbb\0\0\0\1\0api.openai.com\0"), IN("\0\x5b\0\0\0\0\0\0")},
	 "socks4",
	 "api.openai.com",
	 .port = 443,
	 .refused = true},
};

/* Feeds in pieces, each in memory of its own for the sanitizer; the count that is inside, by direction. */
static void run(struct tunnel *t, const struct talk *talk, size_t step, size_t inside[DIR_COUNT])
{
	memset(t, 0, sizeof(*t));
	inside[DIR_OUT] = inside[DIR_IN] = 0;
	for (size_t i = 0; i < TURNS_MAX && talk->turns[i].bytes.len; i++) {
		const struct turn_of *turn = &talk->turns[i];

		for (struct span rest = turn->bytes; rest.len;) {
			size_t n = step < rest.len ? step : rest.len;
			char *copy = malloc(n);
			ssize_t used;

			memcpy(copy, rest.at, n);
			used = inside[turn->dir] ? 0 : tunnel_feed(t, turn->dir, span_of(copy, n));
			free(copy);
			if (used < 0)
				fail_msg("%s: not read", talk->label);
			inside[turn->dir] += n - (size_t)used;
			rest = span_skip(rest, n);
		}
	}
}

static void reads(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(talks); i++) {
		const struct talk *talk = &talks[i];
		size_t expect = talk->refused ? 0 : strlen("0123456789");

		assert_int_equal(tunnel_guess(talk->turns[0].bytes), PROTOCOL_YES);
		for (size_t step = 1; step < 40; step++) {
			size_t inside[DIR_COUNT];
			struct tunnel t;

			run(&t, talk, step, inside);
			if (!t.open[DIR_OUT] || t.open[DIR_IN] == talk->no_answer ||
			    t.refused != talk->refused || inside[DIR_OUT] != expect ||
			    inside[DIR_IN] != expect)
				fail_msg("%s, step %zu: open %d %d refused %d inside %zu %zu",
					 talk->label, step, t.open[DIR_OUT], t.open[DIR_IN],
					 t.refused, inside[DIR_OUT], inside[DIR_IN]);
			assert_string_equal(t.target.how, talk->how);
			assert_string_equal(t.target.name, talk->name ? talk->name : "");
			assert_int_equal(t.target.address.family, talk->family);
			assert_memory_equal(t.target.address.bytes, talk->address, 16);
			assert_int_equal(t.target.port, talk->port);
		}
	}
}

/* Whatever the first question is cut to, it is neither open nor refused yet. */
static void truncations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(talks); i++) {
		struct span first = talks[i].turns[0].bytes;
		struct tunnel whole = {0};
		size_t used = (size_t)tunnel_feed(&whole, DIR_OUT, first);

		for (size_t cut = 0; cut < used; cut++) {
			struct tunnel t = {0};

			assert_int_equal(tunnel_feed(&t, DIR_OUT, span_of(first.at, cut)), cut);
			assert_false(t.open[DIR_OUT]);
			assert_false(t.failed);
			assert_int_not_equal(tunnel_guess(span_of(first.at, cut)), PROTOCOL_NO);
		}
	}
}

static void password_is_not_held(void **state)
{
	struct tunnel t;
	size_t inside[DIR_COUNT];
	static const struct talk basic = {
		"basic",
		{OUT("CONNECT a.b:443 HTTP/1.1\r\nProxy-Authorization: Basic hunter2\r\n\r\n")}};
	static const struct talk socks = {"socks",
					  {OUT("\5\1\2\1\1u\7hunter2\5\1\0\3\3a.b\1\xbb")}};

	(void)state;
	run(&t, &basic, 1, inside);
	assert_true(t.open[DIR_OUT]);
	assert_null(memmem(&t, sizeof(t), "hunter", 6));
	run(&t, &socks, 1, inside);
	assert_true(t.open[DIR_OUT]);
	assert_null(memmem(&t, sizeof(t), "hunter", 6));
}

static void refuses(void **state)
{
	static char long_name[400] = "CONNECT ";
	static const struct span cases[] = {
		SPAN_LITERAL("GET / HTTP/1.1\r\n"),
		SPAN_LITERAL("CONNECTED"),
		SPAN_LITERAL("CONNECT a.b HTTP/1.1\r\n"),  /* no port */
		SPAN_LITERAL("CONNECT a.b: HTTP/1.1\r\n"), /* nor here */
		SPAN_LITERAL("CONNECT a.b:65536 HTTP/1.1\r\n"),
		SPAN_LITERAL("CONNECT a.b:4a HTTP/1.1\r\n"),
		SPAN_LITERAL("CONNECT a b:443 HTTP/1.1\r\n"),
		SPAN_LITERAL("CONNECT a..b:443 HTTP/1.1\r\n"),
		SPAN_LITERAL("CONNECT a\r\nb:443 HTTP/1.1\r\n"),
		SPAN_LITERAL("\5\0"),
		SPAN_LITERAL("\5\x30"),
		SPAN_LITERAL("\5\1\1\1\1"), /* GSSAPI alone */
		SPAN_LITERAL("\5\1\0\4"),
		SPAN_LITERAL("\5\1\0\5\2\0\1\0\0\0\0\0\0"), /* BIND */
		SPAN_LITERAL("\5\1\0\5\1\0\2\1"),           /* no type of address */
		SPAN_LITERAL("\5\1\0\5\1\0\3\0\1\xbb"),     /* an empty name */
		SPAN_LITERAL("\4\2\1\xbb\1\2\3\4\0"),       /* BIND */
		SPAN_LITERAL("\4\1\1\xbb\0\0\0\1\0a/b\0"),
		{long_name, sizeof(long_name)},
		SPAN_LITERAL("\x16\3\1"),
	};

	(void)state;
	memset(long_name + 8, 'a', sizeof(long_name) - 8);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tunnel t = {0}, bytewise = {0};
		ssize_t r = 0;

		assert_int_equal(tunnel_feed(&t, DIR_OUT, cases[i]), -EPROTO);
		assert_int_equal(
			tunnel_feed(&t, DIR_OUT, SPAN_LITERAL("CONNECT a.b:1 HTTP/1.1\n\n")),
			-EPROTO);
		for (size_t at = 0; at < cases[i].len && r >= 0; at++)
			r = tunnel_feed(&bytewise, DIR_OUT, span_of(cases[i].at + at, 1));
		assert_int_equal(r, -EPROTO);
	}
}

static void answers_that_are_none(void **state)
{
	static const struct span cases[] = {
		SPAN_LITERAL("SSH-2.0"),
		SPAN_LITERAL("HTTP/1.1 2x"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tunnel t = {0};

		tunnel_feed(&t, DIR_OUT, SPAN_LITERAL("CONNECT a.b:1 HTTP/1.1\n\n"));
		assert_true(t.open[DIR_OUT]);
		assert_int_equal(tunnel_feed(&t, DIR_IN, cases[i]), -EPROTO);
	}
	struct tunnel none = {0};

	assert_int_equal(tunnel_feed(&none, DIR_IN, SPAN_LITERAL("HTTP/1.1 200\r\n\r\n")), -EPROTO);
}

static void guesses(void **state)
{
	(void)state;
	assert_int_equal(tunnel_guess((struct span){0}), PROTOCOL_MAYBE);
	assert_int_equal(tunnel_guess(SPAN_LITERAL("C")), PROTOCOL_MAYBE);
	assert_int_equal(tunnel_guess(SPAN_LITERAL("P")), PROTOCOL_NO);
	assert_int_equal(tunnel_guess(SPAN_LITERAL("\x16")), PROTOCOL_NO);
	/* a long user's name is nobody's */
	char user[100] = {4, 1, 1, 1, 1, 1, 1, 1};

	memset(user + 8, 'x', sizeof(user) - 8);
	assert_int_equal(tunnel_guess(span_of(user, sizeof(user))), PROTOCOL_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(truncations),
		cmocka_unit_test(password_is_not_held),
		cmocka_unit_test(refuses),
		cmocka_unit_test(answers_that_are_none),
		cmocka_unit_test(guesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
