/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/protocol.h"

/*
 * HTTP/1.0 and 1.1 (RFC 9112) in both directions of one stream.
 *
 * Told are final responses and 101; other 1xx are passed over. An exchange ends when its response
 * and its request both have ended. After 101 and after a 2xx answer to CONNECT the stream is
 * another protocol's: that exchange ends as complete, and later bytes give -EPROTO. Unless it is
 * a WebSocket: the exchange then goes on with its messages (websocket.h) up to the stream's end,
 * complete if that was announced. A response
 * without a request is parsed and not told. Bodies under a transfer coding besides "chunked" are
 * told as gaps.
 *
 * Malformed bytes give -EPROTO, or, on a stream that has had a gap, another wait for the first
 * request after a turn of direction.
 *
 * A message that is not cut inside its head or a line of its framing costs no allocation.
 */
extern const struct protocol_ops http1_protocol;
