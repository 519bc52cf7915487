/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/span.h"

/*
 * Puts the bytes of one direction of a TCP connection in order (RFC 9293 section 3.4 sequence arithmetic).
 * Bounded: at most REASSEMBLY_BYTES_MAX in REASSEMBLY_SEGMENTS_MAX out-of-order segments are held. First copy of
 * a byte wins. Memory is allocated only while something is out of order.
 */
struct reassembly;

struct reassembly_sink {
	void (*bytes)(void *ctx, struct span bytes);
	void (*gap)(void *ctx, uint64_t bytes); /* lost for good: more came than can be held */
	void *ctx;
};

/* NULL when out of memory. */
struct reassembly *reassembly_new(void);
void reassembly_free(struct reassembly *r);
/* The connection's initial sequence number was seen (a SYN's, without the SYN itself counted). */
void reassembly_start(struct reassembly *r, uint32_t initial_sequence);
/* Joins midway when no start was seen: the first segment's sequence number is taken as the start.
 * `len_on_wire` beyond payload.len was not captured and is told as a gap in its turn. */
void reassembly_push(struct reassembly *r, uint32_t sequence, struct span payload,
		     uint32_t len_on_wire, const struct reassembly_sink *to);
/* Unique payload bytes seen so far: each byte of the sequence space once, retransmissions not counted. */
uint64_t reassembly_bytes(const struct reassembly *r);
/* No more payload is wanted: frees what is held and from now on only counts. */
void reassembly_stop(struct reassembly *r);
