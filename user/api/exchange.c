/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "api/usage_estimate.h"
#include "gnomon/api.h"
#include "protocol/json_scan.h"
#include "protocol/sse.h"
#include "util/cleanup.h"

enum body_form {
	BODY_UNDECIDED, /* no byte that tells has come */
	BODY_JSON,
	BODY_SSE,
	BODY_PASSED, /* nothing that is understood */
};

struct api_exchange {
	const struct api_ops *ops;
	struct llm_facts facts;
	bool request_passed; /* its body is in a content coding, or lost in part */
	bool ended;
	/* What the response's Content-Type says, for bodies whose first byte does not. */
	enum body_form declared, form;
	struct json_scan request_scan, response_scan;
	struct usage_estimate estimate;
	struct sse sse;
	/* Compiled for each exchange: a microsecond against a model's seconds, and no state
	 * that outlives it. */
	struct json_paths request_paths, response_paths;
	_Alignas(max_align_t) unsigned char state[];
};

static bool is_coded(const struct http_head *head)
{
	struct span coding = http_header_get(head, SPAN_LITERAL("content-encoding"));

	return coding.len && !span_eq_nocase(coding, SPAN_LITERAL("identity"));
}

static void tell_request(void *ctx, const struct json_value *value)
{
	struct api_exchange *e = ctx;

	e->ops->request_value(e->state, &e->facts, value);
}

static void tell_response(void *ctx, const struct json_value *value)
{
	struct api_exchange *e = ctx;

	e->ops->response_value(e->state, &e->facts, value);
}

static void tell_request_text(void *ctx, struct span piece)
{
	struct api_exchange *e = ctx;

	usage_estimate_request(&e->estimate, piece);
}

static void tell_response_text(void *ctx, struct span piece)
{
	struct api_exchange *e = ctx;

	usage_estimate_response(&e->estimate, piece);
}

static void response_document(struct api_exchange *e, struct span name)
{
	bool whole = json_scan_end(&e->response_scan) == 0;

	e->ops->response_document(e->state, &e->facts, name, whole);
}

static void event_data(void *ctx, struct span bytes)
{
	struct api_exchange *e = ctx;

	json_scan_feed(&e->response_scan, bytes);
}

static void event_end(void *ctx, struct span name, bool damaged)
{
	struct api_exchange *e = ctx;

	(void)damaged; /* the scanner was told too, and a document that was whole by then counts */
	response_document(e, name);
	json_scan_restart(&e->response_scan);
}

static const struct sse_listener on_event = {.data = event_data, .event_end = event_end};

static const struct api_ops *find_family(const struct http_head *request)
{
	const struct api_ops *const *ops = api_table;

	while (*ops && !(*ops)->match(request))
		ops++;
	return *ops;
}

struct api_exchange *api_exchange_new(const struct http_head *request)
{
	const struct api_ops *ops = find_family(request);
	_cleanup_free_ struct api_exchange *e = NULL;

	if (!ops) {
		errno = ENOENT;
		return NULL;
	}
	e = calloc(1, sizeof(*e) + ops->state_bytes);
	if (!e)
		return NULL;
	e->ops = ops;
	e->facts = (struct llm_facts){
		.api_family = ops->name,
		.operation = ops->operation,
		.stream = TRI_UNKNOWN,
		.usage = {.source = USAGE_NONE,
			  .input = TOKENS_UNKNOWN,
			  .output = TOKENS_UNKNOWN,
			  .cache_read = TOKENS_UNKNOWN,
			  .cache_creation = TOKENS_UNKNOWN,
			  .reasoning = TOKENS_UNKNOWN},
	};
	if (json_paths_compile(&e->request_paths, ops->request_paths) < 0 ||
	    json_paths_compile(&e->response_paths, ops->response_paths) < 0) {
		errno = EINVAL;
		return NULL;
	}
	json_scan_init(&e->request_scan, &e->request_paths, tell_request, e);
	json_scan_init(&e->response_scan, &e->response_paths, tell_response, e);
	json_scan_tell_text(&e->request_scan, tell_request_text);
	json_scan_tell_text(&e->response_scan, tell_response_text);
	sse_init(&e->sse, &on_event, e);
	if (is_coded(request))
		e->request_passed = e->facts.truncated = true;
	return TAKE_PTR(e);
}

void api_exchange_free(struct api_exchange *exchange)
{
	free(exchange);
}

static bool media_type_is(struct span value, struct span type)
{
	if (value.len < type.len || !span_eq_nocase(span_of(value.at, type.len), type))
		return false;
	return value.len == type.len || strchr("; \t", value.at[type.len]);
}

void api_exchange_response(struct api_exchange *exchange, const struct http_head *response)
{
	struct span type = http_header_get(response, SPAN_LITERAL("content-type"));

	exchange->declared = BODY_PASSED;
	if (media_type_is(type, SPAN_LITERAL("text/event-stream")))
		exchange->declared = BODY_SSE;
	else if (media_type_is(type, SPAN_LITERAL("application/json")))
		exchange->declared = BODY_JSON;
	if (is_coded(response)) {
		exchange->form = BODY_PASSED;
		exchange->facts.truncated = true;
	}
}

/* Types are often missing or wrong, the first byte that is no blank hardly ever. Blanks and the
 * byte order mark mean nothing at the start of either form. */
static enum body_form sniff(const struct api_exchange *e, char c)
{
	if (strchr(" \t\r\n\xEF\xBB\xBF", c) && c)
		return BODY_UNDECIDED;
	if (c == '{')
		return BODY_JSON;
	/* data:, event:, id:, retry: and comments */
	if (c && strchr("deir:", c))
		return BODY_SSE;
	return e->declared;
}

static void response_body(struct api_exchange *e, struct span bytes)
{
	while (e->form == BODY_UNDECIDED && bytes.len) {
		e->form = sniff(e, bytes.at[0]);
		if (e->form == BODY_UNDECIDED)
			bytes = span_skip(bytes, 1);
	}
	if (e->form == BODY_JSON)
		json_scan_feed(&e->response_scan, bytes);
	else if (e->form == BODY_SSE)
		sse_feed(&e->sse, bytes);
}

void api_exchange_body(struct api_exchange *exchange, enum stream_dir message, struct span bytes)
{
	if (exchange->ended)
		return;
	if (message == DIR_IN)
		response_body(exchange, bytes);
	else if (!exchange->request_passed)
		json_scan_feed(&exchange->request_scan, bytes);
}

void api_exchange_gap(struct api_exchange *exchange, enum stream_dir message, uint64_t bytes)
{
	if (!bytes || exchange->ended)
		return;
	exchange->facts.truncated = true;
	exchange->estimate.lost[message] = true;
	if (message == DIR_OUT) {
		json_scan_lost(&exchange->request_scan);
		return;
	}
	if (exchange->form == BODY_UNDECIDED)
		exchange->form = exchange->declared ? exchange->declared : BODY_PASSED;
	json_scan_lost(&exchange->response_scan);
	if (exchange->form == BODY_SSE)
		sse_lost(&exchange->sse);
}

void api_exchange_end(struct api_exchange *exchange, enum exchange_end how)
{
	struct llm_facts *facts = &exchange->facts;

	if (exchange->ended)
		return;
	exchange->ended = true;
	if (how == EXCHANGE_DESYNCED)
		facts->truncated = true;
	if (!exchange->request_passed && json_scan_end(&exchange->request_scan) == 0 &&
	    facts->stream == TRI_UNKNOWN)
		facts->stream = exchange->ops->stream_default;
	/* The whole body, or an event whose blank line is missing. */
	response_document(exchange, (struct span){0});
	usage_estimate_apply(&exchange->estimate, facts);
}

const struct llm_facts *api_exchange_facts(const struct api_exchange *exchange)
{
	return &exchange->facts;
}

bool api_exchange_shape(const struct api_exchange *exchange)
{
	return exchange->facts.request_shape;
}
