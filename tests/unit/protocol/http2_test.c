/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/http2.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gnomon/limits.h"
#include "unit/protocol/http2_maker.h"
#include "unit/protocol/http_recorder.h"
#include "util/cleanup.h"

static struct made made;

struct stream {
	struct recorder recorder;
	void *state;
	int result;
};

static void stream_begin(struct stream *s, bool is_client)
{
	recorder_init(&s->recorder);
	s->state = calloc(1, http2_protocol.state_bytes);
	http2_protocol.init(s->state, is_client, &recorder_listener, &s->recorder);
	s->result = 0;
}

static void stream_feed(struct stream *s, enum stream_dir dir, const char *at, size_t len)
{
	_cleanup_free_ char *copy = malloc(len ? len : 1);
	int r;

	memcpy(copy, at, len);
	r = http2_protocol.feed(s->state, dir, span_of(copy, len));
	if (r < 0)
		s->result = r;
}

static char *stream_finish(struct stream *s)
{
	http2_protocol.done(s->state);
	free(s->state);
	return recorder_take(&s->recorder);
}

/* How a run cuts and spoils what was made. */
struct how {
	size_t step; /* 0: whole turns */
	unsigned int seed;
	size_t skip;     /* begins midway */
	size_t at, lost; /* bytes left out there, as far as one turn reaches */
	size_t limit;    /* ends there, 0: nowhere */
	bool server;
};

static void feed_cut(struct stream *s, enum stream_dir dir, const char *at, size_t len,
		     const struct how *how, unsigned int *seed)
{
	for (size_t i = 0; i < len;) {
		size_t n = *seed ? (size_t)rand_r(seed) % 40 + 1 : how->step ? how->step : len;

		if (n > len - i)
			n = len - i;
		stream_feed(s, dir, at + i, n);
		i += n;
	}
}

static void feed_made(struct stream *s, const struct made *m, const struct how *how)
{
	unsigned int seed = how->seed;

	for (size_t turn = 0, at = how->skip; turn < m->count; turn++) {
		enum stream_dir dir = how->server ? DIR_IN - m->turns[turn].dir
						  : m->turns[turn].dir;
		size_t end = m->turns[turn].end;

		if (how->limit && end > how->limit)
			end = how->limit;
		if (how->lost && at <= how->at && how->at < end) {
			size_t lost = how->lost < end - how->at ? how->lost : end - how->at;

			feed_cut(s, dir, m->bytes + at, how->at - at, how, &seed);
			if (http2_protocol.gap(s->state, dir, lost) < 0)
				s->result = -EPROTO;
			at = how->at + lost;
		}
		if (at < end) {
			feed_cut(s, dir, m->bytes + at, end - at, how, &seed);
			at = end;
		}
	}
}

static char *run(const struct made *m, const struct how *how, struct stream *s)
{
	stream_begin(s, !how->server);
	feed_made(s, m, how);
	return stream_finish(s);
}

/* Whole, in steps and at random: all must tell `expected`. */
static void check_how(const struct made *m, struct how how, int result, const char *expected)
{
	struct stream s;

	for (how.step = 0; how.step < 20; how.step++) {
		_cleanup_free_ char *told = run(m, &how, &s);

		assert_string_equal(told, expected);
		assert_int_equal(s.result, result);
	}
	for (how.seed = 1; how.seed < 30; how.seed++) {
		_cleanup_free_ char *told = run(m, &how, &s);

		assert_string_equal(told, expected);
		assert_int_equal(s.result, result);
	}
}

static void check(const struct made *m, int result, const char *expected)
{
	check_how(m, (struct how){0}, result, expected);
	check_how(m, (struct how){.server = true}, result, expected);
}

#define HEAD(path)                                                                                 \
	"POST " path " 2\n  host=api.example.com\n  content-type=application/json\n"               \
	"  user-agent=test/1\n"
#define STATUS(code) code " 2\n  content-type=application/json\n  server=stand-in\n"

static void test_one(void **state)
{
	(void)state;
	made_begin(&made);
	made_headers(&made, DIR_OUT, 1, false, MADE_POST("/v1/x"));
	made_data(&made, DIR_OUT, 1, false, "hel");
	made_data(&made, DIR_OUT, 1, true, "lo");
	made_headers(&made, DIR_IN, 1, false, MADE_OK);
	made_data(&made, DIR_IN, 1, false, "o");
	made_data(&made, DIR_IN, 1, true, "k");
	made_done(&made);
	check(&made, 0,
	      "1> " HEAD("/v1/x") "1> end\n1< " STATUS("200") "1> body [hello]\n1< body [ok]\n"
							      "1 end complete\n");
}

/* Two exchanges whose frames alternate, the second using the history of the first's headers; the
 * answers come in the other order. */
static void make_two(void)
{
	made_begin(&made);
	made_headers(&made, DIR_OUT, 1, false, MADE_POST("/1"));
	made_headers(&made, DIR_OUT, 3, false, MADE_POST("/2"));
	made_data(&made, DIR_OUT, 3, false, "B");
	made_data(&made, DIR_OUT, 1, true, "A");
	made_data(&made, DIR_OUT, 3, true, "BB");
	made_headers(&made, DIR_IN, 3, false, MADE_OK);
	made_data(&made, DIR_IN, 3, false, "b");
	made_headers(&made, DIR_IN, 1, false, MADE_OK);
	made_data(&made, DIR_IN, 1, false, "a");
	made_data(&made, DIR_IN, 3, true, "bb");
	made_frame(&made, DIR_OUT, HTTP2_WINDOW_UPDATE, 0, 0, "\0\0\1\0", 4);
	made_frame(&made, DIR_IN, HTTP2_PING, 0, 0, "12345678", 8);
	made_data(&made, DIR_IN, 1, true, "aa");
	made_done(&made);
}

#define TWO                                                                                        \
	"1> " HEAD("/1") "2> " HEAD("/2") "1> end\n2> end\n2< " STATUS("200") "1< " STATUS(        \
		"200") "2> body [BBB]\n2< body [bbb]\n2 end complete\n1> body [A]\n1< body "       \
		       "[aaa]\n"                                                                   \
		       "1 end complete\n"

static void test_two(void **state)
{
	(void)state;
	make_two();
	check(&made, 0, TWO);
}

/* Padding, priority, interim responses, trailers, blocks in pieces, frames nobody knows. */
static void test_frames(void **state)
{
	char block[1024];
	size_t n;

	(void)state;
	made_begin(&made);
	memset(block, 0, 6);
	block[0] = 4; /* padding */
	block[5] = 15;
	n = 6 + made_block(&made, DIR_OUT, MADE_POST("/p"), block + 6, sizeof(block) - 16);
	memset(block + n, 0, 4);
	made_frame(&made, DIR_OUT, HTTP2_HEADERS,
		   HTTP2_PADDED | HTTP2_PRIORITISED | HTTP2_END_HEADERS, 1, block, n + 4);
	made_frame(&made, DIR_OUT, HTTP2_DATA, HTTP2_PADDED, 1, "\2abc\0\0", 6);
	made_frame(&made, DIR_OUT, HTTP2_DATA, HTTP2_PADDED, 1, "\2\0\0", 3);
	made_frame(&made, DIR_OUT, HTTP2_DATA, 0, 1, "", 0);
	made_frame(&made, DIR_OUT, 0x77, 0xff, 1, "unknown", 7);
	made_frame(&made, DIR_OUT, HTTP2_PRIORITY, 0, 1, "\0\0\0\0\1", 5);
	made_headers(&made, DIR_OUT, 1, true, "x-trailer: 1\n");
	made_headers(&made, DIR_IN, 1, false, ":status: 103\nlink: </a>\n");
	n = made_block(&made, DIR_IN, MADE_OK, block, sizeof(block));
	made_frame(&made, DIR_IN, HTTP2_HEADERS, 0, 1, block, 3);
	made_frame(&made, DIR_IN, HTTP2_CONTINUATION, 0, 1, block + 3, 0);
	made_frame(&made, DIR_IN, HTTP2_CONTINUATION, 0, 1, block + 3, n - 3);
	made_frame(&made, DIR_IN, HTTP2_CONTINUATION, HTTP2_END_HEADERS, 1, block, 0);
	n = made_block(&made, DIR_IN, ":method: GET\n:path: /pushed\n", block + 4, 100);
	memcpy(block, "\0\0\0\2", 4);
	made_frame(&made, DIR_IN, HTTP2_PUSH_PROMISE, HTTP2_END_HEADERS, 1, block, n + 4);
	made_headers(&made, DIR_IN, 2, false, ":status: 200\n");
	made_data(&made, DIR_IN, 2, true, "pushed");
	made_data(&made, DIR_IN, 1, false, "xyz");
	made_headers(&made, DIR_IN, 1, true, "grpc-status: 0\n");
	made_done(&made);
	check(&made, 0,
	      "1> " HEAD("/p") "1> end\n1< " STATUS("200") "1> body [abc]\n1< body [xyz]\n"
							   "1 end complete\n");
}

static void test_resets(void **state)
{
	(void)state;
	made_begin(&made);
	for (uint32_t stream = 1; stream <= 9; stream += 2)
		made_headers(&made, DIR_OUT, stream, stream != 9, MADE_POST("/"));
	made_headers(&made, DIR_IN, 1, false, ":status: 200\n");
	made_frame(&made, DIR_OUT, HTTP2_RST_STREAM, 0, 1, "\0\0\0\10", 4);
	made_data(&made, DIR_IN, 1, true, "too late");
	/* answered in full, and so reset by the server with NO_ERROR */
	made_headers(&made, DIR_IN, 9, true, ":status: 413\n");
	made_frame(&made, DIR_IN, HTTP2_RST_STREAM, 0, 9, "\0\0\0\0", 4);
	made_frame(&made, DIR_IN, HTTP2_GOAWAY, 0, 0, "\0\0\0\3\0\0\0\0bye", 11);
	made_headers(&made, DIR_IN, 3, true, ":status: 204\n");
	made_done(&made);
	check(&made, 0,
	      "1> " HEAD("/") "1> end\n2> " HEAD("/") "2> end\n3> " HEAD("/") "3> end\n4> " HEAD(
		      "/") "4> end\n5> " HEAD("/") "1< 200 2\n1 end cut\n5< 413 2\n5 end complete\n"
						   "4 end cut\n3 end cut\n2< 204 2\n2 end "
						   "complete\n");
}

/* The client has seen "[DONE]" and leaves. */
static void test_never_ends(void **state)
{
	(void)state;
	made_begin(&made);
	made_headers(&made, DIR_OUT, 1, true, MADE_POST("/"));
	made_headers(&made, DIR_IN, 1, false, ":status: 200\n");
	made_data(&made, DIR_IN, 1, false, "data: [DONE]");
	made_done(&made);
	check(&made, 0, "1> " HEAD("/") "1> end\n1< 200 2\n1< body [data: [DONE]]\n1 end cut\n");
}

/* Every byte that belongs to a message is counted as its own. */
static void test_bytes(void **state)
{
	struct stream s;
	size_t messages[DIR_COUNT] = {0};

	(void)state;
	make_two();
	for (size_t turn = 0, at = 0; turn < made.count; turn++)
		for (; at < made.turns[turn].end;) {
			struct http2_frame frame;

			at += at == 0 ? 24 : 0;
			http2_frame_parse(made.bytes + at, &frame);
			if (frame.type <= HTTP2_HEADERS)
				messages[made.turns[turn].dir] += 9 + frame.length;
			at += 9 + frame.length;
		}
	for (size_t step = 0; step < 30; step++) {
		free(run(&made, &(struct how){.step = step}, &s));
		assert_int_equal(s.recorder.total[DIR_OUT], messages[DIR_OUT]);
		assert_int_equal(s.recorder.total[DIR_IN], messages[DIR_IN]);
	}
}

static void test_malformed(void **state)
{
	static const struct {
		uint8_t type, flags;
		uint32_t stream;
		const char *at;
		size_t len;
	} bad[] = {
		{HTTP2_DATA, 0, 0, "x", 1},
		{HTTP2_DATA, HTTP2_PADDED, 1, "", 0},
		{HTTP2_DATA, HTTP2_PADDED, 1, "\5abc", 4},
		{HTTP2_HEADERS, HTTP2_END_HEADERS, 0, "\x82", 1},
		{HTTP2_HEADERS, HTTP2_END_HEADERS | HTTP2_PRIORITISED, 1, "\0\0", 2},
		{HTTP2_HEADERS, HTTP2_END_HEADERS, 1, "\xff\xff\xff\xff\xff\xff\xff", 7},
		{HTTP2_HEADERS, HTTP2_END_HEADERS, 1, "\x40\x05", 2},
		{HTTP2_HEADERS, HTTP2_END_HEADERS, 1, "\xfe", 1},
		{HTTP2_CONTINUATION, HTTP2_END_HEADERS, 1, "\x82", 1},
		{HTTP2_SETTINGS, 0, 0, "12345", 5},
		{HTTP2_SETTINGS, 0, 1, "", 0},
		{HTTP2_RST_STREAM, 0, 1, "123", 3},
		{HTTP2_GOAWAY, 0, 0, "1234567", 7},
		{HTTP2_PING, 0, 0, "1234567", 7},
		{HTTP2_WINDOW_UPDATE, 0, 0, "123", 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		made_begin(&made);
		made_headers(&made, DIR_OUT, 1, false, MADE_POST("/"));
		made_frame(&made, DIR_OUT, bad[i].type, bad[i].flags, bad[i].stream, bad[i].at,
			   bad[i].len);
		made_data(&made, DIR_OUT, 1, true, "x");
		made_done(&made);
		check(&made, -EPROTO, "1> " HEAD("/") "1 end desynced\n");
	}
	/* a block is not to be interrupted */
	made_begin(&made);
	made_frame(&made, DIR_OUT, HTTP2_HEADERS, 0, 1, "\x83", 1);
	made_data(&made, DIR_OUT, 1, true, "x");
	check(&made, -EPROTO, "");
	/* nor has the preface another end */
	made.len = made.count = 0;
	made_raw(&made, DIR_OUT, "PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n", 24);
	check(&made, -EPROTO, "");
}

/* A flood of CONTINUATION frames, and a block that never ends. */
static void test_continuation_flood(void **state)
{
	static char text[16384];
	struct stream s;

	(void)state;
	made_begin(&made);
	made_frame(&made, DIR_OUT, HTTP2_HEADERS, 0, 1, "\x83", 1);
	for (int i = 0; i < 1000; i++)
		made_frame(&made, DIR_OUT, HTTP2_CONTINUATION, 0, 1, "", 0);
	free(run(&made, &(struct how){0}, &s));
	assert_int_equal(s.result, -EPROTO);

	made_begin(&made);
	memset(text, 0x82, sizeof(text));
	made_frame(&made, DIR_OUT, HTTP2_HEADERS, 0, 1, text, sizeof(text));
	for (int i = 0; i < 5; i++)
		made_frame(&made, DIR_OUT, HTTP2_CONTINUATION, 0, 1, text, sizeof(text));
	free(run(&made, &(struct how){0}, &s));
	assert_int_equal(s.result, -EPROTO);
}

/* One long header in the history and thousands of references to it: all pass, few are kept. */
static void test_header_bomb(void **state)
{
	static char block[16384];
	struct stream s;
	size_t n = 0;

	(void)state;
	made_begin(&made);
	memcpy(block, "\x83\x84\x40\x01x\x7f\xa1\x1e", 8); /* "x" with 4,000 bytes */
	n = 8;
	memset(block + n, 'v', 4000);
	n += 4000;
	memset(block + n, 0xbe, sizeof(block) - n);
	made_frame(&made, DIR_OUT, HTTP2_HEADERS, HTTP2_END_HEADERS | HTTP2_END_STREAM, 1, block,
		   sizeof(block));
	{
		_cleanup_free_ char *told = run(&made, &(struct how){.step = 7}, &s);

		assert_int_equal(s.result, 0);
		assert_int_equal(s.recorder.requests, 1);
		assert_true(strlen(told) < HTTP_HEAD_MAX + 1024);
		assert_true(strlen(told) > 4000);
	}
	/* and as many small ones as there may be */
	made_begin(&made);
	memset(block, 0x90, 1000); /* accept-encoding: gzip, deflate */
	made_frame(&made, DIR_OUT, HTTP2_HEADERS, HTTP2_END_HEADERS | HTTP2_END_STREAM, 1, block,
		   1000);
	{
		_cleanup_free_ char *told = run(&made, &(struct how){.step = 7}, &s);
		size_t lines = 0;

		for (const char *at = told; (at = strchr(at, '=')) != NULL; at++)
			lines++;
		assert_int_equal(lines, HTTP_HEADERS_MAX);
	}
}

/* More streams at once than are followed: those beyond are told as what they are. */
static void test_many_streams(void **state)
{
	struct stream s;

	(void)state;
	made_begin(&made);
	for (uint32_t i = 0; i < HTTP2_STREAMS_MAX + 5; i++)
		made_headers(&made, DIR_OUT, 2 * i + 1, true, MADE_POST("/"));
	for (uint32_t i = 0; i < HTTP2_STREAMS_MAX + 5; i++)
		made_headers(&made, DIR_IN, 2 * i + 1, true, ":status: 200\n");
	made_headers(&made, DIR_OUT, 1001, true, MADE_POST("/"));
	made_headers(&made, DIR_IN, 1001, true, ":status: 200\n");
	made_done(&made);
	stream_begin(&s, true);
	/* the recorder has fewer slots, and needs none without bodies */
	feed_made(&s, &made, &(struct how){0});
	assert_int_equal(s.recorder.requests, HTTP2_STREAMS_MAX + 6);
	assert_int_equal(s.recorder.responses, HTTP2_STREAMS_MAX + 1);
	assert_int_equal(s.recorder.ends[EXCHANGE_DESYNCED], 5);
	assert_int_equal(s.recorder.ends[EXCHANGE_COMPLETE], HTTP2_STREAMS_MAX + 1);
	free(stream_finish(&s));
}

/* Truncated everywhere: a beginning of the same is told, and each exchange ends. */
static void test_truncated(void **state)
{
	struct stream s;

	(void)state;
	make_two();
	for (size_t limit = 1; limit < made.len; limit++) {
		free(run(&made, &(struct how){.limit = limit}, &s));
		assert_int_equal(s.result, 0);
		assert_int_equal(s.recorder.ends[EXCHANGE_DESYNCED], 0);
		assert_int_equal(s.recorder.ends[EXCHANGE_COMPLETE] + s.recorder.ends[EXCHANGE_CUT],
				 s.recorder.requests);
	}
}

/* Losses inside DATA cost nothing else. */
static void test_gap_in_data(void **state)
{
	struct how how = {.lost = 4};

	(void)state;
	made_begin(&made);
	made_headers(&made, DIR_OUT, 1, true, MADE_POST("/1"));
	made_headers(&made, DIR_IN, 1, false, MADE_OK);
	made_data(&made, DIR_IN, 1, false, "0123456789");
	how.at = made.len - 6;
	made_data(&made, DIR_IN, 1, true, "end");
	made_headers(&made, DIR_OUT, 3, true, MADE_POST("/2"));
	made_headers(&made, DIR_IN, 3, true, MADE_OK);
	made_done(&made);
	check_how(&made, how, 0,
		  "1> " HEAD("/1") "1> end\n1< " STATUS(
			  "200") "1< body [0123<4>89end]\n1 end "
				 "complete\n2> " HEAD("/2") "2> end\n2< " STATUS(
					 "200") "2 end complete\n");
	/* up to the end of the frame */
	how.lost = 6;
	check_how(&made, how, 0,
		  "1> " HEAD("/1") "1> end\n1< " STATUS(
			  "200") "1< body [0123<6>end]\n1 end "
				 "complete\n2> " HEAD("/2") "2> end\n2< " STATUS(
					 "200") "2 end complete\n");
	/* and the next frame's header: its content is no frame, the next answer begins one */
	how.lost = 7;
	check_how(&made, how, 0,
		  "1> " HEAD("/1") "1> end\n1< " STATUS("200") "2> " HEAD(
			  "/2") "2> end\n2< 200 2\n2 end complete\n1< body [0123<8>]\n1 end "
				"desynced\n");
}

/* Every position lost, by several lengths: the same however cut; nothing is told that was not so. */
static void test_gap_everywhere(void **state)
{
	static const char *const known[] = {
		"POST /1 2\n", "POST /2 2\n", "POST  2\n", "  2\n", " /1 2\n", " /2 2\n",
	};

	(void)state;
	make_two();
	for (size_t lost = 1; lost < 60; lost += lost < 12 ? 1 : 9) {
		for (size_t at = 0; at < made.len; at++) {
			struct how how = {.at = at, .lost = lost};
			_cleanup_free_ char *whole = NULL, *bytes = NULL;
			struct stream s;

			whole = run(&made, &how, &s);
			how.step = 1;
			bytes = run(&made, &how, &s);
			assert_string_equal(whole, bytes);
			assert_int_equal(s.result, 0);
			for (const char *line = whole; (line = strstr(line, "> ")) != NULL;) {
				bool good = strncmp(line, "> end", 5) == 0 ||
					    strncmp(line, "> body", 6) == 0;

				line += 2;
				for (size_t i = 0; !good && i < ARRAY_SIZE(known); i++)
					good = strncmp(line, known[i], strlen(known[i])) == 0;
				assert_true(good);
			}
			assert_null(strstr(whole, "?"));
		}
	}
}

/* Joined midway: what was compressed before is unknown, what comes since is known. */
static void test_midway(void **state)
{
	struct how how = {0};

	(void)state;
	made_begin(&made);
	for (int i = 0; i < 3; i++) {
		made_headers(&made, DIR_OUT, 1 + 2 * (uint32_t)i, true, MADE_POST("/1"));
		made_headers(&made, DIR_IN, 1 + 2 * (uint32_t)i, true, MADE_OK);
	}
	how.skip = made.len;
	for (uint32_t i = 0; i < 2; i++) {
		made_headers(&made, DIR_OUT, 9 + 2 * i, false, MADE_POST("/2") "x-new: 1\n");
		made_data(&made, DIR_OUT, 9 + 2 * i, true, "{}");
		made_headers(&made, DIR_IN, 9 + 2 * i, false, MADE_OK "x-also: 2\n");
		made_data(&made, DIR_IN, 9 + 2 * i, true, "data");
	}
	made_done(&made);
	check_how(&made, how, 0,
		  "1> POST /2 2\n  x-new=1\n1> end\n1< 200 2\n  x-also=2\n1> body [{}]\n"
		  "1< body [data]\n1 end complete\n"
		  "2> POST /2 2\n  x-new=1\n2> end\n2< 200 2\n  x-also=2\n2> body [{}]\n"
		  "2< body [data]\n2 end complete\n");
}

/* Joined in the middle of a frame of either direction: the next turns begin frames. */
static void test_midway_inside(void **state)
{
	size_t requests, end;

	(void)state;
	made_begin(&made);
	made_headers(&made, DIR_OUT, 1, false, MADE_POST("/1"));
	requests = made.len;
	made_data(&made, DIR_OUT, 1, true, "{\"model\":\"m\"}");
	made_headers(&made, DIR_IN, 1, false, MADE_OK);
	made_data(&made, DIR_IN, 1, true, "{\"some\":\"thing\"}");
	end = made.len;
	made_headers(&made, DIR_OUT, 3, true, MADE_POST("/2"));
	made_headers(&made, DIR_IN, 3, true, MADE_OK);
	made_headers(&made, DIR_OUT, 5, true, MADE_POST("/3"));
	made_headers(&made, DIR_IN, 5, true, MADE_OK);
	made_done(&made);
	for (size_t skip = requests + 1; skip < end; skip++) {
		struct how how = {.skip = skip};
		struct stream s;
		_cleanup_free_ char *told = run(&made, &how, &s);

		assert_int_equal(s.result, 0);
		assert_non_null(strstr(told, "POST /3 2\n"));
		assert_int_equal(s.recorder.requests, 2);
		assert_int_equal(s.recorder.ends[EXCHANGE_COMPLETE], 2);
	}
}

/* The settings of the one who decodes let the other have a larger history. */
static void test_table_size(void **state)
{
	static char lines[4096];

	(void)state;
	made_begin(&made);
	made_frame(&made, DIR_IN, HTTP2_SETTINGS, 0, 0, "\0\3\0\0\0d\0\1\0\1\0\0", 12);
	nghttp2_hd_deflate_new(&made.deflater[DIR_OUT], 65536);
	nghttp2_hd_deflate_change_table_size(made.deflater[DIR_OUT], 65536);
	for (uint32_t i = 0; i < 8; i++) {
		snprintf(lines, sizeof(lines), MADE_POST("/%u") "x-%u: %01000u\n", i, i % 4, i % 4);
		made_headers(&made, DIR_OUT, 1 + 2 * i, true, lines);
		made_headers(&made, DIR_IN, 1 + 2 * i, true, MADE_OK);
	}
	made_done(&made);
	for (size_t step = 0; step < 5; step++) {
		struct stream s;
		_cleanup_free_ char *told = run(&made, &(struct how){.step = step}, &s);

		assert_int_equal(s.result, 0);
		assert_int_equal(s.recorder.ends[EXCHANGE_COMPLETE], 8);
		assert_non_null(strstr(told, "x-3=0000"));
	}
}

/* Whose end was lost does not stay open for ever. */
static void test_lost_end(void **state)
{
	struct how how = {.lost = 9};
	struct stream s;

	(void)state;
	made_begin(&made);
	made_headers(&made, DIR_OUT, 1, true, MADE_POST("/1"));
	made_headers(&made, DIR_IN, 1, false, MADE_OK);
	how.at = made.len;
	made_data(&made, DIR_IN, 1, true, "the end of it");
	for (uint32_t i = 1; i <= HTTP2_SILENT_MAX; i++) {
		made_headers(&made, DIR_OUT, 1 + 2 * i, true, MADE_POST("/more"));
		made_headers(&made, DIR_IN, 1 + 2 * i, true, MADE_OK);
	}
	made_done(&made);
	stream_begin(&s, true);
	feed_made(&s, &made, &how);
	assert_int_equal(s.recorder.open, 0);
	assert_int_equal(s.recorder.ends[EXCHANGE_DESYNCED], 1);
	assert_int_equal(s.recorder.ends[EXCHANGE_COMPLETE], HTTP2_SILENT_MAX);
	free(stream_finish(&s));
}

static void assert_guess(const char *at, size_t len, enum stream_dir dir, enum protocol_guess guess,
			 bool client)
{
	bool is_client = !client;

	assert_int_equal(http2_protocol.guess(span_of(at, len), dir, &is_client), guess);
	if (guess == PROTOCOL_YES)
		assert_int_equal(is_client, client);
	for (size_t n = 0; n < len && guess == PROTOCOL_YES; n++) {
		enum protocol_guess less = http2_protocol.guess(span_of(at, n), dir, &is_client);

		assert_true(less != PROTOCOL_NO);
	}
}

static void test_guess(void **state)
{
	static const char start[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	static const char settings[] = "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x80";
	static const char request[] = "\0\0\5\1\5\0\0\0\1\x83\x87\x84\x41\x81";
	static const char go[] = "\0\0\5\1\4\0\0\0\1\xbf\x83\x87\x84\x81";
	static const char response[] = "\0\0\1\1\4\0\0\0\1\x88 ";

	(void)state;
	assert_guess(start, 24, DIR_OUT, PROTOCOL_YES, true);
	assert_guess(start, 24, DIR_IN, PROTOCOL_YES, false);
	assert_guess(start, 10, DIR_OUT, PROTOCOL_MAYBE, true);
	assert_guess("PRI * HTTP/2.1", 14, DIR_OUT, PROTOCOL_NO, true);
	assert_guess("POST", 4, DIR_OUT, PROTOCOL_NO, true);
	assert_guess(settings, 15, DIR_IN, PROTOCOL_YES, true);
	assert_guess(settings, 15, DIR_OUT, PROTOCOL_YES, false);
	assert_guess(request, 14, DIR_OUT, PROTOCOL_YES, true);
	assert_guess(go, 14, DIR_OUT, PROTOCOL_YES, true);
	assert_guess(response, 11, DIR_IN, PROTOCOL_YES, true);
	assert_guess("\0\0\5\4\0\0\0\0\0", 9, DIR_IN, PROTOCOL_NO, true);
	assert_guess("\0\0\6\4\1\0\0\0\0", 9, DIR_IN, PROTOCOL_NO, true);
	assert_guess("\0\0\0\0\0\0\0\0\0\0\0\0", 12, DIR_OUT, PROTOCOL_NO, true);
	assert_guess("\0\0\5\1\5\0\0\0\2\x83\x87", 11, DIR_OUT, PROTOCOL_NO, true);
	assert_guess("\x16\3\1", 3, DIR_OUT, PROTOCOL_NO, true);
	assert_guess("", 0, DIR_OUT, PROTOCOL_MAYBE, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_resets),
		cmocka_unit_test(test_never_ends),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_continuation_flood),
		cmocka_unit_test(test_header_bomb),
		cmocka_unit_test(test_many_streams),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_gap_in_data),
		cmocka_unit_test(test_gap_everywhere),
		cmocka_unit_test(test_midway),
		cmocka_unit_test(test_midway_inside),
		cmocka_unit_test(test_table_size),
		cmocka_unit_test(test_lost_end),
		cmocka_unit_test(test_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
