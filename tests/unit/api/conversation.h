/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "api/exchange.h"
#include "catalog/catalog.h"
#include "gnomon/limits.h"
#include "protocol/http1.h"
#include "protocol/http2.h"

/* Bytes of HTTP in, facts out: what the pipeline does with a stream, for tests. */
struct conversation {
	const struct protocol_ops *protocol;
	void *http;
	const struct service *service; /* what the catalogue knows of the host; NULL: nothing */
	FILE *log;                     /* one line an exchange; NULL: nothing is written */
	char *text;
	size_t len;
	unsigned int ended, shaped;
	bool is_call;                 /* of the exchange that ended last */
	struct llm_facts first, last; /* of the exchanges that ended first and last */
	struct {
		uint32_t number;
		struct api_exchange *exchange;
	} open[HTTP_PIPELINE_MAX];
};

static struct api_exchange *conversation_find(struct conversation *c, uint32_t number)
{
	for (int i = 0; i < HTTP_PIPELINE_MAX; i++)
		if (c->open[i].exchange && c->open[i].number == number)
			return c->open[i].exchange;
	return NULL;
}

static void conversation_request(void *ctx, uint32_t number, const struct http_head *head)
{
	struct conversation *c = ctx;

	for (int i = 0; i < HTTP_PIPELINE_MAX; i++) {
		if (c->open[i].exchange)
			continue;
		c->open[i].number = number;
		c->open[i].exchange = api_exchange_new(head, c->service);
		return;
	}
	abort();
}

static void conversation_response(void *ctx, uint32_t number, const struct http_head *head)
{
	struct api_exchange *exchange = conversation_find(ctx, number);

	if (exchange)
		api_exchange_response(exchange, head);
}

static void conversation_body(void *ctx, uint32_t number, enum stream_dir message,
			      struct span bytes)
{
	struct api_exchange *exchange = conversation_find(ctx, number);

	if (exchange)
		api_exchange_body(exchange, message, bytes);
}

static void conversation_gap(void *ctx, uint32_t number, enum stream_dir message, uint64_t bytes)
{
	struct api_exchange *exchange = conversation_find(ctx, number);

	if (exchange)
		api_exchange_gap(exchange, message, bytes);
}

static void facts_print(FILE *to, const struct llm_facts *f)
{
	static const char *const sources[] = {"none", "reported", "text", "ciphertext"};

	fprintf(to, "%s req=%s res=%s stream=%d finish=%s error=%s %s in=%lld out=%lld",
		f->api_family, f->request_model, f->response_model, f->stream, f->finish_reason,
		f->error_type, sources[f->usage.source], (long long)f->usage.input,
		(long long)f->usage.output);
	fprintf(to, " read=%lld new=%lld reason=%lld shape=%d%d%s\n",
		(long long)f->usage.cache_read, (long long)f->usage.cache_creation,
		(long long)f->usage.reasoning, f->request_shape, f->response_shape,
		f->truncated ? " truncated" : "");
}

static void conversation_conclude(struct conversation *c, struct api_exchange *exchange,
				  enum exchange_end how)
{
	const struct catalog_match match = {.service = c->service};

	api_exchange_end(exchange, how);
	c->last = *api_exchange_facts(exchange);
	if (c->ended++ == 0)
		c->first = c->last;
	c->shaped += api_exchange_shape(exchange);
	c->is_call = api_exchange_is_call(exchange, &match);
	if (c->log)
		facts_print(c->log, &c->last);
}

static void conversation_message_begin(void *ctx, uint32_t number, enum stream_dir message,
				       bool compressed)
{
	struct api_exchange *exchange = conversation_find(ctx, number);

	if (exchange)
		api_exchange_message_begin(exchange, message, compressed);
}

static void conversation_message_end(void *ctx, uint32_t number, enum stream_dir message)
{
	struct api_exchange *exchange = conversation_find(ctx, number);

	if (!exchange || !api_exchange_message_end(exchange, message))
		return;
	conversation_conclude(ctx, exchange, EXCHANGE_COMPLETE);
	api_exchange_again(exchange);
}

static void conversation_request_end(void *ctx, uint32_t number)
{
	(void)ctx;
	(void)number;
}

static void conversation_end(void *ctx, uint32_t number, enum exchange_end how)
{
	struct conversation *c = ctx;

	for (int i = 0; i < HTTP_PIPELINE_MAX; i++) {
		struct api_exchange *exchange = c->open[i].exchange;

		if (!exchange || c->open[i].number != number)
			continue;
		if (api_exchange_asked(exchange))
			conversation_conclude(c, exchange, how);
		api_exchange_free(exchange);
		c->open[i].exchange = NULL;
	}
}

static const struct exchange_listener conversation_listener = {
	.request = conversation_request,
	.response = conversation_response,
	.body = conversation_body,
	.body_gap = conversation_gap,
	.message_begin = conversation_message_begin,
	.message_end = conversation_message_end,
	.request_end = conversation_request_end,
	.end = conversation_end,
};

static void conversation_begin_over(struct conversation *c, const struct protocol_ops *protocol)
{
	memset(c, 0, sizeof(*c));
	c->log = open_memstream(&c->text, &c->len);
	c->protocol = protocol;
	c->http = calloc(1, protocol->state_bytes);
	if (!c->http || !c->log)
		abort();
	protocol->init(c->http, true, &conversation_listener, c);
}

static inline void conversation_begin(struct conversation *c)
{
	conversation_begin_over(c, &http1_protocol);
}

static int conversation_feed(struct conversation *c, enum stream_dir dir, const char *at,
			     size_t len)
{
	return c->protocol->feed(c->http, dir, span_of(at, len));
}

/* The lines; the caller's to free. */
static char *conversation_finish(struct conversation *c)
{
	c->protocol->done(c->http);
	free(c->http);
	fclose(c->log);
	return c->text;
}
