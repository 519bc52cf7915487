/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "gnomon/protocol.h"

/*
 * WebSocket (RFC 6455) in both directions of a stream that a 101 response has handed over: its
 * messages, from fragments put together and unmasked, become message_begin, body and message_end of
 * the exchange. What an extension compressed (RFC 7692) is told as it is, and said to be so.
 * Control frames are passed over.
 */

/* One direction. Private. */
struct websocket_half {
	uint8_t phase; /* enum phase in websocket.c */
	uint8_t have, need;
	uint8_t opcode;
	bool final;      /* the frame in progress ends its message */
	bool in_message; /* between the first and the last frame of one */
	bool had_gap;
	bool closed; /* a close frame was seen */
	char small[14];
	char key[4];           /* all zero: not masked */
	uint64_t left, offset; /* of the frame's payload */
	uint64_t untold;       /* bytes that the listener does not know of */
};

/* Private; embedded so that it costs no allocation. */
struct websocket {
	const struct exchange_listener *to;
	void *ctx;
	uint32_t exchange;
	bool any;
	enum stream_dir last;
	struct websocket_half half[DIR_COUNT]; /* by who sends: the client DIR_OUT */
};

/* Begins after the 101 response of `exchange`; `to` and `ctx` must outlive it. */
void websocket_init(struct websocket *ws, const struct exchange_listener *to, void *ctx,
		    uint32_t exchange);
/* More that the client (DIR_OUT) or the server has sent. 0, or -EPROTO: no WebSocket frames. After a
 * loss such bytes are passed over instead, up to a frame that begins after a turn of direction. */
int websocket_feed(struct websocket *ws, enum stream_dir from, struct span bytes);
/* Bytes were lost. Outside a frame's payload that ends the message in progress. */
void websocket_gap(struct websocket *ws, enum stream_dir from, uint64_t bytes);
/* The stream has ended. true: as it should, by a close frame. */
bool websocket_done(struct websocket *ws);
