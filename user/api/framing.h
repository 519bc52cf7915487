/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "api/bedrock_chunk.h"
#include "gnomon/protocol.h"
#include "protocol/envelope.h"
#include "protocol/eventstream.h"
#include "protocol/json_array.h"
#include "protocol/ndjson.h"
#include "protocol/sse.h"

/*
 * How a response's body holds its JSON documents: one and no more, or several in one of the framings.
 * Chosen by Content-Type, and where that is often missing or wrong by the first byte.
 */

enum body_form {
	BODY_UNDECIDED, /* no byte that tells has come */
	BODY_JSON,      /* one document: its end is the body's */
	BODY_SSE,
	BODY_NDJSON,
	BODY_ARRAY,
	BODY_EVENTSTREAM,
	BODY_ENVELOPE,
	BODY_PASSED, /* nothing that is understood */
	BODY_FORMS,
};

struct framing {
	const struct document_listener *to;
	void *ctx;
	enum body_form declared, form;
	bool whole_arrays; /* an array is one document */
	union {
		struct sse sse;
		struct ndjson ndjson;
		struct json_array array;
		struct eventstream eventstream;
		struct envelope envelope;
	};
	struct bedrock_chunk chunk; /* of the event stream's current payload */
};

/* `to` and `ctx` must outlive it; the end of a BODY_JSON document is not told. `whole_arrays`: the
 * family wants a body that is an array as one document. */
void framing_init(struct framing *framing, const struct document_listener *to, void *ctx,
		  bool whole_arrays);
/* What the response's head says of its body. */
void framing_declare(struct framing *framing, const struct http_head *response);
void framing_feed(struct framing *framing, struct span bytes);
/* Bytes of the body were lost. */
void framing_lost(struct framing *framing);
