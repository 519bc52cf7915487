/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "gnomon/limits.h"
#include "protocol/documents.h"

/*
 * Amazon's event stream (application/vnd.amazon.eventstream): messages of a prelude, headers and a
 * payload, with a CRC-32 over the prelude and one over all of it. A payload is a document; its name is
 * the header ":event-type", or ":exception-type", cut at EVENT_NAME_MAX. Numbers are in network order.
 */
struct eventstream {
	const struct document_listener *to;
	void *ctx;
	uint8_t phase; /* enum phase in eventstream.c */
	uint8_t have;
	uint8_t name_len, label_len;
	uint8_t value_type;
	bool damaged;
	uint32_t crc;           /* of the message so far */
	uint32_t headers, left; /* bytes of headers and of payload that are to come */
	uint32_t field;         /* of the current header's part */
	char small[12];
	char label[20];
	char name[EVENT_NAME_MAX];
};

/* `to` and `ctx` must outlive it. */
void eventstream_init(struct eventstream *stream, const struct document_listener *to, void *ctx);
/* A payload is told before its checksum is known: the end says whether it holds. A prelude whose
 * checksum is wrong is taken for lost bytes. */
void eventstream_feed(struct eventstream *stream, struct span bytes);
/* Bytes were lost: the document in progress is told as damaged, and what follows is searched for the
 * next prelude, byte by byte. */
void eventstream_lost(struct eventstream *stream);
