/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/websocket.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "protocol/http1.h"
#include "unit/protocol/http_recorder.h"
#include "unit/protocol/websocket_maker.h"
#include "util/cleanup.h"

#define ASK    "GET /s HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
#define ACCEPT "HTTP/1.1 101 X\r\nUpgrade: WebSocket\r\n\r\n"
#define HEADS  "1> GET /s 1.1 39\n  Upgrade=websocket\n1> end\n1< 101 1.1 38\n  Upgrade=WebSocket\n"

static struct socket_bytes out, in;

static void begin(void)
{
	out.len = in.len = 0;
	socket_text(&out, ASK);
	socket_text(&in, ACCEPT);
}

/* Both directions in one turn each after the handshake, in pieces; `lost` bytes are left out. */
struct how {
	size_t step;
	enum stream_dir dir;
	size_t at, lost;
};

static int feed(void *state, enum stream_dir dir, const struct socket_bytes *s, size_t from,
		size_t to, size_t step)
{
	int r = 0;

	for (size_t i = from; i < to;) {
		size_t n = step && step < to - i ? step : to - i;
		_cleanup_free_ char *copy = malloc(n);

		memcpy(copy, s->at + i, n);
		r = http1_protocol.feed(state, dir, span_of(copy, n));
		i += n;
	}
	return r;
}

static int feed_spoilt(void *state, enum stream_dir dir, const struct socket_bytes *s, size_t from,
		       const struct how *how)
{
	if (!how->lost || how->dir != dir)
		return feed(state, dir, s, from, s->len, how->step);
	feed(state, dir, s, from, how->at, how->step);
	http1_protocol.gap(state, dir, how->lost);
	return feed(state, dir, s, how->at + how->lost, s->len, how->step);
}

static char *run(const struct how *how, int *result, struct recorder *r)
{
	void *state = calloc(1, http1_protocol.state_bytes);
	int a, b;

	recorder_init(r);
	http1_protocol.init(state, true, &recorder_listener, r);
	feed(state, DIR_OUT, &out, 0, strlen(ASK), how->step);
	feed(state, DIR_IN, &in, 0, strlen(ACCEPT), how->step);
	a = feed_spoilt(state, DIR_OUT, &out, strlen(ASK), how);
	b = feed_spoilt(state, DIR_IN, &in, strlen(ACCEPT), how);
	*result = a < 0 ? a : b;
	http1_protocol.done(state);
	free(state);
	return recorder_take(r);
}

static void check(int result, const char *expected)
{
	for (size_t step = 0; step < 40; step++) {
		struct how how = {.step = step};
		struct recorder r;
		_cleanup_free_ char *told = NULL;
		int got;

		told = run(&how, &got, &r);
		assert_string_equal(told, expected);
		assert_int_equal(got, result);
		if (!result) {
			assert_int_equal(r.total[DIR_OUT], out.len);
			assert_int_equal(r.total[DIR_IN], in.len);
		}
	}
}

static void test_messages(void **state)
{
	(void)state;
	begin();
	socket_frame(&out, 0x81, true, "hello", 5);
	socket_frame(&out, 0x82, true, "", 0);
	socket_frame(&in, 0x01, false, "wor", 3);
	socket_frame(&in, 0x89, false, "ping", 4);
	socket_frame(&in, 0x00, false, "", 0);
	socket_frame(&in, 0x80, false, "ld", 2);
	socket_frame(&out, 0x8a, true, "pong", 4);
	socket_frame(&out, 0xc1, true, "deflated", 8);
	check(0, HEADS "1> body [(hello)(){deflated)]\n1< body [(world)]\n1 end cut\n");
	socket_frame(&out, 0x88, true, "\3\350", 2);
	check(0, HEADS "1> body [(hello)(){deflated)]\n1< body [(world)]\n1 end complete\n");
}

static void test_lengths(void **state)
{
	static const size_t lengths[] = {0, 1, 125, 126, 127, 65535, 65536, 100000};
	static char text[100001];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct how how = {.step = 0};
		struct recorder r;

		begin();
		socket_frame(&out, 0x81, true, text, lengths[i]);
		socket_frame(&in, 0x81, false, text, lengths[i]);
		for (how.step = 0; how.step < 5000; how.step = how.step * 7 + 1) {
			_cleanup_free_ char *told = NULL;
			int result;

			told = run(&how, &result, &r);
			assert_int_equal(result, 0);
			assert_int_equal(r.total[DIR_OUT], out.len);
			assert_int_equal(r.total[DIR_IN], in.len);
			text[lengths[i]] = '\0';
			assert_non_null(strstr(told, text));
			text[lengths[i]] = 'x';
		}
		text[sizeof(text) - 1] = '\0';
	}
}

static void test_malformed(void **state)
{
	static const struct {
		const char *at;
		size_t len;
	} bad[] = {
		{"\x81\x05hello", 7},                   /* not masked */
		{"\xa1\x80keys", 6},                    /* reserved */
		{"\x83\x80keys", 6},                    /* opcodes nobody knows */
		{"\x8b\x80keys", 6},                    /* ... */
		{"\x09\x80keys", 6},                    /* a control frame in fragments */
		{"\x89\xfe\0\xffkeys", 8},              /* a long one */
		{"\xc9\x80keys", 6},                    /* a compressed one */
		{"\x80\x80keys", 6},                    /* more of nothing */
		{"\x01\x80keys\x81\x80keys", 12},       /* a message within another */
		{"\x01\x80keys\xc0\x80keys", 12},       /* marked in the middle */
		{"\x81\xff\x80\0\0\0\0\0\0\0keys", 14}, /* 2^63 bytes */
		{"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffkeys", 14},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		for (size_t step = 0; step < 5; step++) {
			struct how how = {.step = step};
			struct recorder r;
			_cleanup_free_ char *told = NULL;
			int result;

			begin();
			socket_raw(&out, bad[i].at, bad[i].len);
			told = run(&how, &result, &r);
			assert_int_equal(result, -EPROTO);
			assert_int_equal(r.ends[EXCHANGE_DESYNCED], 1);
		}
	}
	begin();
	socket_frame(&in, 0x81, true, "masked by a server", 18);
	{
		struct how how = {.step = 3};
		struct recorder r;
		int result;

		free(run(&how, &result, &r));
		assert_int_equal(result, -EPROTO);
	}
}

/* The largest length that is allowed costs nothing. */
static void test_endless(void **state)
{
	(void)state;
	begin();
	socket_raw(&out, "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0abc", 17);
	check(0, HEADS "1> body [(abc]\n1 end cut\n");
}

/* Only a request and a response that agree make a WebSocket. */
static void test_no_upgrade(void **state)
{
	static const char *const pairs[][2] = {
		{"GET / HTTP/1.1\r\n\r\n", ACCEPT},
		{ASK, "HTTP/1.1 101 X\r\nUpgrade: h2c\r\n\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		void *h = calloc(1, http1_protocol.state_bytes);
		struct recorder r;

		recorder_init(&r);
		http1_protocol.init(h, true, &recorder_listener, &r);
		http1_protocol.feed(h, DIR_OUT, span_str(pairs[i][0]));
		assert_int_equal(http1_protocol.feed(h, DIR_IN, span_str(pairs[i][1])), 0);
		assert_int_equal(r.open, 0);
		assert_int_equal(http1_protocol.feed(h, DIR_IN, SPAN_LITERAL("\x81")), -EPROTO);
		http1_protocol.done(h);
		free(h);
		free(recorder_take(&r));
	}
	/* refused: HTTP goes on */
	begin();
	in.len = 0;
	socket_text(&in, "HTTP/1.1 403 X\r\nContent-Length: 2\r\n\r\nno");
	{
		void *h = calloc(1, http1_protocol.state_bytes);
		struct recorder r;

		recorder_init(&r);
		http1_protocol.init(h, true, &recorder_listener, &r);
		http1_protocol.feed(h, DIR_OUT, SPAN_LITERAL(ASK));
		http1_protocol.feed(h, DIR_IN, span_of(in.at, in.len));
		http1_protocol.feed(h, DIR_OUT, SPAN_LITERAL("GET /2 HTTP/1.1\r\n\r\n"));
		assert_int_equal(r.requests, 2);
		http1_protocol.done(h);
		free(h);
		free(recorder_take(&r));
	}
}

/* Every position lost: the same however cut, and losses inside a payload cost that alone. */
static void test_gaps(void **state)
{
	(void)state;
	begin();
	socket_frame(&out, 0x81, true, "0123456789", 10);
	socket_frame(&out, 0x81, true, "second", 6);
	socket_frame(&in, 0x01, false, "abcdefghij", 10);
	socket_frame(&in, 0x80, false, "klm", 3);
	socket_frame(&in, 0x81, false, "last", 4);
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		const struct socket_bytes *s = dir == DIR_OUT ? &out : &in;
		size_t head = dir == DIR_OUT ? strlen(ASK) : strlen(ACCEPT);

		for (size_t at = head; at < s->len; at++) {
			for (size_t lost = 1; lost < 12 && at + lost <= s->len; lost++) {
				struct how how = {0, (enum stream_dir)dir, at, lost};
				_cleanup_free_ char *whole = NULL, *bytes = NULL;
				struct recorder r;
				int result;

				whole = run(&how, &result, &r);
				assert_int_equal(result, 0);
				how.step = 1;
				bytes = run(&how, &result, &r);
				assert_string_equal(whole, bytes);
			}
		}
	}
	{
		struct how how = {3, DIR_OUT, strlen(ASK) + 6 + 4, 3};
		_cleanup_free_ char *told = NULL;
		struct recorder r;
		int result;

		told = run(&how, &result, &r);
		assert_non_null(strstr(told, "1> body [(0123<3>789)(second)]\n"));
	}
}

/* After the frames of one direction were lost, its next turn begins one. */
static void test_recovers(void **state)
{
	void *h = calloc(1, http1_protocol.state_bytes);
	_cleanup_free_ char *told = NULL;
	struct recorder r;

	(void)state;
	recorder_init(&r);
	http1_protocol.init(h, true, &recorder_listener, &r);
	http1_protocol.feed(h, DIR_OUT, SPAN_LITERAL(ASK));
	http1_protocol.feed(h, DIR_IN, SPAN_LITERAL(ACCEPT));
	http1_protocol.feed(h, DIR_IN, SPAN_LITERAL("\x81\x02hi"));
	http1_protocol.gap(h, DIR_IN, 100);
	http1_protocol.feed(h, DIR_IN, SPAN_LITERAL("the rest of something"));
	http1_protocol.feed(h, DIR_OUT, SPAN_LITERAL("\x81\x82\0\0\0\0me"));
	http1_protocol.feed(h, DIR_IN, SPAN_LITERAL("no frame"));
	http1_protocol.feed(h, DIR_OUT, SPAN_LITERAL("\x81\x82\0\0\0\0me"));
	assert_int_equal(http1_protocol.feed(h, DIR_IN, SPAN_LITERAL("\x81\x03you")), 0);
	http1_protocol.done(h);
	free(h);
	told = recorder_take(&r);
	assert_string_equal(told,
			    HEADS "1> body [(me)(me)]\n1< body [(hi)<101>(you)]\n1 end cut\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),   cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_malformed),  cmocka_unit_test(test_endless),
		cmocka_unit_test(test_no_upgrade), cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
