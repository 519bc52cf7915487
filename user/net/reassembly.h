/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/span.h"

/*
 * Puts the bytes of one direction of a TCP connection in order (RFC 9293 section 3.4 sequence
 * arithmetic). Bounded: at most REASSEMBLY_BYTES_MAX bytes in REASSEMBLY_SEGMENTS_MAX out-of-order
 * segments are held; when more come, the oldest hole is given up and told as a gap. First copy of a
 * byte wins, captured or not. Memory is allocated only while something is out of order.
 */
struct reassembly;

struct reassembly_sink {
	void (*bytes)(void *ctx, struct span bytes);
	void (*gap)(void *ctx, uint64_t bytes); /* lost for good, or not captured */
	void *ctx;
};

/* NULL when out of memory. */
struct reassembly *reassembly_new(void);
/* Not from within a callback. NULL is fine. */
void reassembly_free(struct reassembly *r);
/* The connection's SYN was seen: `initial_sequence` is its sequence number, the first payload
 * byte's is one more (RFC 9293 section 3.4). Has no effect once started: a repeated SYN, or a late
 * one. */
void reassembly_start(struct reassembly *r, uint32_t initial_sequence);
/* Joins midway when no start was seen: the first segment with payload is taken as the start, and
 * what comes from before it as retransmitted. `len_on_wire` beyond payload.len was not captured
 * and is told as a gap in its turn. Callbacks come in the order of the stream; they may call
 * reassembly_stop, after which no more come. */
void reassembly_push(struct reassembly *r, uint32_t sequence, struct span payload,
		     uint32_t len_on_wire, const struct reassembly_sink *to);
/* What is still missing before `sequence` was left out on purpose and will not come: it is a gap. Without a
 * start, `sequence` is it. */
void reassembly_skip(struct reassembly *r, uint32_t sequence, const struct reassembly_sink *to);
/* Unique payload bytes seen so far: each byte of the sequence space once, retransmissions not
 * counted, bytes that were on the wire and not captured counted, lost ones not. */
uint64_t reassembly_bytes(const struct reassembly *r);
/* No more payload is wanted: frees what is held and from now on only counts. Bytes that come out of
 * order are then kept as ranges without content, and the count stays exact while at most
 * REASSEMBLY_SEGMENTS_MAX ranges are apart; past that the oldest hole is given up, and bytes that
 * still fill it are not counted. */
void reassembly_stop(struct reassembly *r);
