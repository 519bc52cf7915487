/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "gnomon/observation.h"

/*
 * Protocols that carry HTTP exchanges over a plaintext stream (http1 now; http2 is one more file
 * and row). A protocol gets both directions of one stream and tells a listener of exchanges.
 */

struct http_header {
	struct span name;  /* as sent */
	struct span value; /* without surrounding blanks */
};

/* A request's or a response's head; lent for the duration of the callback. */
struct http_head {
	struct span version; /* "1.1", "1.0", "2" */
	struct span method;  /* requests */
	struct span target;  /* requests: as sent, query included */
	int status;          /* responses */
	const struct http_header *headers;
	size_t header_count;
	uint32_t head_bytes; /* on the stream, with line ends */
};

/* The value of the first header of that name (any case), or the empty span. */
struct span http_header_get(const struct http_head *head, struct span name);

enum exchange_end {
	EXCHANGE_COMPLETE, /* the response has ended as its framing says */
	EXCHANGE_CUT,      /* the stream ended first */
	EXCHANGE_DESYNCED, /* bytes were lost or malformed: what followed is not known */
};

/* What a protocol tells. `exchange` numbers the stream's exchanges from 1; several may be open. */
struct exchange_listener {
	void (*request)(void *ctx, uint32_t exchange, const struct http_head *head);
	void (*response)(void *ctx, uint32_t exchange, const struct http_head *head);
	/* Body bytes without the transfer coding; DIR_OUT is the request's body for a client. The
	 * direction told is that of the message: requests DIR_OUT, responses DIR_IN. */
	void (*body)(void *ctx, uint32_t exchange, enum stream_dir message, struct span bytes);
	/* `bytes` of a body that were not captured. */
	void (*body_gap)(void *ctx, uint32_t exchange, enum stream_dir message, uint64_t bytes);
	/* `bytes` of the stream were this message's: heads, framing and body, captured or not. Told
	 * in portions, all of a request's before request_end, the rest before end. NULL: not
	 * wanted. */
	void (*bytes)(void *ctx, uint32_t exchange, enum stream_dir message, uint64_t bytes);
	/* After a 101 response to "websocket" the bodies go on as messages of their own: one begins,
	 * as an extension may have compressed it (RFC 7692), or has ended; whatever follows the 101
	 * in body() lies between. In order within each direction only. Each may be NULL. */
	void (*message_begin)(void *ctx, uint32_t exchange, enum stream_dir message,
			      bool compressed);
	void (*message_end)(void *ctx, uint32_t exchange, enum stream_dir message);
	/* The request message is complete. */
	void (*request_end)(void *ctx, uint32_t exchange);
	/* Last callback of an exchange. */
	void (*end)(void *ctx, uint32_t exchange, enum exchange_end how);
};

enum protocol_guess { PROTOCOL_NO, PROTOCOL_MAYBE, PROTOCOL_YES };

struct protocol_ops {
	const char *name; /* http1 */
	size_t state_bytes;
	/* Do these first bytes that the process wrote (out) or read (in) start this protocol, and
	 * if so is this process the client? MAYBE: more bytes are needed. */
	enum protocol_guess (*guess)(struct span first, enum stream_dir dir, bool *is_client);
	/* `state` is state_bytes of zeroed memory of the caller's; is_client says which direction
	 * carries requests. */
	void (*init)(void *state, bool is_client, const struct exchange_listener *to, void *ctx);
	/* All bytes are consumed. 0, or -EPROTO: not this protocol (any more); every later call
	 * returns -EPROTO too. The same callbacks' facts result however the bytes are cut. */
	int (*feed)(void *state, enum stream_dir dir, struct span bytes);
	/* `bytes` were lost at this point of this direction. The parser skips them where the framing
	 * tells what they were, else it waits for the start of a message after a turn of
	 * direction. */
	int (*gap)(void *state, enum stream_dir dir, uint64_t bytes);
	/* The stream has ended: open exchanges end. Frees what init and feed allocated. */
	void (*done)(void *state);
};
