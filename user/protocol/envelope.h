/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "protocol/documents.h"

/*
 * The envelopes of gRPC and of Connect's streams: one byte of flags and four of length, in network
 * order, before each message. A message is a document. One that is compressed by itself is told
 * without data and as damaged: its length counts, its content is not looked at.
 */
struct envelope {
	const struct document_listener *to;
	void *ctx;
	uint8_t have;
	uint8_t flags;
	bool inside, lost;
	char small[5];
	uint32_t left;
	uint64_t messages, bytes; /* seen whole, and what they held */
};

/* `to` and `ctx` must outlive it. */
void envelope_init(struct envelope *envelope, const struct document_listener *to, void *ctx);
void envelope_feed(struct envelope *envelope, struct span bytes);
/* Bytes were lost: nothing tells where the next message begins; the rest is passed over. */
void envelope_lost(struct envelope *envelope);
