/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/websocket.h"

#include <errno.h>
#include <string.h>

#include "gnomon/limits.h"
#include "util/bytes.h"

enum phase {
	PHASE_HEADER,
	PHASE_PAYLOAD,
	PHASE_HUNT, /* frame boundaries are lost: waiting for a turn */
};

/* RFC 6455 section 5.2. */
#define BIT_FINAL      0x80
#define BIT_COMPRESSED 0x40 /* RSV1, RFC 7692 section 6 */
#define BITS_RESERVED  0x30
#define BIT_MASKED     0x80
#define LENGTH_16      126
#define LENGTH_64      127

enum { OPCODE_MORE = 0, OPCODE_TEXT = 1, OPCODE_BINARY = 2, OPCODE_CLOSE = 8, OPCODE_PONG = 10 };

void websocket_init(struct websocket *ws, const struct exchange_listener *to, void *ctx,
		    uint32_t exchange)
{
	*ws = (struct websocket){.to = to, .ctx = ctx, .exchange = exchange};
	ws->half[DIR_OUT].need = ws->half[DIR_IN].need = 2;
}

static void tell_bytes(struct websocket *ws, enum stream_dir from)
{
	uint64_t bytes = ws->half[from].untold;

	ws->half[from].untold = 0;
	if (bytes && ws->to->bytes)
		ws->to->bytes(ws->ctx, ws->exchange, from, bytes);
}

static void message_end(struct websocket *ws, enum stream_dir from)
{
	ws->half[from].in_message = false;
	tell_bytes(ws, from);
	if (ws->to->message_end)
		ws->to->message_end(ws->ctx, ws->exchange, from);
}

static bool is_control(const struct websocket_half *half)
{
	return half->opcode >= OPCODE_CLOSE;
}

static void next_frame(struct websocket_half *half)
{
	half->phase = PHASE_HEADER;
	half->have = 0;
	half->need = 2;
}

static void frame_end(struct websocket *ws, enum stream_dir from)
{
	struct websocket_half *half = &ws->half[from];

	next_frame(half);
	if (half->opcode == OPCODE_CLOSE)
		half->closed = true;
	if (!is_control(half) && half->final)
		message_end(ws, from);
}

/* The first two bytes: how many the header has, 0 when it cannot be one. */
static uint8_t header_need(const struct websocket_half *half, enum stream_dir from)
{
	unsigned char a = (unsigned char)half->small[0], b = (unsigned char)half->small[1];
	unsigned int opcode = a & 15, length = b & 0x7f;
	bool control = opcode >= OPCODE_CLOSE;

	if ((a & BITS_RESERVED) || (opcode > OPCODE_BINARY && !control) || opcode > OPCODE_PONG)
		return 0;
	if (control && (!(a & BIT_FINAL) || length > 125))
		return 0;
	/* section 5.4: fragments of one message only; section 6 of RFC 7692: the first is marked */
	if (!control && (opcode == OPCODE_MORE) != half->in_message)
		return 0;
	if ((a & BIT_COMPRESSED) && (control || opcode == OPCODE_MORE))
		return 0;
	/* section 5.1: clients mask, servers do not */
	if (!(b & BIT_MASKED) != (from == DIR_IN))
		return 0;
	return (uint8_t)(2 +
			 (length == LENGTH_16   ? 2
			  : length == LENGTH_64 ? 8
						: 0) +
			 (b & BIT_MASKED ? 4 : 0));
}

/* The header is whole in half->small. */
static int header_done(struct websocket *ws, enum stream_dir from)
{
	struct websocket_half *half = &ws->half[from];
	unsigned char a = (unsigned char)half->small[0];
	bool masked = half->small[1] & BIT_MASKED;

	half->left = half->small[1] & 0x7f;
	if (half->left == LENGTH_16)
		half->left = get_be16(half->small + 2);
	else if (half->left == LENGTH_64)
		half->left = (uint64_t)get_be32(half->small + 2) << 32 | get_be32(half->small + 6);
	if (half->left >> 63)
		return -EPROTO;
	memset(half->key, 0, sizeof(half->key));
	if (masked)
		memcpy(half->key, half->small + half->need - 4, 4);
	half->opcode = a & 15;
	half->offset = 0;
	half->phase = PHASE_PAYLOAD;
	if (!is_control(half)) {
		half->final = a & BIT_FINAL;
		half->in_message = true;
		if (half->opcode != OPCODE_MORE && ws->to->message_begin)
			ws->to->message_begin(ws->ctx, ws->exchange, from, a & BIT_COMPRESSED);
	}
	if (!half->left)
		frame_end(ws, from);
	return 0;
}

static int feed_header(struct websocket *ws, enum stream_dir from, struct span *bytes)
{
	struct websocket_half *half = &ws->half[from];

	half->small[half->have++] = bytes->at[0];
	half->untold++;
	*bytes = span_skip(*bytes, 1);
	if (half->have == 2) {
		half->need = header_need(half, from);
		if (!half->need)
			return -EPROTO;
	}
	return half->have == half->need ? header_done(ws, from) : 0;
}

/* Section 5.3. */
static void tell_unmasked(struct websocket *ws, enum stream_dir from, struct span bytes)
{
	struct websocket_half *half = &ws->half[from];
	char piece[WEBSOCKET_PIECE_BYTES], key[4];

	for (size_t i = 0; i < 4; i++)
		key[i] = half->key[(half->offset + i) & 3];
	while (bytes.len) {
		size_t n = bytes.len < sizeof(piece) ? bytes.len : sizeof(piece);

		for (size_t i = 0; i < n; i++)
			piece[i] = (char)(bytes.at[i] ^ key[i & 3]);
		ws->to->body(ws->ctx, ws->exchange, from, span_of(piece, n));
		bytes = span_skip(bytes, n);
	}
}

static void payload_passed(struct websocket *ws, enum stream_dir from, uint64_t n)
{
	struct websocket_half *half = &ws->half[from];

	half->left -= n;
	half->offset += n;
	half->untold += n;
	if (!half->left)
		frame_end(ws, from);
}

static void feed_payload(struct websocket *ws, enum stream_dir from, struct span *bytes)
{
	const struct websocket_half *half = &ws->half[from];
	struct span part = *bytes;

	if (part.len > half->left)
		part.len = (size_t)half->left;
	*bytes = span_skip(*bytes, part.len);
	if (!is_control(half)) {
		if (from == DIR_OUT)
			tell_unmasked(ws, from, part);
		else
			ws->to->body(ws->ctx, ws->exchange, from, part);
	}
	payload_passed(ws, from, part.len);
}

/* The frame boundaries of this direction are not known any more. */
static void desync(struct websocket *ws, enum stream_dir from, uint64_t bytes)
{
	struct websocket_half *half = &ws->half[from];

	half->had_gap = true;
	half->phase = PHASE_HUNT;
	ws->to->body_gap(ws->ctx, ws->exchange, from, bytes);
	if (half->in_message)
		message_end(ws, from);
}

/* Whoever takes the turn often begins a frame. */
static void take_turn(struct websocket *ws, enum stream_dir from)
{
	if (ws->half[from].phase == PHASE_HUNT && ws->any && ws->last != from)
		next_frame(&ws->half[from]);
	ws->any = true;
	ws->last = from;
}

int websocket_feed(struct websocket *ws, enum stream_dir from, struct span bytes)
{
	struct websocket_half *half = &ws->half[from];

	if (!bytes.len)
		return 0;
	take_turn(ws, from);
	while (bytes.len && half->phase != PHASE_HUNT) {
		if (half->phase == PHASE_PAYLOAD) {
			feed_payload(ws, from, &bytes);
		} else if (feed_header(ws, from, &bytes) < 0) {
			if (!half->had_gap)
				return -EPROTO;
			desync(ws, from, 1);
		}
	}
	return 0;
}

void websocket_gap(struct websocket *ws, enum stream_dir from, uint64_t bytes)
{
	struct websocket_half *half = &ws->half[from];
	uint64_t inside = 0;

	if (!bytes)
		return;
	take_turn(ws, from);
	if (half->phase == PHASE_PAYLOAD) {
		inside = bytes < half->left ? bytes : half->left;
		if (!is_control(half))
			ws->to->body_gap(ws->ctx, ws->exchange, from, inside);
		payload_passed(ws, from, inside);
	}
	if (inside < bytes)
		desync(ws, from, bytes - inside);
}

bool websocket_done(struct websocket *ws)
{
	tell_bytes(ws, DIR_OUT);
	tell_bytes(ws, DIR_IN);
	return ws->half[DIR_OUT].closed || ws->half[DIR_IN].closed;
}
