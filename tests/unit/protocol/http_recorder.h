/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "gnomon/protocol.h"

/*
 * Writes down what a protocol tells, so that two ways of cutting the same bytes can be compared:
 * heads and ends in order, body bytes and gaps joined per message.
 */
#define RECORDER_SLOTS 64 /* more than are ever open at once */

struct recorder {
	FILE *log;
	char *text;
	size_t len;
	struct {
		FILE *file;
		char *text;
		size_t len;
		uint64_t gap;
		uint64_t least, bytes;     /* in heads and bodies, and as told */
	} body[RECORDER_SLOTS][DIR_COUNT]; /* by exchange modulo the slots */
	unsigned int requests, responses, ends[3], open;
	bool crowded;              /* slots are shared: their counts mean nothing */
	uint64_t total[DIR_COUNT]; /* bytes of all messages */
};

static void recorder_flush_gap(struct recorder *r, uint32_t exchange, enum stream_dir message)
{
	if (r->body[exchange % RECORDER_SLOTS][message].gap)
		fprintf(r->body[exchange % RECORDER_SLOTS][message].file, "<%llu>",
			(unsigned long long)r->body[exchange % RECORDER_SLOTS][message].gap);
	r->body[exchange % RECORDER_SLOTS][message].gap = 0;
}

static FILE *recorder_body(struct recorder *r, uint32_t exchange, enum stream_dir message)
{
	if (exchange == 0 || r->open > RECORDER_SLOTS)
		abort();
	if (!r->body[exchange % RECORDER_SLOTS][message].file)
		r->body[exchange % RECORDER_SLOTS][message].file =
			open_memstream(&r->body[exchange % RECORDER_SLOTS][message].text,
				       &r->body[exchange % RECORDER_SLOTS][message].len);
	return r->body[exchange % RECORDER_SLOTS][message].file;
}

/* Compressed heads have a length that says nothing. */
static void recorder_head_bytes(struct recorder *r, const struct http_head *head)
{
	if (head->version.at[0] == '1')
		fprintf(r->log, " %u", head->head_bytes);
	fputc('\n', r->log);
}

static void recorder_request(void *ctx, uint32_t exchange, const struct http_head *head)
{
	struct recorder *r = ctx;

	r->requests++;
	r->open++;
	r->crowded |= r->open > RECORDER_SLOTS;
	if (exchange != r->requests)
		abort();
	for (int message = 0; message < DIR_COUNT; message++)
		r->body[exchange % RECORDER_SLOTS][message].least =
			r->body[exchange % RECORDER_SLOTS][message].bytes = 0;
	r->body[exchange % RECORDER_SLOTS][DIR_OUT].least = head->head_bytes;
	fprintf(r->log, "%u> %.*s %.*s %.*s", exchange, (int)head->method.len, head->method.at,
		(int)head->target.len, head->target.at, (int)head->version.len, head->version.at);
	recorder_head_bytes(r, head);
	for (size_t i = 0; i < head->header_count; i++)
		fprintf(r->log, "  %.*s=%.*s\n", (int)head->headers[i].name.len,
			head->headers[i].name.at, (int)head->headers[i].value.len,
			head->headers[i].value.at);
}

static void recorder_response(void *ctx, uint32_t exchange, const struct http_head *head)
{
	struct recorder *r = ctx;

	r->responses++;
	r->body[exchange % RECORDER_SLOTS][DIR_IN].least += head->head_bytes;
	fprintf(r->log, "%u< %d %.*s", exchange, head->status, (int)head->version.len,
		head->version.at);
	recorder_head_bytes(r, head);
	for (size_t i = 0; i < head->header_count; i++)
		fprintf(r->log, "  %.*s=%.*s\n", (int)head->headers[i].name.len,
			head->headers[i].name.at, (int)head->headers[i].value.len,
			head->headers[i].value.at);
}

static void recorder_on_body(void *ctx, uint32_t exchange, enum stream_dir message,
			     struct span bytes)
{
	struct recorder *r = ctx;
	FILE *file = recorder_body(r, exchange, message);

	if (!bytes.len)
		abort();
	recorder_flush_gap(r, exchange, message);
	r->body[exchange % RECORDER_SLOTS][message].least += bytes.len;
	fwrite(bytes.at, 1, bytes.len, file);
}

static void recorder_on_gap(void *ctx, uint32_t exchange, enum stream_dir message, uint64_t bytes)
{
	struct recorder *r = ctx;

	recorder_body(r, exchange, message);
	r->body[exchange % RECORDER_SLOTS][message].gap += bytes;
}

static void recorder_bytes(void *ctx, uint32_t exchange, enum stream_dir message, uint64_t bytes)
{
	struct recorder *r = ctx;

	r->body[exchange % RECORDER_SLOTS][message].bytes += bytes;
}

/* At least the heads and bodies must be among the bytes of a message. */
static void recorder_check(const struct recorder *r, uint32_t exchange, enum stream_dir message)
{
	if (!r->crowded && r->body[exchange % RECORDER_SLOTS][message].bytes <
				   r->body[exchange % RECORDER_SLOTS][message].least)
		abort();
}

static void recorder_request_end(void *ctx, uint32_t exchange)
{
	struct recorder *r = ctx;

	recorder_check(r, exchange, DIR_OUT);
	fprintf(r->log, "%u> end\n", exchange);
}

/* "(" and ")" around a message of a WebSocket, "{" when it is compressed. */
static void recorder_message_begin(void *ctx, uint32_t exchange, enum stream_dir message,
				   bool compressed)
{
	FILE *file = recorder_body(ctx, exchange, message);

	recorder_flush_gap(ctx, exchange, message);
	fputc(compressed ? '{' : '(', file);
}

static void recorder_message_end(void *ctx, uint32_t exchange, enum stream_dir message)
{
	FILE *file = recorder_body(ctx, exchange, message);

	recorder_flush_gap(ctx, exchange, message);
	fputc(')', file);
	recorder_check(ctx, exchange, message);
}

static void recorder_end(void *ctx, uint32_t exchange, enum exchange_end how)
{
	static const char *const names[] = {"complete", "cut", "desynced"};
	struct recorder *r = ctx;

	r->ends[how]++;
	r->open--;
	for (int message = 0; message < DIR_COUNT; message++) {
		recorder_check(r, exchange, (enum stream_dir)message);
		r->total[message] += r->body[exchange % RECORDER_SLOTS][message].bytes;
		if (!r->body[exchange % RECORDER_SLOTS][message].file)
			continue;
		recorder_flush_gap(r, exchange, (enum stream_dir)message);
		fclose(r->body[exchange % RECORDER_SLOTS][message].file);
		fprintf(r->log, "%u%s body [%s]\n", exchange, message == DIR_OUT ? ">" : "<",
			r->body[exchange % RECORDER_SLOTS][message].text);
		free(r->body[exchange % RECORDER_SLOTS][message].text);
		r->body[exchange % RECORDER_SLOTS][message].file = NULL;
	}
	fprintf(r->log, "%u end %s\n", exchange, names[how]);
}

static const struct exchange_listener recorder_listener = {
	.request = recorder_request,
	.response = recorder_response,
	.body = recorder_on_body,
	.body_gap = recorder_on_gap,
	.bytes = recorder_bytes,
	.message_begin = recorder_message_begin,
	.message_end = recorder_message_end,
	.request_end = recorder_request_end,
	.end = recorder_end,
};

static void recorder_init(struct recorder *r)
{
	memset(r, 0, sizeof(*r));
	r->log = open_memstream(&r->text, &r->len);
}

/* What was told; the caller's to free. The stream must be done. */
static inline char *recorder_take(struct recorder *r)
{
	if (r->open)
		abort();
	fclose(r->log);
	return r->text;
}
