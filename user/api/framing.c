/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/framing.h"

#include "util/cleanup.h"

/* By media type. `sure`: the first byte says nothing else. */
static const struct {
	struct span type;
	enum body_form form;
	bool sure;
} media_types[] = {
	{SPAN_LITERAL("application/json"), BODY_JSON, false},
	{SPAN_LITERAL("text/event-stream"), BODY_SSE, false},
	{SPAN_LITERAL("application/x-ndjson"), BODY_NDJSON, true},
	{SPAN_LITERAL("application/ndjson"), BODY_NDJSON, true},
	{SPAN_LITERAL("application/jsonl"), BODY_NDJSON, true},
	{SPAN_LITERAL("application/x-jsonlines"), BODY_NDJSON, true},
	{SPAN_LITERAL("application/stream+json"), BODY_NDJSON, true},
	{SPAN_LITERAL("application/vnd.amazon.eventstream"), BODY_EVENTSTREAM, true},
	{SPAN_LITERAL("application/connect+json"), BODY_ENVELOPE, true},
	{SPAN_LITERAL("application/connect+proto"), BODY_ENVELOPE, true},
	{SPAN_LITERAL("application/grpc"), BODY_ENVELOPE, true},
	{SPAN_LITERAL("application/grpc+json"), BODY_ENVELOPE, true},
	{SPAN_LITERAL("application/grpc+proto"), BODY_ENVELOPE, true},
	{SPAN_LITERAL("application/grpc-web"), BODY_ENVELOPE, true},
	{SPAN_LITERAL("application/grpc-web+json"), BODY_ENVELOPE, true},
	{SPAN_LITERAL("application/grpc-web+proto"), BODY_ENVELOPE, true},
};

static void sse_data(void *ctx, struct span bytes)
{
	const struct framing *f = ctx;

	f->to->data(f->ctx, bytes);
}

static void sse_end(void *ctx, struct span name, bool damaged)
{
	const struct framing *f = ctx;

	(void)damaged; /* the listener knows of the loss; a document that was whole by then counts */
	f->to->end(f->ctx, name, false);
}

static const struct sse_listener on_sse = {.data = sse_data, .event_end = sse_end};

/* Bedrock wraps other vendors' documents. */
static void eventstream_data(void *ctx, struct span bytes)
{
	struct framing *f = ctx;
	struct span event = span_of(f->eventstream.name, f->eventstream.name_len);

	if (span_eq(event, SPAN_LITERAL("chunk")))
		bedrock_chunk_feed(&f->chunk, bytes, f->to->data, f->ctx);
	else
		f->to->data(f->ctx, bytes);
}

static void eventstream_end(void *ctx, struct span name, bool damaged)
{
	struct framing *f = ctx;

	f->to->end(f->ctx, name, damaged);
	bedrock_chunk_init(&f->chunk);
}

static const struct document_listener on_eventstream = {eventstream_data, eventstream_end};

static void sse_begin(struct framing *f)
{
	sse_init(&f->sse, &on_sse, f);
}

static void sse_more(struct framing *f, struct span bytes)
{
	sse_feed(&f->sse, bytes);
}

static void sse_loss(struct framing *f)
{
	sse_lost(&f->sse);
}

static void ndjson_begin(struct framing *f)
{
	ndjson_init(&f->ndjson, f->to, f->ctx);
}

static void ndjson_more(struct framing *f, struct span bytes)
{
	ndjson_feed(&f->ndjson, bytes);
}

static void ndjson_loss(struct framing *f)
{
	ndjson_lost(&f->ndjson);
}

static void array_begin(struct framing *f)
{
	json_array_init(&f->array, f->to, f->ctx);
}

static void array_more(struct framing *f, struct span bytes)
{
	json_array_feed(&f->array, bytes);
}

static void array_loss(struct framing *f)
{
	json_array_lost(&f->array);
}

static void eventstream_begin(struct framing *f)
{
	eventstream_init(&f->eventstream, &on_eventstream, f);
	bedrock_chunk_init(&f->chunk);
}

static void eventstream_more(struct framing *f, struct span bytes)
{
	eventstream_feed(&f->eventstream, bytes);
}

static void eventstream_loss(struct framing *f)
{
	eventstream_lost(&f->eventstream);
}

static void envelope_begin(struct framing *f)
{
	envelope_init(&f->envelope, f->to, f->ctx);
}

static void envelope_more(struct framing *f, struct span bytes)
{
	envelope_feed(&f->envelope, bytes);
}

static void envelope_loss(struct framing *f)
{
	envelope_lost(&f->envelope);
}

static void json_more(struct framing *f, struct span bytes)
{
	f->to->data(f->ctx, bytes);
}

/* What each form does with a beginning, bytes and a loss; NULL: nothing. */
static const struct {
	void (*begin)(struct framing *f);
	void (*feed)(struct framing *f, struct span bytes);
	void (*lost)(struct framing *f);
} forms[BODY_FORMS] = {
	[BODY_JSON] = {NULL, json_more, NULL},
	[BODY_SSE] = {sse_begin, sse_more, sse_loss},
	[BODY_NDJSON] = {ndjson_begin, ndjson_more, ndjson_loss},
	[BODY_ARRAY] = {array_begin, array_more, array_loss},
	[BODY_EVENTSTREAM] = {eventstream_begin, eventstream_more, eventstream_loss},
	[BODY_ENVELOPE] = {envelope_begin, envelope_more, envelope_loss},
};

void framing_init(struct framing *framing, const struct document_listener *to, void *ctx,
		  bool whole_arrays)
{
	*framing = (struct framing){.to = to, .ctx = ctx, .whole_arrays = whole_arrays};
}

static bool media_type_is(struct span value, struct span type)
{
	if (value.len < type.len || !span_eq_nocase(span_of(value.at, type.len), type))
		return false;
	return value.len == type.len || strchr("; \t", value.at[type.len]);
}

static void decide(struct framing *f, enum body_form form)
{
	f->form = form;
	if (forms[form].begin)
		forms[form].begin(f);
}

void framing_declare(struct framing *framing, const struct http_head *response)
{
	struct span type = http_header_get(response, SPAN_LITERAL("content-type"));

	framing->declared = BODY_PASSED;
	for (size_t i = 0; i < ARRAY_SIZE(media_types); i++) {
		if (!media_type_is(type, media_types[i].type))
			continue;
		framing->declared = media_types[i].form;
		if (media_types[i].sure && framing->form == BODY_UNDECIDED)
			decide(framing, media_types[i].form);
	}
}

/* Types are often missing or wrong, the first byte that is no blank hardly ever. Blanks and the
 * byte order mark mean nothing at the start of either form. */
static enum body_form sniff(const struct framing *f, char c)
{
	if (strchr(" \t\r\n\xEF\xBB\xBF", c) && c)
		return BODY_UNDECIDED;
	if (c == '{')
		return BODY_JSON;
	if (c == '[' && f->declared == BODY_JSON && !f->whole_arrays)
		return BODY_ARRAY;
	/* data:, event:, id:, retry: and comments */
	if (c && strchr("deir:", c))
		return BODY_SSE;
	return f->declared;
}

void framing_feed(struct framing *framing, struct span bytes)
{
	while (framing->form == BODY_UNDECIDED && bytes.len) {
		enum body_form form = sniff(framing, bytes.at[0]);

		if (form == BODY_UNDECIDED)
			bytes = span_skip(bytes, 1);
		else
			decide(framing, form);
	}
	if (bytes.len && forms[framing->form].feed)
		forms[framing->form].feed(framing, bytes);
}

void framing_lost(struct framing *framing)
{
	if (framing->form == BODY_UNDECIDED)
		decide(framing, framing->declared ? framing->declared : BODY_PASSED);
	if (forms[framing->form].lost)
		forms[framing->form].lost(framing);
}
