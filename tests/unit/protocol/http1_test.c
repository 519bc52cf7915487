/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/http1.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gnomon/limits.h"
#include "unit/protocol/http_recorder.h"
#include "util/cleanup.h"

/* A turn of a conversation: bytes in one direction, or a gap of `lost` bytes. */
struct turn {
	enum stream_dir dir;
	const char *text; /* NULL ends a conversation unless `lost` */
	uint64_t lost;
};

struct stream {
	struct recorder recorder;
	void *state;
	int result;
};

static void stream_begin(struct stream *s, bool is_client)
{
	recorder_init(&s->recorder);
	s->state = calloc(1, http1_protocol.state_bytes);
	http1_protocol.init(s->state, is_client, &recorder_listener, &s->recorder);
	s->result = 0;
}

/* Feeds from a heap copy of the exact size, so that a sanitizer sees reads beyond it. */
static void stream_feed(struct stream *s, enum stream_dir dir, const char *at, size_t len)
{
	char *copy = malloc(len ? len : 1);
	int r;

	memcpy(copy, at, len);
	r = http1_protocol.feed(s->state, dir, span_of(copy, len));
	if (r < 0)
		s->result = r;
	free(copy);
}

static char *stream_finish(struct stream *s)
{
	http1_protocol.done(s->state);
	free(s->state);
	return recorder_take(&s->recorder);
}

/* Runs a conversation in pieces of `step` bytes (0: whole turns), or cut at random when seeded. */
static char *run(const struct turn *turns, bool is_client, size_t step, unsigned int seed,
		 int *result)
{
	struct stream s;

	stream_begin(&s, is_client);
	for (; turns->text || turns->lost; turns++) {
		size_t len = turns->text ? strlen(turns->text) : 0;

		if (turns->lost && http1_protocol.gap(s.state, turns->dir, turns->lost) < 0)
			s.result = -EPROTO;
		for (size_t i = 0; i < len;) {
			size_t n = seed ? (size_t)rand_r(&seed) % 40 + 1 : step ? step : len;

			if (n > len - i)
				n = len - i;
			stream_feed(&s, turns->dir, turns->text + i, n);
			i += n;
		}
	}
	*result = s.result;
	return stream_finish(&s);
}

/* Whole, byte by byte, by other steps and at random: all must tell `expected`. */
static void check(const struct turn *turns, bool is_client, int expected_result,
		  const char *expected)
{
	int result;

	for (size_t step = 0; step < 20; step++) {
		_cleanup_free_ char *told = run(turns, is_client, step, 0, &result);

		assert_string_equal(told, expected);
		assert_int_equal(result, expected_result);
	}
	for (unsigned int seed = 1; seed < 50; seed++) {
		_cleanup_free_ char *told = run(turns, is_client, 0, seed, &result);

		assert_string_equal(told, expected);
		assert_int_equal(result, expected_result);
	}
}

#define OUT(...)                                                                                   \
	{                                                                                          \
		DIR_OUT, __VA_ARGS__, 0                                                            \
	}
#define IN(...)                                                                                    \
	{                                                                                          \
		DIR_IN, __VA_ARGS__, 0                                                             \
	}
#define LOST(dir, n)                                                                               \
	{                                                                                          \
		dir, NULL, n                                                                       \
	}
#define END                                                                                        \
	{                                                                                          \
		DIR_OUT, NULL, 0                                                                   \
	}

static void test_length(void **state)
{
	static const struct turn turns[] = {
		OUT("POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"),
		IN("HTTP/1.1 200 OK\r\ncontent-length:  2 \r\n\r\nok"), END};

	(void)state;
	check(turns, true, 0,
	      "1> POST /a?b 1.1 50\n  Host=h\n  Content-Length=5\n1> end\n"
	      "1< 200 1.1 40\n  content-length=2\n1> body [hello]\n1< body [ok]\n1 end complete\n");
}

static void test_server_side(void **state)
{
	static const struct turn turns[] = {IN("GET / HTTP/1.0\r\n\r\n"),
					    OUT("HTTP/1.0 200\r\n\r\nuntil the end"), END};

	(void)state;
	check(turns, false, 0,
	      "1> GET / 1.0 18\n1> end\n1< 200 1.0 16\n1< body [until the end]\n1 end complete\n");
}

/* Every byte of the stream is some message's. */
static void test_bytes(void **state)
{
	static const char out[] = "POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
				  "3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
	static const char in[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
				 "Content-Length: 3\r\n\r\nxyzHTTP/1.1 200 OK\r\n\r\nthe rest";

	(void)state;
	for (size_t step = 1; step < 80; step++) {
		const struct turn turns[] = {{DIR_OUT, out, 0}, {DIR_IN, in, 0}, END};
		struct stream s;

		stream_begin(&s, true);
		for (size_t i = 0; turns[i].text; i++)
			for (size_t at = 0; at < strlen(turns[i].text); at += step)
				stream_feed(&s, turns[i].dir, turns[i].text + at,
					    step < strlen(turns[i].text + at)
						    ? step
						    : strlen(turns[i].text + at));
		free(stream_finish(&s));
		assert_int_equal(s.recorder.total[DIR_OUT], strlen(out));
		assert_int_equal(s.recorder.total[DIR_IN], strlen(in));
	}
}

static void test_chunked(void **state)
{
	static const struct turn turns[] = {
		OUT("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\nTrailer: t\r\nA: b\r\n\r\n"
		    "GET /next HTTP/1.1\r\n\r\n"),
		IN("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n00A ;q\n0123456789\n0\n\n"
		   "HTTP/1.1 204 No Content\r\n\r\n"),
		END};

	(void)state;
	check(turns, true, 0,
	      "1> POST / 1.1 47\n  Transfer-Encoding=chunked\n1> end\n"
	      "2> GET /next 1.1 22\n2> end\n"
	      "1< 200 1.1 44\n  Transfer-Encoding=chunked\n"
	      "1> body [hello world]\n1< body [0123456789]\n1 end complete\n"
	      "2< 204 1.1 27\n2 end complete\n");
}

static void test_pipelined(void **state)
{
	static const struct turn turns[] = {
		OUT("HEAD /1 HTTP/1.1\r\n\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n"),
		IN("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
		   "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"
		   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
		END};

	(void)state;
	check(turns, true, 0,
	      "1> HEAD /1 1.1 20\n1> end\n2> GET /2 1.1 19\n2> end\n3> GET /3 1.1 19\n3> end\n"
	      "1< 200 1.1 39\n  Content-Length=99\n1 end complete\n"
	      "2< 304 1.1 49\n  Content-Length=99\n2 end complete\n"
	      "3< 200 1.1 38\n  Content-Length=0\n3 end complete\n");
}

static void test_continue(void **state)
{
	static const struct turn turns[] = {
		OUT("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"),
		IN("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
		OUT("abc"), IN("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nd"), END};

	(void)state;
	check(turns, true, 0,
	      "1> POST / 1.1 60\n  Expect=100-continue\n  Content-Length=3\n1> end\n"
	      "1< 200 1.1 38\n  Content-Length=1\n1> body [abc]\n1< body [d]\n1 end complete\n");
}

static void test_early_response(void **state)
{
	static const struct turn turns[] = {
		OUT("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc"),
		IN("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"), OUT("def"),
		OUT("GET / HTTP/1.1\r\n\r\n"), END};

	(void)state;
	check(turns, true, 0,
	      "1> POST / 1.1 38\n  Content-Length=6\n1< 413 1.1 45\n  Content-Length=2\n"
	      "1> end\n1> body [abcdef]\n1< body [no]\n1 end complete\n"
	      "2> GET / 1.1 18\n2> end\n2 end cut\n");
}

static void test_upgrade(void **state)
{
	static const struct turn turns[] = {
		OUT("GET /u HTTP/1.1\r\nUpgrade: otherthing\r\n\r\n"),
		IN("HTTP/1.1 101 Switching Protocols\r\nUpgrade: otherthing\r\n\r\n"), END};
	static const struct turn more[] = {
		OUT("CONNECT a:443 HTTP/1.1\r\n\r\n"),
		IN("HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n\x16\x03"),
		END};
	static const struct turn refused[] = {OUT("CONNECT a:443 HTTP/1.1\r\n\r\n"),
					      IN("HTTP/1.1 407 Auth\r\nContent-Length: 1\r\n\r\n!"),
					      END};

	(void)state;
	check(turns, true, 0,
	      "1> GET /u 1.1 40\n  Upgrade=otherthing\n1> end\n"
	      "1< 101 1.1 57\n  Upgrade=otherthing\n1 end complete\n");
	check(more, true, -EPROTO,
	      "1> CONNECT a:443 1.1 26\n1> end\n"
	      "1< 200 1.1 58\n  Content-Length=5\n1 end complete\n");
	check(refused, true, 0,
	      "1> CONNECT a:443 1.1 26\n1> end\n"
	      "1< 407 1.1 40\n  Content-Length=1\n1< body [!]\n1 end complete\n");
}

static void test_folded(void **state)
{
	static const struct turn turns[] = {
		OUT("GET / HTTP/1.1\r\nA: b\r\n c\r\n\td\r\nE: f\r\n\r\n"), END};

	(void)state;
	check(turns, true, 0, "1> GET / 1.1 38\n  A=b   c  \td\n  E=f\n1> end\n1 end cut\n");
}

static void test_unasked_response(void **state)
{
	static const struct turn turns[] = {
		IN("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nxx"), OUT("GET / HTTP/1.1\r\n\r\n"),
		IN("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny"), END};

	(void)state;
	check(turns, true, 0,
	      "1> GET / 1.1 18\n1> end\n1< 200 1.1 38\n  Content-Length=1\n1< body [y]\n"
	      "1 end complete\n");
}

static void test_opaque_coding(void **state)
{
	static const struct turn turns[] = {OUT("GET / HTTP/1.1\r\n\r\n"),
					    IN("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, "
					       "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
					    END};

	(void)state;
	check(turns, true, 0,
	      "1> GET / 1.1 18\n1> end\n1< 200 1.1 53\n  Transfer-Encoding=gzip, chunked\n"
	      "1< body [<3>]\n1 end complete\n");
}

/* RFC 9112 section 6.3: of both, the chunks count; a reader that goes by the length sees another request. */
static void test_two_framings(void **state)
{
	static const struct turn turns[] = {
		OUT("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "5\r\nhello\r\n0\r\n\r\nGET /next HTTP/1.1\r\n\r\n"),
		IN("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 99\r\n\r\n"
		   "1\r\nx\r\n0\r\n\r\n"),
		END};

	(void)state;
	check(turns, true, 0,
	      "1> POST / 1.1 66\n  Content-Length=3\n  Transfer-Encoding=chunked\n1> end\n"
	      "2> GET /next 1.1 22\n2> end\n"
	      "1< 200 1.1 67\n  Transfer-Encoding=Chunked\n  Content-Length=99\n"
	      "1> body [hello]\n1< body [x]\n1 end complete\n2 end cut\n");
}

/* Each must be refused, however it is cut, and tell no exchange. */
static void test_malformed_requests(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/2.0\r\n\r\n",
		"GET  / HTTP/1.1\r\n\r\n",
		"GET / x HTTP/1.1\r\n\r\n",
		"GET /HTTP/1.1\r\n\r\n",
		"GET HTTP/1.1\r\n\r\n",
		" HTTP/1.1\r\n\r\n",
		"G@T / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\n A: b\r\n\r\n",
		"GET / HTTP/1.1\r\nA : b\r\n\r\n",
		"GET / HTTP/1.1\r\nA\r\n\r\n",
		"GET / HTTP/1.1\r\n: b\r\n\r\n",
		"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n",
		"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
		"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
		"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct turn turns[] = {OUT(bad[i]), END};

		check(turns, true, -EPROTO, "");
	}
}

static void test_malformed_chunks(void **state)
{
	static const char *const bad[] = {
		"\r\n",    "x\r\n",     "-1\r\n", "1x\r\n", "FFFFFFFFFFFFFFFFF\r\n",
		"1\r\nab", "1\r\na\rb", ";x\r\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct turn turns[] = {
			OUT("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), OUT(bad[i]),
			END};
		int result;
		_cleanup_free_ char *told = run(turns, true, 1, 0, &result);

		assert_int_equal(result, -EPROTO);
		assert_non_null(strstr(told, "1 end desynced\n"));
		assert_null(strstr(told, "1> end"));
	}
}

static void test_stays_refused(void **state)
{
	struct stream s;
	char *told;

	(void)state;
	stream_begin(&s, true);
	stream_feed(&s, DIR_OUT, "\x16\x03\x01\n\n", 5);
	assert_int_equal(s.result, -EPROTO);
	assert_int_equal(
		http1_protocol.feed(s.state, DIR_OUT, SPAN_LITERAL("GET / HTTP/1.1\r\n\r\n")),
		-EPROTO);
	assert_int_equal(http1_protocol.gap(s.state, DIR_OUT, 1), -EPROTO);
	told = stream_finish(&s);
	assert_string_equal(told, "");
	free(told);
}

/* A head of exactly HTTP_HEAD_MAX bytes passes, one more does not. */
static void test_head_limit(void **state)
{
	for (size_t extra = 0; extra < 2; extra++) {
		_cleanup_free_ char *head = malloc(HTTP_HEAD_MAX + 2);
		const struct turn turns[] = {OUT(head), END};
		size_t len = HTTP_HEAD_MAX + extra;
		int result;

		(void)state;
		memset(head, 'x', len);
		memcpy(head, "GET / HTTP/1.1\r\nA: ", 19);
		memcpy(head + len - 4, "\r\n\r\n", 5);
		for (size_t step = 0; step < 3; step++) {
			_cleanup_free_ char *told = run(turns, true, step, 0, &result);

			assert_int_equal(result, extra ? -EPROTO : 0);
			assert_int_equal(strlen(told) > 0, !extra);
		}
	}
}

static void test_many_headers(void **state)
{
	char text[8192] = "POST / HTTP/1.1\r\n";
	const struct turn turns[] = {OUT(text), OUT("hello"), END};
	_cleanup_free_ char *told = NULL;
	unsigned int lines = 0;
	int result;

	(void)state;
	for (int i = 0; i < HTTP_HEADERS_MAX + 20; i++)
		strcat(text, "A: b\r\n");
	strcat(text, "Content-Length: 5\r\n\r\n");
	told = run(turns, true, 0, 0, &result);
	assert_int_equal(result, 0);
	for (const char *p = told; (p = strstr(p, "  A=b\n")) != NULL; p++)
		lines++;
	assert_int_equal(lines, HTTP_HEADERS_MAX);
	assert_non_null(strstr(told, "1> body [hello]"));
}

static void test_pipeline_limit(void **state)
{
	struct stream s;
	char *told;

	(void)state;
	stream_begin(&s, true);
	for (int i = 0; i <= HTTP_PIPELINE_MAX; i++)
		stream_feed(&s, DIR_OUT, "GET / HTTP/1.1\r\n\r\n", 18);
	assert_int_equal(s.recorder.requests, HTTP_PIPELINE_MAX);
	assert_int_equal(s.recorder.ends[EXCHANGE_DESYNCED], HTTP_PIPELINE_MAX);
	stream_feed(&s, DIR_IN, "HTTP/1.1 204 No\r\n\r\n", 19);
	stream_feed(&s, DIR_OUT, "GET / HTTP/1.1\r\n\r\n", 18);
	stream_feed(&s, DIR_IN, "HTTP/1.1 204 No\r\n\r\n", 19);
	assert_int_equal(s.recorder.ends[EXCHANGE_COMPLETE], 1);
	assert_int_equal(s.result, 0);
	told = stream_finish(&s);
	free(told);
}

static void test_gap_in_bodies(void **state)
{
	static const struct turn turns[] = {
		OUT("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nab"),
		LOST(DIR_OUT, 3),
		OUT("fghij"),
		IN("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nAB"),
		LOST(DIR_IN, 6),
		IN("\r\n1\r\nZ\r\n0\r\n\r\n"),
		OUT("GET / HTTP/1.1\r\n\r\n"),
		IN("HTTP/1.1 200 OK\r\n\r\nxx"),
		LOST(DIR_IN, 1000),
		IN("yy"),
		END};

	(void)state;
	check(turns, true, 0,
	      "1> POST / 1.1 39\n  Content-Length=10\n1> end\n"
	      "1< 200 1.1 47\n  Transfer-Encoding=chunked\n"
	      "1> body [ab<3>fghij]\n1< body [AB<6>Z]\n1 end complete\n"
	      "2> GET / 1.1 18\n2> end\n2< 200 1.1 19\n2< body [xx<1000>yy]\n2 end complete\n");
}

static void test_gap_resumes(void **state)
{
	/* The rest of the request is not taken for one, nor is the response told. */
	static const struct turn turns[] = {OUT("GET /1 HTT"),
					    LOST(DIR_OUT, 5),
					    OUT("GET /2 HTTP/1.1\r\n\r\n"),
					    IN("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
					    OUT("GET /3 HTTP/1.1\r\n\r\n"),
					    IN("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny"),
					    END};
	/* A gap longer than the body runs into the next message. */
	static const struct turn longer[] = {OUT("GET /1 HTTP/1.1\r\n\r\n"),
					     IN("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nx"),
					     LOST(DIR_IN, 5),
					     OUT("GET /2 HTTP/1.1\r\n\r\n"),
					     IN("HTTP/1.1 204 No\r\n\r\n"),
					     END};
	/* What comes after a turn is no request: wait for the next turn. */
	static const struct turn twice[] = {OUT("GET /1 HTTP/1.1\r\n\r\n"),
					    LOST(DIR_IN, 5),
					    OUT("more\r\n\r\nGET /2 HTTP/1.1\r\n\r\n"),
					    IN("?"),
					    OUT("GET /3 HTTP/1.1\r\n\r\n"),
					    IN("HTTP/1.1 204 No\r\n\r\n"),
					    END};

	(void)state;
	check(turns, true, 0,
	      "1> GET /3 1.1 19\n1> end\n1< 200 1.1 38\n  Content-Length=1\n1< body [y]\n"
	      "1 end complete\n");
	check(longer, true, 0,
	      "1> GET /1 1.1 19\n1> end\n1< 200 1.1 38\n  Content-Length=4\n"
	      "1< body [x<3>]\n1 end complete\n2> GET /2 1.1 19\n2> end\n2< 204 1.1 19\n"
	      "2 end complete\n");
	check(twice, true, 0,
	      "1> GET /1 1.1 19\n1> end\n1 end desynced\n2> GET /3 1.1 19\n2> end\n2< 204 1.1 19\n"
	      "2 end complete\n");
}

/* A conversation with everything in it, cut off at each byte: only ever a beginning of what the
 * whole tells, with its open exchanges cut. */
static const char requests[] =
	"POST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	"5;a\r\nhello\r\n0\r\nT: t\r\n\r\nPUT /2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
static const char responses[] =
	"HTTP/1.1 100 Continue\r\n\r\n"
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n0\r\n\r\n"
	"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n1234";

static void test_truncated(void **state)
{
	(void)state;
	for (size_t out = 0; out < sizeof(requests); out++) {
		for (size_t in = 0; in < sizeof(responses); in++) {
			struct stream s;
			char *told;

			stream_begin(&s, true);
			stream_feed(&s, DIR_OUT, requests, out);
			stream_feed(&s, DIR_IN, responses, in);
			assert_int_equal(s.result, 0);
			told = stream_finish(&s);
			assert_int_equal(s.recorder.ends[EXCHANGE_DESYNCED], 0);
			assert_true(s.recorder.responses <= s.recorder.requests);
			if (out == sizeof(requests) - 1 && in == sizeof(responses) - 1)
				assert_int_equal(s.recorder.ends[EXCHANGE_COMPLETE], 2);
			free(told);
		}
	}
}

/* A gap of any length anywhere, then an untouched exchange: it is told right, and exchanges that
 * the gap touched are never told as whole with a body that is not the true one. */
static void test_every_gap(void **state)
{
	for (size_t dir = 0; dir < DIR_COUNT; dir++) {
		const char *text = dir == DIR_OUT ? requests : responses;
		size_t len = strlen(text);

		(void)state;
		for (size_t at = 0; at <= len; at++) {
			for (size_t lost = 1; at + lost <= len; lost++) {
				struct stream s;
				char *told;

				stream_begin(&s, true);
				if (dir == DIR_IN)
					stream_feed(&s, DIR_OUT, requests, strlen(requests));
				stream_feed(&s, (enum stream_dir)dir, text, at);
				http1_protocol.gap(s.state, (enum stream_dir)dir, lost);
				stream_feed(&s, (enum stream_dir)dir, text + at + lost,
					    len - at - lost);
				if (dir == DIR_OUT)
					stream_feed(&s, DIR_IN, responses, strlen(responses));
				stream_feed(&s, DIR_OUT, "GET /last HTTP/1.1\r\n\r\n", 22);
				stream_feed(&s, DIR_IN, "HTTP/1.1 204 No\r\n\r\n", 19);
				assert_int_equal(s.result, 0);
				told = stream_finish(&s);
				assert_non_null(strstr(told, "> GET /last 1.1 22\n"));
				assert_non_null(strstr(told, "< 204 1.1 19\n"));
				assert_null(strstr(told, "1> body [abc"));
				free(told);
			}
		}
	}
}

struct guess_case {
	const char *first;
	enum protocol_guess guess;
	bool request;
};

static void test_guess(void **state)
{
	static const struct guess_case cases[] = {
		{"GET / HTTP/1.1\r\n", PROTOCOL_YES, true},
		{"POST /v1/messages?beta=true HTTP/1.", PROTOCOL_YES, true},
		{"CONNECT api.openai.com:443 HTTP/1.1", PROTOCOL_YES, true},
		{"GET http://a/ HTTP/1.0\r\n", PROTOCOL_YES, true},
		{"OPTIONS * HTTP/1.1\r\n", PROTOCOL_YES, true},
		{"HTTP/1.1 200 OK\r\n", PROTOCOL_YES, false},
		{"HTTP/1.1 200\r", PROTOCOL_YES, false},
		{"", PROTOCOL_MAYBE, false},
		{"P", PROTOCOL_MAYBE, false},
		{"H", PROTOCOL_MAYBE, false},
		{"HTTP/1.1 20", PROTOCOL_MAYBE, false},
		{"POST /v1", PROTOCOL_MAYBE, false},
		{"POST /v1 HTT", PROTOCOL_MAYBE, false},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PROTOCOL_NO, false},
		{"GET / HTTP/2.0\r\n", PROTOCOL_NO, false},
		{"GET / x", PROTOCOL_NO, false},
		{"GET x", PROTOCOL_NO, false},
		{"GETX", PROTOCOL_NO, false},
		{"get / HTTP/1.1", PROTOCOL_NO, false},
		{"HTTP/2 200", PROTOCOL_NO, false},
		{"HTTP/1.1 2x0 OK", PROTOCOL_NO, false},
		{"HTTP/1.1 2000", PROTOCOL_NO, false},
		{"\x16\x03\x01", PROTOCOL_NO, false},
		{"SSH-2.0", PROTOCOL_NO, false},
		{"{\"a\":1}", PROTOCOL_NO, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			bool is_client = !((dir == DIR_OUT) == cases[i].request);

			assert_int_equal(http1_protocol.guess(span_str(cases[i].first),
							      (enum stream_dir)dir, &is_client),
					 cases[i].guess);
			if (cases[i].guess == PROTOCOL_YES)
				assert_int_equal(is_client, (dir == DIR_OUT) == cases[i].request);
		}
	}
}

static void test_guess_long_target(void **state)
{
	char text[STREAM_FIRST_BYTES + 1] = "GET /";
	bool is_client = false;

	(void)state;
	memset(text + 5, 'x', sizeof(text) - 6);
	assert_int_equal(
		http1_protocol.guess(span_of(text, STREAM_FIRST_BYTES), DIR_OUT, &is_client),
		PROTOCOL_YES);
	assert_true(is_client);
}

static void test_state_size(void **state)
{
	(void)state;
	assert_true(http1_protocol.state_bytes + 2 * HTTP_HEAD_MAX <= 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_server_side),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_chunked),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_continue),
		cmocka_unit_test(test_early_response),
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_folded),
		cmocka_unit_test(test_unasked_response),
		cmocka_unit_test(test_opaque_coding),
		cmocka_unit_test(test_two_framings),
		cmocka_unit_test(test_malformed_requests),
		cmocka_unit_test(test_malformed_chunks),
		cmocka_unit_test(test_stays_refused),
		cmocka_unit_test(test_head_limit),
		cmocka_unit_test(test_many_headers),
		cmocka_unit_test(test_pipeline_limit),
		cmocka_unit_test(test_gap_in_bodies),
		cmocka_unit_test(test_gap_resumes),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_every_gap),
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_guess_long_target),
		cmocka_unit_test(test_state_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
