/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "unit/protocol/http2_maker.h"

/*
 * Calls as clients make them, for benches: what one TLS record holds is one record here. Requests have 50 KB, as
 * those of agents have after some turns: half prose, half programs and tool results, and tools. Answers come
 * event by event, each in a record of its own, of the sizes that real services send (bytes per event and
 * tokens per event: OpenAI 300 and 1, Anthropic 120 and 2.5, Gemini 600 and 22).
 */

#define TRAFFIC_BYTES_MAX   (64u << 20)
#define TRAFFIC_RECORD      16384
#define TRAFFIC_RECORDS_MAX 400000

struct traffic {
	char *bytes;
	size_t len, count;
	struct traffic_record {
		enum stream_dir dir;
		size_t end;
	} * records;
	struct made http2; /* for the heads of HTTP/2, which are compressed */
	uint32_t stream;
	size_t saved; /* bytes that compression took away */
	unsigned int seed;
};

enum traffic_api { TRAFFIC_OPENAI, TRAFFIC_ANTHROPIC, TRAFFIC_GEMINI, TRAFFIC_APIS };

static const char *const traffic_paths[] = {
	"/v1/chat/completions", "/v1/messages",
	"/v1beta/models/gemini-2.0-flash:streamGenerateContent"};

static inline void traffic_begin(struct traffic *t)
{
	memset(t, 0, sizeof(*t));
	t->bytes = malloc(TRAFFIC_BYTES_MAX);
	t->records = calloc(TRAFFIC_RECORDS_MAX, sizeof(*t->records));
	if (!t->bytes || !t->records)
		abort();
	t->seed = 1;
	t->stream = 1;
}

static inline void traffic_done(struct traffic *t)
{
	made_done(&t->http2);
	free(t->bytes);
	free(t->records);
}

/* One record. */
static inline void traffic_add(struct traffic *t, enum stream_dir dir, const char *at, size_t len)
{
	if (t->len + len > TRAFFIC_BYTES_MAX || t->count == TRAFFIC_RECORDS_MAX)
		abort();
	memcpy(t->bytes + t->len, at, len);
	t->len += len;
	t->records[t->count++] = (struct traffic_record){dir, t->len};
}

static inline void traffic_add_all(struct traffic *t, enum stream_dir dir, const char *at,
				   size_t len)
{
	for (size_t i = 0; i < len; i += TRAFFIC_RECORD)
		traffic_add(t, dir, at + i, len - i < TRAFFIC_RECORD ? len - i : TRAFFIC_RECORD);
}

static inline const char *traffic_word(struct traffic *t)
{
	static const char *const words[] = {
		"the",       "of",       "to",       "and",    "a",        "in",        "is",
		"that",      "for",      "it",       "we",     "with",     "this",      "function",
		"when",      "request",  "should",   "file",   "have",     "from",      "error",
		"because",   "changes",  "which",    "test",   "before",   "current",   "value",
		"there",     "not",      "returns",  "server", "they",     "configure", "would",
		"message",   "be",       "could",    "after",  "database", "one",       "user",
		"migration", "please",   "only",     "list",   "deploy",   "each",      "where",
		"although",  "describe", "evidence", "are",    "project",  "quickly",   "if",
	};

	return words[(unsigned int)rand_r(&t->seed) % (sizeof(words) / sizeof(*words))];
}

/* ---- bodies ---- */

/* `bytes` of prose, as in a JSON string. */
static inline void traffic_prose(struct traffic *t, FILE *to, size_t bytes)
{
	for (size_t n = 0, i = 1; n < bytes; i++) {
		int added = fprintf(to, "%s%s", traffic_word(t),
				    i % 60 == 0   ? ".\\n\\n"
				    : i % 13 == 0 ? ". "
				    : i % 7 == 0  ? ", "
						  : " ");

		n += (size_t)added;
	}
}

static inline void traffic_code(struct traffic *t, FILE *to, size_t bytes)
{
	for (size_t n = 0; n < bytes;) {
		int added = fprintf(
			to,
			"    if (%s->%s != NULL && %s < %d)\\n\\treturn %s(\\\"%s: %s\\\", %s);\\n",
			traffic_word(t), traffic_word(t), traffic_word(t), rand_r(&t->seed) % 1000,
			traffic_word(t), traffic_word(t), traffic_word(t), traffic_word(t));

		n += (size_t)added;
	}
}

static inline void traffic_tools(struct traffic *t, FILE *to)
{
	for (int i = 0; i < 12; i++) {
		fprintf(to, "%s{\"type\":\"function\",\"name\":\"tool_%d\",\"description\":\"",
			i ? "," : "", i);
		traffic_prose(t, to, 300);
		fprintf(to,
			"\",\"parameters\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":"
			"\"string\",\"description\":\"%s "
			"%s\"},\"limit\":{\"type\":\"integer\",\"minimum\""
			":1}},\"required\":[\"path\"],\"additionalProperties\":false}}",
			traffic_word(t), traffic_word(t));
	}
}

static inline char *traffic_request(struct traffic *t, enum traffic_api api, size_t *len)
{
	bool gemini = api == TRAFFIC_GEMINI;
	char *text;
	FILE *to = open_memstream(&text, len);

	fprintf(to, gemini ? "{\"tools\":[{\"functionDeclarations\":["
			   : "{\"model\":\"m-1\",\"max_tokens\":4096,\"stream\":true,\"tools\":[");
	traffic_tools(t, to);
	fprintf(to, gemini ? "]}],\"contents\":[" : "],\"messages\":[");
	for (int i = 0; i < 12; i++) {
		fprintf(to,
			gemini ? "%s{\"role\":\"%s\",\"parts\":[{\"text\":\""
			       : "%s{\"role\":\"%s\",\"content\":[{\"type\":\"text\",\"text\":\"",
			i ? "," : "", i % 2 ? "assistant" : "user");
		if (i % 2)
			traffic_code(t, to, 3600);
		else
			traffic_prose(t, to, 3600);
		fputs("\"}]}", to);
	}
	fputs("]}", to);
	fclose(to);
	return text;
}

#define TRAFFIC_EVENTS_MAX 1024

/* The events of an answer, the last one with the usage: returns how many. */
static inline size_t traffic_events(struct traffic *t, enum traffic_api api,
				    char *events[TRAFFIC_EVENTS_MAX])
{
	static const size_t counts[] = {300, 160, 30};
	size_t n = 0, len;

	for (; n < counts[api]; n++) {
		FILE *to = open_memstream(&events[n], &len);

		if (api == TRAFFIC_OPENAI) {
			fprintf(to,
				"data: "
				"{\"id\":\"chatcmpl-CqgzYJjW0tYYTpG8wYVQ0bmXx8rD5\",\"object\":"
				"\"chat.completion.chunk\",\"created\":1766759124,\"model\":\"gpt-"
				"4.1-nano-"
				"2025-04-14\",\"service_tier\":\"default\",\"system_fingerprint\":"
				"\"fp_"
				"7f8eb7d1f9\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" "
				"%s\"},"
				"\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,"
				"\"obfuscation\":"
				"\"%.*s\"}\n\n",
				traffic_word(t), rand_r(&t->seed) % 12, "aB3dE6gH9jK2");
		} else if (api == TRAFFIC_ANTHROPIC) {
			fprintf(to,
				"event: content_block_delta\ndata: "
				"{\"type\":\"content_block_delta\","
				"\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"%s %s "
				"\"}}\n\n",
				traffic_word(t), traffic_word(t));
		} else {
			fputs("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"", to);
			traffic_prose(t, to, 110);
			fprintf(to, "\"}],\"role\":\"model\"},\"index\":0}],\"usageMetadata\":{"
				    "\"promptTokenCount\":9000,\"candidatesTokenCount\":300,"
				    "\"totalTokenCount\":9300,\"promptTokensDetails\":[{"
				    "\"modality\":\"TEXT\","
				    "\"tokenCount\":9000}]},\"modelVersion\":\"gemini-2.0-flash\","
				    "\"responseId\":\"nNc1abcDEFghIJKlmNOP\"}\r\n\r\n");
		}
		fclose(to);
	}
	if (api == TRAFFIC_OPENAI)
		events[n++] = strdup(
			"data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4.1\","
			"\"choices\":[],\"usage\":{\"prompt_tokens\":9000,"
			"\"completion_tokens\":300,\"total_tokens\":9300}}\n\n");
	if (api == TRAFFIC_ANTHROPIC)
		events[n++] = strdup(
			"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":"
			"{\"stop_reason\":\"end_turn\"},\"usage\":{\"input_tokens\":9000,"
			"\"output_tokens\":300}}\n\n");
	return n;
}

/* ---- transports ---- */

/* One call over HTTP/1.1, the answer in chunks. */
static inline void traffic_http1(struct traffic *t, enum traffic_api api)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	char *events[TRAFFIC_EVENTS_MAX], text[8192];
	size_t len, n = traffic_events(t, api, events);
	char *body = traffic_request(t, api, &len);
	int made = snprintf(text, sizeof(text),
			    "POST %s HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: x/1\r\n"
			    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
			    traffic_paths[api], len);

	traffic_add(t, DIR_OUT, text, (size_t)made);
	traffic_add_all(t, DIR_OUT, body, len);
	traffic_add(t, DIR_IN, head, sizeof(head) - 1);
	for (size_t i = 0; i < n; i++) {
		made = snprintf(text, sizeof(text), "%zx\r\n%s\r\n", strlen(events[i]), events[i]);
		traffic_add(t, DIR_IN, text, (size_t)made);
		free(events[i]);
	}
	traffic_add(t, DIR_IN, "0\r\n\r\n", 5);
	free(body);
}

/* What was made of frames becomes one record. */
static inline void traffic_take_made(struct traffic *t)
{
	size_t at = 0;

	for (size_t i = 0; i < t->http2.count; i++) {
		traffic_add_all(t, t->http2.turns[i].dir, t->http2.bytes + at,
				t->http2.turns[i].end - at);
		at = t->http2.turns[i].end;
	}
	t->http2.count = t->http2.len = 0;
}

/* One call over HTTP/2, the answer by gzip, flushed after each event. */
static inline void traffic_http2(struct traffic *t, enum traffic_api api)
{
	char *events[TRAFFIC_EVENTS_MAX], block[512], packed[8192];
	size_t len, n = traffic_events(t, api, events);
	char *body = traffic_request(t, api, &len);
	z_stream z = {0};

	if (t->stream == 1)
		made_begin(&t->http2);
	snprintf(block, sizeof(block),
		 ":method: POST\n:scheme: https\n:authority: api.example.com\n:path: %s\n"
		 "content-type: application/json\nuser-agent: x/1\n",
		 traffic_paths[api]);
	made_headers(&t->http2, DIR_OUT, t->stream, false, block);
	for (size_t i = 0; i < len; i += TRAFFIC_RECORD) {
		size_t part = len - i < TRAFFIC_RECORD ? len - i : TRAFFIC_RECORD;

		made_frame(&t->http2, DIR_OUT, HTTP2_DATA, i + part == len ? HTTP2_END_STREAM : 0,
			   t->stream, body + i, part);
	}
	made_headers(&t->http2, DIR_IN, t->stream, false,
		     ":status: 200\ncontent-type: text/event-stream\ncontent-encoding: gzip\n");
	traffic_take_made(t);
	deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
	for (size_t i = 0; i < n; i++) {
		z.next_in = (unsigned char *)events[i];
		z.avail_in = (unsigned int)strlen(events[i]);
		z.next_out = (unsigned char *)packed;
		z.avail_out = sizeof(packed);
		deflate(&z, i + 1 == n ? Z_FINISH : Z_SYNC_FLUSH);
		made_frame(&t->http2, DIR_IN, HTTP2_DATA, i + 1 == n ? HTTP2_END_STREAM : 0,
			   t->stream, packed, sizeof(packed) - z.avail_out);
		traffic_take_made(t);
		t->saved += strlen(events[i]) - (sizeof(packed) - z.avail_out);
		free(events[i]);
	}
	deflateEnd(&z);
	t->stream += 2;
	free(body);
}
