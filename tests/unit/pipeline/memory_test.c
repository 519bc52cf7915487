/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an open call holds, over every transport and coding: many are opened side by side, fed a request of
 * 100 KB and a megabyte of answer, and what the allocator has handed out is counted on the way. */
#include "pipeline/pipeline.h"

#include <brotli/encode.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

#include "catalog/catalog.h"
#include "gnomon/event.h"
#include "gnomon/limits.h"
#include "policy/policy.h"
#include "unit/protocol/eventstream_maker.h"
#include "unit/protocol/http2_maker.h"
#include "unit/protocol/websocket_maker.h"
#include "util/cleanup.h"
#include "util/diag.h"

#define CALLS       6
#define BODY_BYTES  (1u << 20)
#define PIECE_BYTES 8192

enum transport { HTTP1, HTTP2, SOCKET };

struct kind {
	const char *name;
	enum transport transport;
	const char *coding; /* NULL: none */
	const char *path, *type;
	const char *ask, *ask_end; /* the request's body around its text */
	const char *begin, *event; /* the answer: once, and again and again */
	size_t cap;
};

#define CHAT_ASK "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\""
#define CHAT_EVENT                                                                                 \
	"data: {\"object\":\"chat.completion.chunk\",\"model\":\"m-1\",\"choices\":[{\"index\":0," \
	"\"delta\":{\"content\":\"some words of an answer \"}}]}\n\n"
#define CHAT(name, transport, coding, cap)                                                         \
	{                                                                                          \
		name, transport, coding, "/v1/chat/completions", "text/event-stream", CHAT_ASK,    \
			"\"}]}", "", CHAT_EVENT, cap                                               \
	}

static const struct kind kinds[] = {
	CHAT("http1", HTTP1, NULL, STREAM_MEMORY_MAX),
	CHAT("http1 gzip", HTTP1, "gzip", STREAM_MEMORY_MAX + CODING_DEFLATE_MEMORY),
	CHAT("http1 deflate", HTTP1, "deflate", STREAM_MEMORY_MAX + CODING_DEFLATE_MEMORY),
	CHAT("http1 br", HTTP1, "br", STREAM_MEMORY_MAX + CODING_MEMORY_MAX),
	CHAT("http1 zstd", HTTP1, "zstd", STREAM_MEMORY_MAX + CODING_MEMORY_MAX),
	{"http1 ndjson", HTTP1, NULL, "/api/chat", "application/x-ndjson", CHAT_ASK, "\"}]}", "",
	 "{\"model\":\"m\",\"created_at\":\"2026\",\"message\":{\"role\":\"assistant\",\"content\":"
	 "\"some words \"},"
	 "\"done\":false}\n",
	 STREAM_MEMORY_MAX},
	{"http1 json array", HTTP1, NULL, "/v1beta/models/gemini-2.0-flash:streamGenerateContent",
	 "application/json", "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"", "\"}]}]}",
	 "[{\"modelVersion\":\"m\"}",
	 ",{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"some words \"}]}}]}",
	 STREAM_MEMORY_MAX},
	{"http1 event stream", HTTP1, NULL, "/model/anthropic.claude-v2/converse-stream",
	 "application/vnd.amazon.eventstream",
	 "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"", "\"}]}]}", "",
	 "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"some words \"}}", STREAM_MEMORY_MAX},
	CHAT("http2", HTTP2, NULL, STREAM_MEMORY_MAX),
	CHAT("http2 gzip", HTTP2, "gzip", STREAM_MEMORY_MAX + CODING_DEFLATE_MEMORY),
	{"websocket", SOCKET, NULL, "/v1/responses", "",
	 "{\"type\":\"response.create\",\"model\":\"gpt-5\",\"input\":\"", "\"}", "",
	 "{\"type\":\"response.output_text.delta\",\"delta\":\"some words \"}", STREAM_MEMORY_MAX},
	{"websocket deflate", SOCKET, "permessage-deflate", "/v1/responses", "",
	 "{\"type\":\"response.create\",\"model\":\"gpt-5\",\"input\":\"", "\"}", "",
	 "{\"type\":\"response.output_text.delta\",\"delta\":\"some words \"}",
	 STREAM_MEMORY_MAX + 2 * CODING_DEFLATE_MEMORY},
};

static struct pipeline *pipeline;
static unsigned int told;

static void on_event(void *ctx, const struct event *event)
{
	(void)ctx;
	told += event_has(event, F_GEN_AI_REQUEST_MODEL);
}

static int64_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return (int64_t)(info.uordblks + info.hblkhd);
}

/* ---- one call's bytes ---- */

static uint64_t offsets[CALLS][DIR_COUNT];

static void segment(unsigned int call, enum stream_dir dir, const char *at, size_t len)
{
	struct process_identity who = {.pid = 10 + call, .start_ns = 5, .comm = "memory"};
	struct observation obs = {.kind = OBS_SEGMENT, .time_ns = 1767225600000000000, .who = &who};

	for (size_t i = 0; i < len; i += SEGMENT_BYTES_MAX) {
		size_t n = len - i < SEGMENT_BYTES_MAX ? len - i : SEGMENT_BYTES_MAX;

		obs.segment = (struct observed_segment){.stream = {who.pid, 0x1000, 1},
							.dir = dir,
							.offset = offsets[call][dir],
							.bytes = span_of(at + i, n)};
		offsets[call][dir] += n;
		pipeline_feed(pipeline, &obs);
	}
}

static struct made made; /* http2: frames are made one after the other */
static struct socket_bytes frames;

static void http2_flush(unsigned int call)
{
	for (size_t i = 0, at = 0; i < made.count; at = made.turns[i++].end)
		segment(call, made.turns[i].dir, made.bytes + at, made.turns[i].end - at);
	made.count = made.len = 0;
}

/* A part of a message's body as the transport frames it. */
static void body(unsigned int call, const struct kind *kind, enum stream_dir dir, const char *at,
		 size_t len)
{
	char line[32];

	switch (kind->transport) {
	case HTTP1:
		segment(call, dir, line, (size_t)snprintf(line, sizeof(line), "%zx\r\n", len));
		segment(call, dir, at, len);
		segment(call, dir, "\r\n", 2);
		break;
	case HTTP2:
		made_frame(&made, dir, HTTP2_DATA, 0, 1, at, len);
		http2_flush(call);
		break;
	case SOCKET:
		break; /* a message is no part */
	}
}

static z_stream deflaters[CALLS][DIR_COUNT];

static void message(unsigned int call, const struct kind *kind, enum stream_dir dir,
		    const char *text)
{
	frames.len = 0;
	if (kind->coding)
		socket_deflated(&frames, &deflaters[call][dir], dir == DIR_OUT, false, false, text);
	else
		socket_frame(&frames, 0x81, dir == DIR_OUT, text, strlen(text));
	segment(call, dir, frames.at, frames.len);
}

static void heads(unsigned int call, const struct kind *kind)
{
	char text[1024];
	int n;

	if (kind->transport == HTTP2) {
		made_begin(&made);
		snprintf(text, sizeof(text),
			 ":method: POST\n:authority: api.example.com\n:path: %s\n", kind->path);
		made_headers(&made, DIR_OUT, 1, false, text);
		http2_flush(call);
		return;
	}
	n = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: api.example.com\r\n%s\r\n",
		     kind->transport == SOCKET ? "GET" : "POST", kind->path,
		     kind->transport == SOCKET ? "Upgrade: websocket\r\n"
					       : "Transfer-Encoding: chunked\r\n");
	segment(call, DIR_OUT, text, (size_t)n);
}

static void response_head(unsigned int call, const struct kind *kind)
{
	char text[1024];
	int n;

	if (kind->transport == HTTP2) {
		snprintf(text, sizeof(text), ":status: 200\ncontent-type: %s\n%s%s%s", kind->type,
			 kind->coding ? "content-encoding: " : "", kind->coding ? kind->coding : "",
			 kind->coding ? "\n" : "");
		made_headers(&made, DIR_IN, 1, false, text);
		http2_flush(call);
		return;
	}
	if (kind->transport == SOCKET)
		n = snprintf(text, sizeof(text),
			     "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: "
			     "%s\r\n\r\n",
			     kind->coding ? kind->coding : "none");
	else
		n = snprintf(text, sizeof(text),
			     "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Encoding: %s\r\n"
			     "Transfer-Encoding: chunked\r\n\r\n",
			     kind->type, kind->coding ? kind->coding : "identity");
	segment(call, DIR_IN, text, (size_t)n);
}

/* A whole body, coded. The caller frees it. */
static char *coded(const struct kind *kind, const char *at, size_t *len)
{
	size_t room = *len + *len / 8 + 65536;
	char *to = malloc(room);
	z_stream z = {0};

	if (!kind->coding) {
		memcpy(to, at, *len);
	} else if (strcmp(kind->coding, "br") == 0) {
		BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, *len, (const uint8_t *)at, &room,
				      (uint8_t *)to);
		*len = room;
	} else if (strcmp(kind->coding, "zstd") == 0) {
		*len = ZSTD_compress(to, room, at, *len, 3);
	} else {
		deflateInit2(&z, 6, Z_DEFLATED, strcmp(kind->coding, "gzip") == 0 ? 31 : 15, 8,
			     Z_DEFAULT_STRATEGY);
		z.next_in = (unsigned char *)at;
		z.avail_in = (unsigned int)*len;
		z.next_out = (unsigned char *)to;
		z.avail_out = (unsigned int)room;
		deflate(&z, Z_FINISH);
		*len = z.total_out;
		deflateEnd(&z);
	}
	return to;
}

static char *answer_of(const struct kind *kind, size_t *len)
{
	bool events = strstr(kind->type, "amazon");
	char *text = malloc(BODY_BYTES + 4096);
	unsigned int seed = 1;

	*len = (size_t)sprintf(text, "%s", kind->begin);
	while (*len < BODY_BYTES) {
		*len += events ? put_event(text + *len, "contentBlockDelta", kind->event)
			       : (size_t)sprintf(text + *len, "%s", kind->event);
		/* comments that differ, so that windows fill */
		if (kind->coding)
			*len += (size_t)sprintf(text + *len, ": %x %x\n\n", rand_r(&seed),
						rand_r(&seed));
	}
	return text;
}

static char *request_of(const struct kind *kind)
{
	size_t len;
	char *text;
	FILE *to = open_memstream(&text, &len);

	fputs(kind->ask, to);
	for (int i = 0; i < 6000; i++)
		fputs("words of ", to);
	fputs(kind->ask_end, to);
	fclose(to);
	return text;
}

/* ---- measuring ---- */

static int64_t most_since(int64_t before, int64_t most)
{
	int64_t now = in_use() - before;

	return now > most ? now : most;
}

static int64_t measure_messages(const struct kind *kind, int64_t before)
{
	int64_t most = 0;

	for (size_t sent = 0; sent < BODY_BYTES; sent += strlen(kind->event)) {
		for (unsigned int call = 0; call < CALLS; call++)
			message(call, kind, DIR_IN, kind->event);
		most = most_since(before, most);
	}
	return most;
}

static int64_t measure_body(const struct kind *kind, int64_t before)
{
	size_t len;
	_cleanup_free_ char *answer = answer_of(kind, &len), *packed = coded(kind, answer, &len);
	int64_t most = 0, own = in_use() - before;

	before += own;
	for (size_t i = 0; i < len; i += PIECE_BYTES) {
		for (unsigned int call = 0; call < CALLS; call++)
			body(call, kind, DIR_IN, packed + i,
			     len - i < PIECE_BYTES ? len - i : PIECE_BYTES);
		most = most_since(before, most);
	}
	return most;
}

/* Bytes by open call, at most. */
static int64_t measure(const struct kind *kind)
{
	_cleanup_free_ char *ask = request_of(kind);
	int64_t before, open, most;

	memset(offsets, 0, sizeof(offsets));
	/* what the test itself holds between the two looks is not the pipeline's */
	for (unsigned int call = 0; kind->transport == SOCKET && call < CALLS; call++)
		for (int dir = 0; kind->coding && dir < DIR_COUNT; dir++)
			deflateInit2(&deflaters[call][dir], 6, Z_DEFLATED, -15, 8,
				     Z_DEFAULT_STRATEGY);
	before = in_use();
	for (unsigned int call = 0; call < CALLS; call++) {
		heads(call, kind);
		if (kind->transport == SOCKET) {
			response_head(call, kind);
			message(call, kind, DIR_OUT, ask);
			continue;
		}
		for (const char *at = ask; *at; at += strnlen(at, PIECE_BYTES))
			body(call, kind, DIR_OUT, at, strnlen(at, PIECE_BYTES));
		response_head(call, kind);
		made_done(&made);
	}
	open = in_use() - before;
	most = kind->transport == SOCKET ? measure_messages(kind, before)
					 : open + measure_body(kind, before + open);
	pipeline_finish(pipeline);
	for (unsigned int call = 0; call < CALLS; call++)
		for (int dir = 0; dir < DIR_COUNT; dir++) {
			deflateEnd(&deflaters[call][dir]);
			deflaters[call][dir] = (z_stream){0};
		}
	return most / CALLS;
}

static void test_open_calls(void **state)
{
	struct diag diag = {0};
	struct catalog *catalog = catalog_new();
	struct policy *policy = policy_new();
	struct pipeline_config config = {.catalog = catalog, .policy = policy, .deliver = on_event};

	(void)state;
	assert_int_equal(catalog_add_builtin(catalog, &diag) | catalog_seal(catalog), 0);
	assert_int_equal(policy_seal(policy, &diag), 0);
	pipeline = pipeline_new(&config);
	assert_non_null(pipeline);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int64_t bytes;

		if (i == 0)
			measure(&kinds[i]); /* what is allocated once */
		told = 0;
		bytes = measure(&kinds[i]);
		print_message("# %-20s %7.1f KB an open call, at most %.0f\n", kinds[i].name,
			      (double)bytes / 1024, (double)kinds[i].cap / 1024);
		assert_int_equal(told, CALLS);
		/* under ASan, whose allocator tells nothing, it is 0 */
		assert_true(bytes <= (int64_t)kinds[i].cap);
	}
	pipeline_free(pipeline);
	policy_free(policy);
	catalog_free(catalog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_open_calls)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
