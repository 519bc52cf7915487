/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Calls on a WebSocket, as Codex makes them: each is one by itself. */
#include "api/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/api/conversation.h"
#include "unit/protocol/websocket_maker.h"
#include "util/cleanup.h"

static struct socket_bytes bytes[DIR_COUNT];
/* Turns: where each ends, in order of time. */
static struct {
	enum stream_dir dir;
	size_t end;
} turns[16];
static size_t turn_count;

static void turn(enum stream_dir dir)
{
	assert_true(turn_count < ARRAY_SIZE(turns));
	turns[turn_count].dir = dir;
	turns[turn_count++].end = bytes[dir].len;
}

static const char *const asks[] = {
	"{\"type\":\"response.create\",\"model\":\"gpt-5\",\"input\":[{\"role\":\"user\"}],"
	"\"tools\":[{},{}]}",
	"{\"type\":\"response.create\",\"model\":\"gpt-5-mini\",\"input\":\"again\"}",
};
static const char *const answers[2][3] = {
	{"{\"type\":\"response.created\",\"response\":{\"object\":\"response\",\"status\":"
	 "\"in_progress\",\"model\":\"gpt-5-2025-08-07\"}}",
	 "{\"type\":\"response.output_text.delta\",\"delta\":\"hello\"}",
	 "{\"type\":\"response.completed\",\"response\":{\"object\":\"response\",\"status\":"
	 "\"completed\",\"model\":\"gpt-5-2025-08-07\",\"usage\":{\"input_tokens\":100,"
	 "\"output_tokens\":20,\"input_tokens_details\":{\"cached_tokens\":64},"
	 "\"output_tokens_details\":{\"reasoning_tokens\":8},\"total_tokens\":120}}}"},
	{"{\"type\":\"response.created\",\"response\":{\"object\":\"response\",\"status\":"
	 "\"in_progress\",\"model\":\"gpt-5-mini-1\"}}",
	 "{\"type\":\"response.output_text.delta\",\"delta\":\"world\"}",
	 "{\"type\":\"response.completed\",\"response\":{\"object\":\"response\",\"status\":"
	 "\"completed\",\"model\":\"gpt-5-mini-1\",\"usage\":{\"input_tokens\":7,"
	 "\"output_tokens\":5,\"total_tokens\":12}}}"},
};

#define FACTS                                                                                      \
	"openai-responses req=gpt-5 res=gpt-5-2025-08-07 stream=1 finish=completed error= "        \
	"reported in=100 out=20 read=64 new=-1 reason=8 shape=11\n"                                \
	"openai-responses req=gpt-5-mini res=gpt-5-mini-1 stream=1 finish=completed error= "       \
	"reported in=7 out=5 read=-1 new=-1 reason=-1 shape=11\n"

/* `extensions` NULL: nothing is compressed. */
static void make(const char *extensions)
{
	bool alone = extensions && strstr(extensions, "no_context");
	z_stream z[DIR_COUNT] = {0};

	bytes[DIR_OUT].len = bytes[DIR_IN].len = turn_count = 0;
	socket_text(&bytes[DIR_OUT],
		    "GET /v1/responses HTTP/1.1\r\nHost: api.example.com\r\nConnection: Upgrade\r\n"
		    "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate; "
		    "client_max_window_bits\r\n\r\n");
	turn(DIR_OUT);
	socket_text(&bytes[DIR_IN], "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n");
	if (extensions)
		socket_text(&bytes[DIR_IN], extensions);
	socket_text(&bytes[DIR_IN], "\r\n");
	turn(DIR_IN);
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		if (extensions)
			socket_deflated(&bytes[DIR_OUT], &z[DIR_OUT], true, alone, i, asks[i]);
		else
			socket_frame(&bytes[DIR_OUT], 0x81, true, asks[i], strlen(asks[i]));
		turn(DIR_OUT);
		for (size_t part = 0; part < 3; part++) {
			const char *text = answers[i][part];

			if (extensions)
				socket_deflated(&bytes[DIR_IN], &z[DIR_IN], false, alone, part == 2,
						text);
			else
				socket_frame(&bytes[DIR_IN], 0x81, false, text, strlen(text));
		}
		turn(DIR_IN);
	}
	deflateEnd(&z[DIR_OUT]);
	deflateEnd(&z[DIR_IN]);
}

static void feed(struct conversation *c, size_t step, enum stream_dir dir, size_t at, size_t lost)
{
	size_t done[DIR_COUNT] = {0};

	for (size_t i = 0; i < turn_count; i++) {
		enum stream_dir d = turns[i].dir;

		while (done[d] < turns[i].end) {
			size_t n = turns[i].end - done[d];
			_cleanup_free_ char *copy = NULL;

			if (step && n > step)
				n = step;
			if (lost && d == dir && done[d] < at && done[d] + n > at)
				n = at - done[d];
			if (lost && d == dir && done[d] == at) {
				n = lost < turns[i].end - at ? lost : turns[i].end - at;
				http1_protocol.gap(c->http, d, n);
			} else {
				copy = malloc(n);
				memcpy(copy, bytes[d].at + done[d], n);
				assert_int_equal(conversation_feed(c, d, copy, n), 0);
			}
			done[d] += n;
		}
	}
}

static char *run(size_t step, enum stream_dir dir, size_t at, size_t lost)
{
	struct conversation c;

	conversation_begin(&c);
	feed(&c, step, dir, at, lost);
	return conversation_finish(&c);
}

static const char *const extensions[] = {
	NULL,
	"Sec-WebSocket-Extensions: permessage-deflate\r\n",
	"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10; "
	"client_max_window_bits=15\r\n",
	"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
	"client_no_context_takeover\r\n",
};

static void test_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		make(extensions[i]);
		for (size_t step = 0; step < 50; step++) {
			_cleanup_free_ char *told = run(step, DIR_OUT, 0, 0);

			assert_string_equal(told, FACTS);
		}
	}
}

/* A socket that is closed while a call is open, and one on which nothing was asked. */
static void test_cut(void **state)
{
	struct conversation c;

	(void)state;
	make(extensions[1]);
	for (turn_count = 0; turn_count <= 6; turn_count++) {
		conversation_begin(&c);
		feed(&c, 0, DIR_OUT, 0, 0);
		free(conversation_finish(&c));
		/* a refused or unanswered handshake is told, an idle socket is not */
		assert_int_equal(c.ended, turn_count == 0   ? 0
					  : turn_count == 1 ? 1
							    : (turn_count - 1) / 2);
		if (turn_count == 3 || turn_count == 5) {
			assert_int_equal(c.last.usage.source == USAGE_REPORTED, 0);
			assert_true(c.last.request_model[0]);
		}
	}
}

/* Every position lost: nothing that was not so; without a history the next call is whole again. */
static void test_gaps(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		unsigned int second = 0;

		make(extensions[i]);
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			for (size_t at = turns[dir].end; at < bytes[dir].len; at++) {
				_cleanup_free_ char *told = run(0, (enum stream_dir)dir, at, 3);
				_cleanup_free_ char *again = run(1, (enum stream_dir)dir, at, 3);

				assert_string_equal(told, again);
				assert_true(!strstr(told, "in=") || strstr(told, "in=100") ||
					    strstr(told, "in=7") || strstr(told, "in=-1") ||
					    strstr(told, " text "));
				second += strstr(told, "res=gpt-5-mini-1 stream=1 "
						       "finish=completed error= reported in=7 "
						       "out=5") != NULL;
			}
		}
		assert_true(second > 100);
	}
}

/* A bomb in a message costs what it may, and that message. */
static void test_bomb(void **state)
{
	static char zeros[1 << 20];
	static char packed[1 << 20];
	z_stream z = {0};
	struct conversation c;

	(void)state;
	make(extensions[1]);
	turn_count = 2;
	bytes[DIR_OUT].len = turns[0].end;
	deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	z.next_out = (unsigned char *)packed;
	z.avail_out = sizeof(packed);
	for (int i = 0; i < 64; i++) {
		z.next_in = (unsigned char *)zeros;
		z.avail_in = sizeof(zeros);
		deflate(&z, i == 63 ? Z_SYNC_FLUSH : Z_NO_FLUSH);
	}
	socket_frame(&bytes[DIR_OUT], 0xc1, true, packed, z.total_out - 4);
	deflateEnd(&z);
	turn(DIR_OUT);
	conversation_begin(&c);
	feed(&c, 0, DIR_OUT, 0, 0);
	free(conversation_finish(&c));
	assert_int_equal(c.ended, 1);
	assert_true(c.last.truncated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
