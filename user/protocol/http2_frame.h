/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/protocol.h"
#include "util/bytes.h"

/* Frames of HTTP/2 (RFC 9113 sections 4.1 and 6) by their headers. */

#define HTTP2_FRAME_HEADER 9
#define HTTP2_STREAM_MAX   0x7fffffffu

enum {
	HTTP2_DATA,
	HTTP2_HEADERS,
	HTTP2_PRIORITY,
	HTTP2_RST_STREAM,
	HTTP2_SETTINGS,
	HTTP2_PUSH_PROMISE,
	HTTP2_PING,
	HTTP2_GOAWAY,
	HTTP2_WINDOW_UPDATE,
	HTTP2_CONTINUATION,
};

enum {
	HTTP2_END_STREAM = 0x01,
	HTTP2_ACK = 0x01,
	HTTP2_END_HEADERS = 0x04,
	HTTP2_PADDED = 0x08,
	HTTP2_PRIORITISED = 0x20,
	HTTP2_PUSHED = 0x80, /* on no wire: marks a pushed block */
};

#define HTTP2_SETTINGS_HEADER_TABLE_SIZE 1

struct http2_frame {
	uint32_t length, stream;
	uint8_t type, flags;
};

/* From HTTP2_FRAME_HEADER bytes. */
void http2_frame_parse(const char *at, struct http2_frame *frame);
/* Bytes of the payload that come before its content: they are read as a whole. */
uint8_t http2_frame_prefix(const struct http2_frame *frame);
/* Is it long enough for what it must carry, and on a stream if it must be? */
bool http2_frame_allowed(const struct http2_frame *frame);
/* Would a peer send this in that message's direction? For bytes that may be no frame at all: wrong
 * for about one in 2^24 random ones, and for no text. */
bool http2_frame_likely(const struct http2_frame *frame, enum stream_dir message);

static inline bool http2_may_pad(uint8_t type)
{
	return type == HTTP2_DATA || type == HTTP2_HEADERS || type == HTTP2_PUSH_PROMISE;
}

static inline bool http2_has_block(uint8_t type)
{
	return type == HTTP2_HEADERS || type == HTTP2_PUSH_PROMISE || type == HTTP2_CONTINUATION;
}

/* Are these the first frame of a server, its SETTINGS; or a HEADERS frame that says what it is, of a
 * connection joined midway? *message: DIR_OUT, a client's; DIR_IN, a server's. */
enum protocol_guess http2_frame_guess(struct span first, enum stream_dir *message);
