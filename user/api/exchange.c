/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "api/family.h"
#include "api/framing.h"
#include "api/usage_estimate.h"
#include "catalog/catalog.h"
#include "protocol/content_coding.h"
#include "protocol/json_scan.h"
#include "util/cleanup.h"

/* One direction of a WebSocket. */
struct socket_half {
	bool compressed; /* the message in progress is */
	bool no_history; /* each message is compressed by itself */
	bool any;        /* a message has ended since the call began */
};

struct api_exchange {
	const struct api_ops *ops;  /* whose call it is: names, heads */
	const struct api_ops *body; /* whose bodies it has: paths, values, state */
	enum api_claim claim;
	bool spoken; /* the service is known to speak the family */
	struct llm_facts facts;
	struct budget *budget;
	/* By message; NULL: none to undo. */
	struct content_coding *coding[DIR_COUNT];
	bool passed[DIR_COUNT]; /* the rest of that body cannot be decoded */
	bool ended;
	/* Another family that it may be, while its path is not known; of the first one, which it
	 * was. */
	struct api_exchange *rival, *chosen;
	/* Of a WebSocket: what it was before its first message, to begin each call with; NULL: none. */
	struct api_exchange *first;
	struct socket_half socket[DIR_COUNT];
	struct framing framing; /* of the response */
	struct json_scan request_scan, response_scan;
	struct usage_estimate estimate;
	/* Compiled for each exchange: a microsecond against a model's seconds, and no state
	 * that outlives it. */
	struct json_paths request_paths, response_paths;
	_Alignas(max_align_t) unsigned char state[];
};

static void tell_request(void *ctx, const struct json_value *value)
{
	struct api_exchange *e = ctx;

	e->body->request_value(e->state, &e->facts, value);
}

static void tell_response(void *ctx, const struct json_value *value)
{
	struct api_exchange *e = ctx;

	e->body->response_value(e->state, &e->facts, value);
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

static void response_document(struct api_exchange *e, struct span name, bool damaged)
{
	bool whole = json_scan_end(&e->response_scan) == 0 && !damaged;

	e->body->response_document(e->state, &e->facts, name, whole);
}

static void document_data(void *ctx, struct span bytes)
{
	struct api_exchange *e = ctx;

	json_scan_feed(&e->response_scan, bytes);
}

static void document_end(void *ctx, struct span name, bool damaged)
{
	struct api_exchange *e = ctx;

	e->facts.chunk_count++;
	response_document(e, name, damaged);
	json_scan_restart(&e->response_scan);
}

static const struct document_listener on_document = {.data = document_data, .end = document_end};

static struct api_exchange *exchange_alloc(const struct api_ops *ops, const struct api_ops *body)
{
	struct api_exchange *e = calloc(1, sizeof(*e) + body->state_bytes);

	if (!e)
		return NULL;
	e->ops = ops;
	e->body = body;
	e->facts = (struct llm_facts){
		.api_family = ops->name,
		.operation = ops->operation ? ops->operation : body->operation,
		.stream = TRI_UNKNOWN,
		.max_tokens = TOKENS_UNKNOWN,
		.message_count = -1,
		.tool_count = -1,
		.usage = {.source = USAGE_NONE,
			  .input = TOKENS_UNKNOWN,
			  .output = TOKENS_UNKNOWN,
			  .cache_read = TOKENS_UNKNOWN,
			  .cache_creation = TOKENS_UNKNOWN,
			  .reasoning = TOKENS_UNKNOWN},
	};
	return e;
}

static void request_head(struct api_exchange *e, const struct http_head *head)
{
	if (e->body->request_head)
		e->body->request_head(e->state, &e->facts, head);
	if (e->ops != e->body && e->ops->request_head)
		e->ops->request_head(NULL, &e->facts, head);
}

static void response_head(struct api_exchange *e, const struct http_head *head)
{
	if (e->body->response_head)
		e->body->response_head(e->state, &e->facts, head);
	if (e->ops != e->body && e->ops->response_head)
		e->ops->response_head(NULL, &e->facts, head);
}

static void request_body(void *ctx, struct span bytes)
{
	struct api_exchange *e = ctx;

	json_scan_feed(&e->request_scan, bytes);
}

static void response_body(void *ctx, struct span bytes)
{
	struct api_exchange *e = ctx;

	framing_feed(&e->framing, bytes);
}

static content_fn *const body_of[DIR_COUNT] = {[DIR_OUT] = request_body, [DIR_IN] = response_body};

/* Bytes of the body are missing, at this point or from here on. */
static void lost(struct api_exchange *e, enum stream_dir message)
{
	e->facts.truncated = true;
	e->estimate.lost[message] = true;
	if (message == DIR_OUT) {
		json_scan_lost(&e->request_scan);
		return;
	}
	json_scan_lost(&e->response_scan);
	framing_lost(&e->framing);
}

/* The rest of a body cannot be decoded. */
static void pass(struct api_exchange *e, enum stream_dir message)
{
	content_coding_free(e->coding[message]);
	e->coding[message] = NULL;
	e->passed[message] = true;
	lost(e, message);
}

static void open_coding(struct api_exchange *e, enum stream_dir message,
			const struct http_head *head)
{
	struct span header = http_header_get(head, SPAN_LITERAL("content-encoding"));

	if (content_coding_new(&e->coding[message], header, e->budget, body_of[message], e) < 0)
		pass(e, message);
}

/* Does the family look into an array as a whole? */
static bool wants_array(const struct json_path *paths)
{
	for (; paths->path; paths++)
		if (paths->path[0] == '[')
			return true;
	return false;
}

static struct api_exchange *exchange_new(const struct api_ops *ops, enum api_claim claim,
					 const struct http_head *request,
					 const struct service *service, struct budget *budget)
{
	const struct api_ops *body = ops->format ? ops->format(request) : NULL;
	_cleanup_free_ struct api_exchange *e = NULL;

	if (!body)
		body = ops;
	e = exchange_alloc(ops, body);
	if (!e)
		return NULL;
	e->claim = claim;
	e->budget = budget;
	e->spoken = api_service_speaks(service, ops);
	if (json_paths_compile(&e->request_paths, body->request_paths) < 0 ||
	    json_paths_compile(&e->response_paths, body->response_paths) < 0) {
		errno = EINVAL;
		return NULL;
	}
	json_scan_init(&e->request_scan, &e->request_paths, tell_request, e);
	json_scan_init(&e->response_scan, &e->response_paths, tell_response, e);
	json_scan_tell_text(&e->request_scan, tell_request_text);
	json_scan_tell_text(&e->response_scan, tell_response_text);
	framing_init(&e->framing, &on_document, e, wants_array(body->response_paths));
	open_coding(e, DIR_OUT, request);
	request_head(e, request);
	return TAKE_PTR(e);
}

/* The path is not known, as on an HTTP/2 connection that was joined midway: the bodies are read as each
 * family's that the service speaks, and tell which it was. */
static struct api_exchange *new_rivals(const struct http_head *request,
				       const struct service *service, struct budget *budget)
{
	struct api_exchange *first = NULL, **last = &first;
	size_t count = 0;

	for (const struct api_ops *const *at = api_table; *at && count < API_RIVALS_MAX; at++) {
		if (!api_service_speaks(service, *at))
			continue;
		*last = exchange_new(*at, API_CLAIM_SHAPED, request, service, budget);
		if (!*last)
			break;
		last = &(*last)->rival;
		count++;
	}
	if (!first)
		errno = ENOENT;
	return first;
}

struct api_exchange *api_exchange_new(const struct http_head *request,
				      const struct service *service)
{
	return api_exchange_new_within(request, service, NULL);
}

struct api_exchange *api_exchange_new_within(const struct http_head *request,
					     const struct service *service, struct budget *budget)
{
	enum api_claim claim;
	const struct api_ops *ops = api_choose(request, service, &claim);

	if (ops)
		return exchange_new(ops, claim, request, service, budget);
	if (!request->target.len)
		return new_rivals(request, service, budget);
	errno = ENOENT;
	return NULL;
}

void api_exchange_free(struct api_exchange *exchange)
{
	while (exchange) {
		struct api_exchange *rival = exchange->rival;

		content_coding_free(exchange->coding[DIR_OUT]);
		content_coding_free(exchange->coding[DIR_IN]);
		usage_estimate_done(&exchange->estimate);
		free(exchange->first);
		free(exchange);
		exchange = rival;
	}
}

/* Is `parameter` among those of the extensions that were agreed on (RFC 7692 section 7.1)? */
static bool has_parameter(const struct http_head *response, struct span parameter)
{
	struct span agreed = http_header_get(response, SPAN_LITERAL("sec-websocket-extensions"));

	return agreed.len && memmem(agreed.at, agreed.len, parameter.at, parameter.len);
}

static void open_socket(struct api_exchange *e, const struct http_head *response)
{
	size_t bytes = sizeof(*e) + e->body->state_bytes;

	e->socket[DIR_OUT].no_history = has_parameter(response,
						      SPAN_LITERAL("client_no_context_takeover"));
	e->socket[DIR_IN].no_history = has_parameter(response,
						     SPAN_LITERAL("server_no_context_takeover"));
	e->framing.form = BODY_JSON;
	e->facts.stream = TRI_TRUE;
	if (e->first || e->coding[DIR_OUT])
		return;
	e->first = malloc(bytes);
	if (!e->first) {
		pass(e, DIR_IN);
		return;
	}
	memcpy(e->first, e, bytes);
	e->first->estimate = (struct usage_estimate){0};
}

void api_exchange_response(struct api_exchange *exchange, const struct http_head *response)
{
	for (; exchange; exchange = exchange->rival) {
		response_head(exchange, response);
		framing_declare(&exchange->framing, response);
		if (response->status == 101)
			open_socket(exchange, response);
		else if (!exchange->coding[DIR_IN] && !exchange->passed[DIR_IN])
			open_coding(exchange, DIR_IN, response);
	}
}

void api_exchange_message_begin(struct api_exchange *exchange, enum stream_dir message,
				bool compressed)
{
	struct content_coding **coding = &exchange->coding[message];
	struct socket_half *half = &exchange->socket[message];

	half->compressed = compressed;
	if (!compressed || !exchange->first)
		return;
	/* what damaged an earlier message is over when there is no history */
	if (half->no_history)
		exchange->passed[message] = false;
	if (!*coding && !exchange->passed[message] &&
	    content_coding_new_raw(coding, exchange->budget, body_of[message], exchange) < 0)
		pass(exchange, message);
}

/* RFC 7692 section 7.2.2: what each compressed message leaves out at its end. */
static void end_compressed(struct api_exchange *e, enum stream_dir message)
{
	if (!e->coding[message])
		return;
	if (content_coding_feed(e->coding[message], SPAN_LITERAL("\0\0\xff\xff")) < 0)
		pass(e, message);
	else if (e->socket[message].no_history)
		content_coding_restart(e->coding[message]);
}

bool api_exchange_message_end(struct api_exchange *exchange, enum stream_dir message)
{
	struct socket_half *half = &exchange->socket[message];

	if (!exchange->first || exchange->ended)
		return false;
	if (half->compressed)
		end_compressed(exchange, message);
	half->compressed = false;
	half->any = true;
	exchange->facts.chunk_count += message == DIR_IN;
	if (message == DIR_OUT) {
		json_scan_restart(&exchange->request_scan);
		return false;
	}
	response_document(exchange, (struct span){0}, false);
	json_scan_restart(&exchange->response_scan);
	return exchange->socket[DIR_OUT].any &&
	       (exchange->facts.finish_reason[0] || exchange->facts.error_type[0]);
}

bool api_exchange_asked(const struct api_exchange *exchange)
{
	return !exchange->first || exchange->socket[DIR_OUT].any;
}

void api_exchange_again(struct api_exchange *exchange)
{
	struct api_exchange *first = exchange->first;

	if (!first)
		return;
	/* what the stream's decoders know goes on */
	for (int message = 0; message < DIR_COUNT; message++) {
		first->coding[message] = exchange->coding[message];
		first->passed[message] = exchange->passed[message];
		first->socket[message].compressed = exchange->socket[message].compressed;
	}
	/* a session's first message names its model for good */
	if (!first->facts.request_model[0])
		memcpy(first->facts.request_model, exchange->facts.request_model,
		       sizeof(first->facts.request_model));
	usage_estimate_done(&exchange->estimate);
	memcpy(exchange, first, sizeof(*exchange) + first->body->state_bytes);
	exchange->first = first;
	for (int message = 0; message < DIR_COUNT; message++)
		if (exchange->passed[message])
			lost(exchange, (enum stream_dir)message);
}

static void take_body(struct api_exchange *exchange, enum stream_dir message, struct span bytes)
{
	if (exchange->ended || exchange->passed[message])
		return;
	if (!exchange->coding[message] ||
	    (exchange->first && !exchange->socket[message].compressed))
		body_of[message](exchange, bytes);
	else if (content_coding_feed(exchange->coding[message], bytes) < 0)
		pass(exchange, message);
}

void api_exchange_body(struct api_exchange *exchange, enum stream_dir message, struct span bytes)
{
	for (; exchange; exchange = exchange->rival)
		take_body(exchange, message, bytes);
}

static void take_gap(struct api_exchange *exchange, enum stream_dir message, uint64_t bytes)
{
	if (!bytes || exchange->ended || exchange->passed[message])
		return;
	if (exchange->coding[message] && (!exchange->first || exchange->socket[message].compressed))
		pass(exchange, message); /* each byte depends on those before it */
	else
		lost(exchange, message);
}

void api_exchange_gap(struct api_exchange *exchange, enum stream_dir message, uint64_t bytes)
{
	for (; exchange; exchange = exchange->rival)
		take_gap(exchange, message, bytes);
}

static void take_end(struct api_exchange *exchange, enum exchange_end how)
{
	struct llm_facts *facts = &exchange->facts;

	if (exchange->ended)
		return;
	exchange->ended = true;
	if (how == EXCHANGE_DESYNCED)
		facts->truncated = true;
	if (json_scan_end(&exchange->request_scan) == 0 && facts->stream == TRI_UNKNOWN)
		facts->stream = exchange->body->stream_default;
	/* The whole body, or an event whose blank line is missing. */
	response_document(exchange, (struct span){0}, false);
	usage_estimate_apply(&exchange->estimate, facts);
}

static int likeness(const struct api_exchange *e)
{
	return 2 * e->facts.request_shape + e->facts.response_shape;
}

void api_exchange_end(struct api_exchange *exchange, enum exchange_end how)
{
	exchange->chosen = exchange;
	for (struct api_exchange *e = exchange; e; e = e->rival) {
		take_end(e, how);
		if (likeness(e) > likeness(exchange->chosen))
			exchange->chosen = e;
	}
}

/* Whose facts count. */
static const struct api_exchange *chosen(const struct api_exchange *exchange)
{
	return exchange->chosen ? exchange->chosen : exchange;
}

const struct llm_facts *api_exchange_facts(const struct api_exchange *exchange)
{
	return &chosen(exchange)->facts;
}

static bool has_shape(const struct api_exchange *exchange)
{
	const struct llm_facts *facts = &exchange->facts;

	if (exchange->claim == API_CLAIM_WEAK && !exchange->spoken)
		return facts->request_shape && facts->response_shape;
	return facts->request_shape;
}

bool api_exchange_shape(const struct api_exchange *exchange)
{
	return has_shape(chosen(exchange));
}

bool api_exchange_is_call(const struct api_exchange *exchange, const struct catalog_match *match)
{
	bool known = match->service && (exchange->spoken || !match->shared);

	switch (exchange->claim) {
	case API_CLAIM_SURE:
		return known || api_exchange_shape(exchange);
	case API_CLAIM_LISTED:
	case API_CLAIM_WEAK:
		return exchange->spoken || api_exchange_shape(exchange);
	default:
		return api_exchange_shape(exchange);
	}
}
