/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/protocol.h"

/*
 * HTTP/2 (RFC 9113) in both directions of one connection, from its preface on or joined midway.
 *
 * Told are final responses; 1xx responses, trailers and pushed responses are passed over. A
 * request's ":authority" is told as the header "host". At most HTTP2_STREAMS_MAX exchanges are
 * followed at a time: those beyond are told and ended at once as desynced. An exchange whose stream
 * is reset, or refused by GOAWAY, ends as cut.
 *
 * Lost bytes that lie within a frame's payload cost that payload alone. Elsewhere they cost the
 * frame boundaries: that direction then waits for bytes that look like a frame header, right after
 * the loss or after the next turn of direction, and every message open in it is told of a gap. The
 * history of its header compression (RFC 7541) is unknown from there on, as it is after joining
 * midway: headers that refer to what was compressed before are left out, those written out or
 * compressed since are told. The direction stays so until the connection ends.
 *
 * Memory: 4 KiB, up to HTTP2_TABLE_MEMORY_MAX per direction for compressed headers (10 KiB for what clients
 * send), and 20 KiB while a header block is cut.
 */
extern const struct protocol_ops http2_protocol;
