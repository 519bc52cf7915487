/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "protocol/documents.h"

/* Documents on lines of their own (NDJSON, JSON lines); JSON has no line ends within strings, so that a
 * line end always ends a document. Blank lines are none. */
struct ndjson {
	const struct document_listener *to;
	void *ctx;
	bool any; /* something of the line has come */
	bool damaged;
};

/* `to` and `ctx` must outlive it. */
void ndjson_init(struct ndjson *lines, const struct document_listener *to, void *ctx);
void ndjson_feed(struct ndjson *lines, struct span bytes);
/* Bytes were lost: the document that they began in is told as damaged at the next line end, and what
 * is left of the one they ended in with it. */
void ndjson_lost(struct ndjson *lines);
