/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/http1.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>

#include "gnomon/limits.h"
#include "protocol/http_head.h"
#include "protocol/websocket.h"
#include "util/cleanup.h"
#include "util/hex.h"

/* Where one direction stands. */
enum phase {
	PHASE_HEAD,
	PHASE_LENGTH,     /* `remain` bytes of body */
	PHASE_CLOSE,      /* body up to the end of the stream */
	PHASE_CHUNK_SIZE, /* the hexadecimal digits */
	PHASE_CHUNK_LINE, /* the rest of that line: extensions */
	PHASE_CHUNK,      /* `remain` bytes of chunk */
	PHASE_CHUNK_END,  /* the line end after a chunk */
	PHASE_TRAILER,
	PHASE_COUNT,
};

enum line { LINE_EMPTY, LINE_CR, LINE_TEXT };

/* One direction. */
struct half {
	enum phase phase;
	enum line line;    /* of the current line of the head or the trailer */
	uint32_t exchange; /* of the message in progress, 0: none, or a response nobody asked for */
	uint32_t line_bytes, trailer_bytes;
	uint64_t remain;
	uint64_t untold; /* bytes of this message that the listener does not know of */
	bool opaque;
	/* A head that did not lie in one span; NULL while there is none. */
	char *head;
	size_t head_len, head_cap;
};

struct slot {
	uint32_t exchange;
	bool is_head, is_connect, is_socket;
	bool request_done, response_done;
};

struct http1 {
	const struct exchange_listener *to;
	void *ctx;
	bool is_client;
	bool over; /* not this protocol any more */
	bool had_gap;
	bool desynced; /* waiting for a request after a turn of direction */
	bool trial;    /* desynced, and such a turn has come */
	bool any;      /* `last` is known */
	bool upgraded; /* to a WebSocket, as which the oldest exchange goes on */
	enum stream_dir last;
	uint32_t exchanges;
	struct half half[DIR_COUNT];          /* by message: requests DIR_OUT, responses DIR_IN */
	struct slot slots[HTTP_PIPELINE_MAX]; /* open exchanges, oldest at `first` */
	unsigned int first, count;
	struct websocket socket;
};

static struct slot *oldest(struct http1 *h)
{
	return h->count ? &h->slots[h->first] : NULL;
}

static struct slot *newest(struct http1 *h)
{
	return &h->slots[(h->first + h->count - 1) % HTTP_PIPELINE_MAX];
}

static void end_oldest(struct http1 *h, enum exchange_end how)
{
	struct slot slot = h->slots[h->first];

	h->first = (h->first + 1) % HTTP_PIPELINE_MAX;
	h->count--;
	h->to->end(h->ctx, slot.exchange, slot.response_done ? EXCHANGE_COMPLETE : how);
}

static void half_reset(struct half *half)
{
	uint64_t untold = half->untold;

	free(half->head);
	*half = (struct half){.phase = PHASE_HEAD, .untold = untold};
}

static void tell_bytes(struct http1 *h, enum stream_dir message, uint32_t exchange)
{
	uint64_t bytes = h->half[message].untold;

	h->half[message].untold = 0;
	if (exchange && bytes && h->to->bytes)
		h->to->bytes(h->ctx, exchange, message, bytes);
}

static void drop_all(struct http1 *h, enum exchange_end how)
{
	const struct slot *slot = oldest(h);
	uint32_t answered = h->half[DIR_IN].exchange;

	/* part of a response's head is already its own */
	if (!answered && slot && !slot->response_done)
		answered = slot->exchange;
	tell_bytes(h, DIR_OUT, h->half[DIR_OUT].exchange);
	tell_bytes(h, DIR_IN, answered);
	while (h->count)
		end_oldest(h, how);
	half_reset(&h->half[DIR_OUT]);
	half_reset(&h->half[DIR_IN]);
}

static void desync(struct http1 *h)
{
	h->desynced = true;
	h->trial = false;
	drop_all(h, EXCHANGE_DESYNCED);
}

/* Bytes that are not HTTP. After a gap the fault may be ours: a body was taken for a head. */
static int malformed(struct http1 *h)
{
	if (h->had_gap) {
		desync(h);
		return 0;
	}
	h->over = true;
	drop_all(h, EXCHANGE_DESYNCED);
	return -EPROTO;
}

static void message_done(struct http1 *h, enum stream_dir message)
{
	struct half *half = &h->half[message];
	struct slot *slot = message == DIR_OUT ? newest(h) : oldest(h);
	bool told = half->exchange != 0;

	tell_bytes(h, message, half->exchange);
	half_reset(half);
	if (!told)
		return;
	if (message == DIR_OUT) {
		slot->request_done = true;
		h->to->request_end(h->ctx, slot->exchange);
	} else {
		slot->response_done = true;
	}
	/* A response that came before the end of its request waits for it; it is then alone. */
	if (slot->request_done && slot->response_done)
		end_oldest(h, EXCHANGE_COMPLETE);
}

static void body_begin(struct http1 *h, enum stream_dir message, const struct http_framing *framing)
{
	struct half *half = &h->half[message];

	half->opaque = framing->opaque;
	half->line = LINE_EMPTY;
	switch (framing->kind) {
	case HTTP_BODY_NONE:
		message_done(h, message);
		break;
	case HTTP_BODY_LENGTH:
		half->phase = PHASE_LENGTH;
		half->remain = framing->length;
		break;
	case HTTP_BODY_CHUNKED:
		half->phase = PHASE_CHUNK_SIZE;
		break;
	case HTTP_BODY_CLOSE:
		half->phase = PHASE_CLOSE;
		break;
	}
}

static bool asks_for_socket(const struct http_head *head)
{
	return span_eq_nocase(http_header_get(head, SPAN_LITERAL("upgrade")),
			      SPAN_LITERAL("websocket"));
}

static int request_head(struct http1 *h, const struct http_head *head,
			const struct http_framing *framing)
{
	struct slot *slot;

	if (h->count == HTTP_PIPELINE_MAX) {
		/* Not malformed, but no longer followed. */
		h->had_gap = true;
		return -EPROTO;
	}
	h->desynced = h->trial = false;
	h->count++;
	slot = newest(h);
	*slot = (struct slot){
		.exchange = ++h->exchanges,
		.is_head = span_eq(head->method, SPAN_LITERAL("HEAD")),
		.is_connect = span_eq(head->method, SPAN_LITERAL("CONNECT")),
		.is_socket = asks_for_socket(head),
	};
	h->half[DIR_OUT].exchange = slot->exchange;
	h->to->request(h->ctx, slot->exchange, head);
	body_begin(h, DIR_OUT, framing);
	return 0;
}

/* The stream is a WebSocket from here on. */
static void upgrade(struct http1 *h)
{
	half_reset(&h->half[DIR_OUT]);
	half_reset(&h->half[DIR_IN]);
	tell_bytes(h, DIR_IN, oldest(h)->exchange);
	h->upgraded = true;
	websocket_init(&h->socket, h->to, h->ctx, oldest(h)->exchange);
}

/* The stream carries another protocol from here on. */
static void switched(struct http1 *h)
{
	struct slot *slot = oldest(h);

	if (slot)
		slot->response_done = true;
	h->over = true;
	drop_all(h, EXCHANGE_CUT);
}

static int response_head(struct http1 *h, const struct http_head *head,
			 const struct http_framing *framing)
{
	struct http_framing chosen = *framing;
	struct slot *slot = oldest(h);

	if (head->status < 200 && head->status != 101) {
		half_reset(&h->half[DIR_IN]);
		return 0;
	}
	/* The oldest exchange has had its response and still waits for its request's end. */
	if (slot && slot->response_done)
		slot = NULL;
	if (slot) {
		h->half[DIR_IN].exchange = slot->exchange;
		h->to->response(h->ctx, slot->exchange, head);
		if (slot->is_head)
			chosen.kind = HTTP_BODY_NONE;
	}
	if (head->status == 101 && slot && slot->is_socket && slot->request_done && h->count == 1 &&
	    asks_for_socket(head))
		upgrade(h);
	else if (head->status == 101 || (slot && slot->is_connect && head->status < 300))
		switched(h);
	else
		body_begin(h, DIR_IN, &chosen);
	return 0;
}

static int head_done(struct http1 *h, enum stream_dir message, struct span text)
{
	struct http_header headers[HTTP_HEADERS_MAX];
	_cleanup_free_ char *unfolded = NULL;
	struct http_framing framing;
	struct http_head head;
	int r;

	if (http_head_folded(text)) {
		unfolded = malloc(text.len);
		if (!unfolded) {
			h->had_gap = true;
			return -EPROTO;
		}
		memcpy(unfolded, text.at, text.len);
		http_head_unfold(unfolded, text.len);
		text.at = unfolded;
	}
	r = http_head_parse(text, message == DIR_OUT, &head, headers, &framing);
	if (r < 0)
		return r;
	return message == DIR_OUT ? request_head(h, &head, &framing)
				  : response_head(h, &head, &framing);
}

/* The length up to and with the empty line that ends a section, 0 when it is not in `bytes`. */
static size_t section_end(struct half *half, struct span bytes)
{
	size_t i = 0;

	while (i < bytes.len) {
		if (half->line == LINE_TEXT) {
			const char *lf = memchr(bytes.at + i, '\n', bytes.len - i);

			if (!lf)
				break;
			i = (size_t)(lf - bytes.at) + 1;
			half->line = LINE_EMPTY;
			continue;
		}
		if (bytes.at[i] == '\n')
			return i + 1;
		half->line = half->line == LINE_EMPTY && bytes.at[i] == '\r' ? LINE_CR : LINE_TEXT;
		i++;
	}
	return 0;
}

static int head_keep(struct half *half, struct span bytes)
{
	if (half->head_len + bytes.len > half->head_cap) {
		size_t cap = half->head_cap ? half->head_cap : 1024;
		char *grown;

		while (cap < half->head_len + bytes.len)
			cap *= 2;
		grown = realloc(half->head, cap);
		if (!grown)
			return -ENOMEM;
		half->head = grown;
		half->head_cap = cap;
	}
	memcpy(half->head + half->head_len, bytes.at, bytes.len);
	half->head_len += bytes.len;
	return 0;
}

static ssize_t feed_head(struct http1 *h, enum stream_dir message, struct span bytes)
{
	struct half *half = &h->half[message];
	struct span text;
	size_t end, used;
	char *kept;
	int r;

	/* RFC 9112 section 2.2: empty lines before a start line are passed over. */
	if (half->head_len == 0 && (bytes.at[0] == '\r' || bytes.at[0] == '\n'))
		return 1;
	end = section_end(half, bytes);
	used = end ? end : bytes.len;
	if (half->head_len + used > HTTP_HEAD_MAX)
		return -EPROTO;
	text = span_of(bytes.at, used);
	if (half->head_len || !end) {
		if (head_keep(half, text) < 0) {
			h->had_gap = true;
			return -EPROTO;
		}
		text = span_of(half->head, half->head_len);
	}
	half->untold += used;
	if (!end)
		return (ssize_t)used;
	/* The listener sees into it, while what follows may begin the next message. */
	kept = TAKE_PTR(half->head);
	half_reset(half);
	r = head_done(h, message, text);
	free(kept);
	return r < 0 ? -EPROTO : (ssize_t)used;
}

static void tell_body(struct http1 *h, enum stream_dir message, struct span bytes)
{
	const struct half *half = &h->half[message];

	if (!half->exchange)
		return;
	if (half->opaque)
		h->to->body_gap(h->ctx, half->exchange, message, bytes.len);
	else
		h->to->body(h->ctx, half->exchange, message, bytes);
}

/* `n` bytes of the body or chunk have passed. */
static void body_passed(struct http1 *h, enum stream_dir message, uint64_t n)
{
	struct half *half = &h->half[message];

	if (half->phase == PHASE_CLOSE)
		return;
	half->remain -= n;
	if (half->remain)
		return;
	if (half->phase == PHASE_CHUNK)
		half->phase = PHASE_CHUNK_END;
	else
		message_done(h, message);
}

static ssize_t feed_body(struct http1 *h, enum stream_dir message, struct span bytes)
{
	const struct half *half = &h->half[message];

	if (half->phase != PHASE_CLOSE && bytes.len > half->remain)
		bytes.len = (size_t)half->remain;
	tell_body(h, message, bytes);
	h->half[message].untold += bytes.len;
	body_passed(h, message, bytes.len);
	return (ssize_t)bytes.len;
}

static ssize_t feed_chunk_size(struct http1 *h, enum stream_dir message, struct span bytes)
{
	struct half *half = &h->half[message];
	int digit = hex_digit(bytes.at[0]);

	if (digit < 0) {
		if (!half->line_bytes || !strchr("; \t\r\n", bytes.at[0]) || !bytes.at[0])
			return -EPROTO;
		half->phase = PHASE_CHUNK_LINE;
		return 0;
	}
	half->untold++;
	if (half->remain >> 59 || ++half->line_bytes > HTTP_CHUNK_LINE_MAX)
		return -EPROTO;
	half->remain = half->remain << 4 | (uint64_t)digit;
	return 1;
}

/* Consumes up to and with the next LF within HTTP_CHUNK_LINE_MAX; *whole says whether it came. */
static ssize_t feed_line(struct half *half, struct span bytes, bool *whole)
{
	const char *lf = memchr(bytes.at, '\n', bytes.len);
	size_t used = lf ? (size_t)(lf - bytes.at) + 1 : bytes.len;

	if (used > HTTP_CHUNK_LINE_MAX - half->line_bytes)
		return -EPROTO;
	half->line_bytes += (uint32_t)used;
	half->untold += used;
	*whole = lf;
	return (ssize_t)used;
}

static ssize_t feed_chunk_line(struct http1 *h, enum stream_dir message, struct span bytes)
{
	struct half *half = &h->half[message];
	bool whole = false;
	ssize_t used = feed_line(half, bytes, &whole);

	if (used < 0 || !whole)
		return used;
	half->phase = half->remain ? PHASE_CHUNK : PHASE_TRAILER;
	half->line = LINE_EMPTY;
	half->line_bytes = half->trailer_bytes = 0;
	return used;
}

static ssize_t feed_chunk_end(struct http1 *h, enum stream_dir message, struct span bytes)
{
	struct half *half = &h->half[message];

	if (bytes.at[0] == '\r' && half->line == LINE_EMPTY)
		half->line = LINE_CR;
	else if (bytes.at[0] == '\n')
		half->phase = PHASE_CHUNK_SIZE;
	else
		return -EPROTO;
	half->untold++;
	return 1;
}

static ssize_t feed_trailer(struct http1 *h, enum stream_dir message, struct span bytes)
{
	struct half *half = &h->half[message];
	size_t end = section_end(half, bytes);
	size_t used = end ? end : bytes.len;

	if (used > HTTP_HEAD_MAX - half->trailer_bytes)
		return -EPROTO;
	half->trailer_bytes += (uint32_t)used;
	half->untold += used;
	if (end)
		message_done(h, message);
	return (ssize_t)used;
}

/* Each gets at least one byte and returns how many it took, or -EPROTO. */
static ssize_t (*const feed_phase[PHASE_COUNT])(struct http1 *h, enum stream_dir message,
						struct span bytes) = {
	[PHASE_HEAD] = feed_head,
	[PHASE_LENGTH] = feed_body,
	[PHASE_CLOSE] = feed_body,
	[PHASE_CHUNK_SIZE] = feed_chunk_size,
	[PHASE_CHUNK_LINE] = feed_chunk_line,
	[PHASE_CHUNK] = feed_body,
	[PHASE_CHUNK_END] = feed_chunk_end,
	[PHASE_TRAILER] = feed_trailer,
};

static enum stream_dir message_of(const struct http1 *h, enum stream_dir dir)
{
	return (dir == DIR_OUT) == h->is_client ? DIR_OUT : DIR_IN;
}

/* Notes whose turn it is; while desynced, a request's turn is the chance to go on. */
static void take_turn(struct http1 *h, enum stream_dir message, bool lost)
{
	bool turn = h->any && h->last != message;

	h->any = true;
	h->last = message;
	if (!h->desynced || !(turn || lost))
		return;
	half_reset(&h->half[DIR_OUT]);
	h->trial = message == DIR_OUT && !lost;
}

static int feed_socket(struct http1 *h, enum stream_dir message, struct span bytes)
{
	if (websocket_feed(&h->socket, message, bytes) == 0)
		return 0;
	websocket_done(&h->socket);
	h->over = true;
	drop_all(h, EXCHANGE_DESYNCED);
	return -EPROTO;
}

static int http1_feed(void *state, enum stream_dir dir, struct span bytes)
{
	struct http1 *h = state;
	enum stream_dir message = message_of(h, dir);

	if (h->over)
		return -EPROTO;
	if (!bytes.len)
		return 0;
	take_turn(h, message, false);
	while (bytes.len) {
		ssize_t used;

		if (h->over)
			return -EPROTO;
		if (h->upgraded)
			return feed_socket(h, message, bytes);
		if (h->desynced && !(h->trial && message == DIR_OUT))
			return 0;
		used = feed_phase[h->half[message].phase](h, message, bytes);
		if (used < 0)
			return malformed(h);
		bytes = span_skip(bytes, (size_t)used);
	}
	return 0;
}

static int http1_gap(void *state, enum stream_dir dir, uint64_t bytes)
{
	struct http1 *h = state;
	enum stream_dir message = message_of(h, dir);
	const struct half *half = &h->half[message];
	uint64_t inside = 0;

	if (h->over)
		return -EPROTO;
	if (!bytes)
		return 0;
	if (h->upgraded) {
		websocket_gap(&h->socket, message, bytes);
		return 0;
	}
	h->had_gap = true;
	take_turn(h, message, true);
	if (h->desynced)
		return 0;
	if (half->phase == PHASE_CLOSE)
		inside = bytes;
	else if (half->phase == PHASE_LENGTH || half->phase == PHASE_CHUNK)
		inside = bytes < half->remain ? bytes : half->remain;
	if (inside) {
		if (half->exchange)
			h->to->body_gap(h->ctx, half->exchange, message, inside);
		h->half[message].untold += inside;
		body_passed(h, message, inside);
	}
	if (inside < bytes)
		desync(h);
	return 0;
}

static void http1_done(void *state)
{
	struct http1 *h = state;
	struct slot *slot = oldest(h);

	/* The end of the stream is the end of such a body. */
	if (slot && h->half[DIR_IN].phase == PHASE_CLOSE && h->half[DIR_IN].exchange)
		slot->response_done = true;
	if (h->upgraded && !h->over && websocket_done(&h->socket))
		slot->response_done = true;
	h->over = true;
	drop_all(h, EXCHANGE_CUT);
}

static void http1_init(void *state, bool is_client, const struct exchange_listener *to, void *ctx)
{
	struct http1 *h = state;

	h->is_client = is_client;
	h->to = to;
	h->ctx = ctx;
}

static enum protocol_guess http1_guess(struct span first, enum stream_dir dir, bool *is_client)
{
	enum protocol_guess request = http_head_guess_request(first);
	enum protocol_guess status = http_head_guess_status(first);

	if (request == PROTOCOL_YES || status == PROTOCOL_YES)
		*is_client = (dir == DIR_OUT) == (request == PROTOCOL_YES);
	return request > status ? request : status;
}

const struct protocol_ops http1_protocol = {
	.name = "http1",
	.state_bytes = sizeof(struct http1),
	.guess = http1_guess,
	.init = http1_init,
	.feed = http1_feed,
	.gap = http1_gap,
	.done = http1_done,
};
