/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Peers that send much of what means little: what is held stays bounded, and an honest call among it is told. */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gnomon/limits.h"
#include "protocol/http1.h"
#include "protocol/http2.h"
#include "unit/protocol/http2_maker.h"
#include "unit/protocol/http_recorder.h"

#define FLOOD 20000

static struct made made;
static struct recorder recorder;
static void *state;

/* Under ASan, whose allocator tells nothing, it is 0. */
static size_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void begin(const struct protocol_ops *protocol)
{
	recorder_init(&recorder);
	/* what the test writes down grows; the protocol must not */
	fclose(recorder.log);
	free(recorder.text);
	recorder.log = fopen("/dev/null", "we");
	recorder.text = NULL;
	state = calloc(1, protocol->state_bytes);
	protocol->init(state, true, &recorder_listener, &recorder);
	made_begin(&made);
}

/* Feeds what was made. */
static int flush(void)
{
	int r = 0;

	for (size_t i = 0, at = 0; i < made.count; at = made.turns[i++].end)
		r |= http2_protocol.feed(state, made.turns[i].dir,
					 span_of(made.bytes + at, made.turns[i].end - at));
	made.count = made.len = 0;
	return r;
}

static void honest_call(uint32_t stream)
{
	made_headers(&made, DIR_OUT, stream, true, MADE_POST("/v1/x"));
	made_headers(&made, DIR_IN, stream, true, MADE_OK);
	assert_int_equal(flush(), 0);
}

static void finish(const struct protocol_ops *protocol)
{
	protocol->done(state);
	free(state);
	fclose(recorder.log);
	made_done(&made);
	assert_int_equal(recorder.open, 0);
}

static void test_control_frames(void **unused)
{
	static const struct {
		uint8_t type, flags;
		uint32_t stream;
		size_t len;
	} kinds[] = {
		{HTTP2_PING, 0, 0, 8},          {HTTP2_PING, HTTP2_ACK, 0, 8},
		{HTTP2_SETTINGS, 0, 0, 6 * 50}, {HTTP2_SETTINGS, HTTP2_ACK, 0, 0},
		{HTTP2_WINDOW_UPDATE, 0, 0, 4}, {HTTP2_RST_STREAM, 0, 77, 4},
		{HTTP2_PRIORITY, 0, 9, 5},      {HTTP2_DATA, 0, 1, 0},
		{HTTP2_GOAWAY, 0, 0, 8},        {0xfe, 0xff, 3, 100},
	};
	static const char zeros[300];

	(void)unused;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t before;

		begin(&http2_protocol);
		assert_int_equal(flush(), 0);
		honest_call(1);
		before = in_use();
		for (int n = 0; n < FLOOD; n++) {
			enum stream_dir dir = n % 2 ? DIR_OUT : DIR_IN;

			made_frame(&made, dir, kinds[i].type, kinds[i].flags, kinds[i].stream,
				   zeros, kinds[i].len);
			if (made.count > MADE_TURNS_MAX - 2 || made.len > MADE_BYTES_MAX / 2)
				assert_int_equal(flush(), 0);
		}
		assert_int_equal(flush(), 0);
		assert_true(in_use() <= before + 4096);
		honest_call(3);
		assert_int_equal(recorder.ends[EXCHANGE_COMPLETE], 2);
		finish(&http2_protocol);
	}
}

/* A new stream and at once its reset, again and again (CVE-2023-44487). */
static void test_rapid_reset(void **unused)
{
	size_t before;
	uint32_t stream = 1;

	(void)unused;
	begin(&http2_protocol);
	assert_int_equal(flush(), 0);
	honest_call(stream);
	before = in_use();
	for (int n = 0; n < FLOOD; n++) {
		stream += 2;
		made_headers(&made, DIR_OUT, stream, false, MADE_POST("/v1/x"));
		made_frame(&made, DIR_OUT, HTTP2_RST_STREAM, 0, stream, "\0\0\0\10", 4);
		assert_int_equal(flush(), 0);
	}
	assert_true(in_use() <= before + 4096);
	assert_int_equal(recorder.ends[EXCHANGE_CUT], FLOOD);
	honest_call(stream + 2);
	assert_int_equal(recorder.ends[EXCHANGE_COMPLETE], 2);
	finish(&http2_protocol);
}

/* Thousands of streams that never end: those beyond the cap are told as what is not followed. */
static void test_open_streams(void **unused)
{
	size_t before;

	(void)unused;
	begin(&http2_protocol);
	assert_int_equal(flush(), 0);
	honest_call(1);
	before = in_use();
	for (uint32_t n = 0; n < FLOOD; n++) {
		made_headers(&made, DIR_OUT, 3 + 2 * n, false, MADE_POST("/v1/x"));
		assert_int_equal(flush(), 0);
	}
	assert_true(in_use() <= before + 4096);
	assert_int_equal(recorder.requests, FLOOD + 1);
	assert_int_equal(recorder.ends[EXCHANGE_DESYNCED], FLOOD - HTTP2_STREAMS_MAX);
	finish(&http2_protocol);
	assert_int_equal(recorder.ends[EXCHANGE_CUT], HTTP2_STREAMS_MAX);
}

/* The largest table of compressed headers, full of the smallest entries: what an entry costs the library
 * is a multiple of what the table counts for it. */
static void test_header_table(void **unused)
{
	char block[4 + 3 * 4] = {0x3f, (char)0xe1, (char)0xff, 0x03}; /* table size 65,536 */
	size_t before;
	int n;

	(void)unused;
	begin(&http2_protocol);
	made_frame(&made, DIR_IN, HTTP2_SETTINGS, 0, 0, "\0\1\0\1\0\0", 6);
	assert_int_equal(flush(), 0);
	before = in_use();
	for (n = 0; n < 3000; n++) {
		const char entry[] = {0x40, 1, (char)('a' + n % 26), 1, 'x'};
		size_t at = n ? 0 : 4;

		memcpy(block + at, entry, sizeof(entry));
		made_frame(&made, DIR_OUT, HTTP2_HEADERS, HTTP2_END_HEADERS | HTTP2_END_STREAM,
			   1 + 2 * (uint32_t)n, block, at + sizeof(entry));
		assert_int_equal(flush(), 0);
	}
	print_message("# full table of headers: %zu KB\n", (in_use() - before) / 1024);
	assert_true(in_use() - before <= HTTP2_TABLE_MEMORY_MAX);
	finish(&http2_protocol);
}

/* Empty lines, interim responses and chunks of one byte, without end. */
static void test_http1(void **unused)
{
	static const struct {
		enum stream_dir dir;
		const char *first, *again;
	} kinds[] = {
		{DIR_OUT, "", "\r\n"},
		{DIR_IN, "", "HTTP/1.1 100 Continue\r\n\r\n"},
		{DIR_IN, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
		{DIR_IN, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		 "1;q=\"a\"\r\nx\r\n"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t before, grown;

		begin(&http1_protocol);
		assert_int_equal(
			http1_protocol.feed(state, DIR_OUT, SPAN_LITERAL("GET / HTTP/1.1\r\n\r\n")),
			0);
		http1_protocol.feed(state, kinds[i].dir, span_str(kinds[i].first));
		before = in_use();
		for (int n = 0; n < FLOOD; n++)
			assert_int_equal(
				http1_protocol.feed(state, kinds[i].dir, span_str(kinds[i].again)),
				0);
		grown = in_use() - before;
		/* the test keeps the body */
		assert_true(in_use() <= before || grown <= 4096 + 4 * FLOOD);
		finish(&http1_protocol);
		assert_int_equal(recorder.requests, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control_frames), cmocka_unit_test(test_rapid_reset),
		cmocka_unit_test(test_open_streams),   cmocka_unit_test(test_header_table),
		cmocka_unit_test(test_http1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
