/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/span.h"

/* Server-sent events (WHATWG HTML section 9.2.6), incremental: data is handed on in pieces. */

struct sse_listener {
	/* More of the current event's data; lines after the first are preceded by a "\n". */
	void (*data)(void *ctx, struct span bytes);
	/* The event has ended with a blank line. `name` is its "event" field, empty without one,
	 * cut at SSE_NAME_MAX; lent for the call. Events without data are not told. `damaged`:
	 * bytes were lost in it, what data() told is its beginning at most. */
	void (*event_end)(void *ctx, struct span name, bool damaged);
};

/* The state is private; embedded so that it costs no allocation. */
struct sse {
	const struct sse_listener *to;
	void *ctx;
	uint8_t where; /* enum sse_where in sse.c */
	uint8_t field;
	uint8_t bom;
	bool after_cr;
	bool has_data;
	bool damaged;
	uint8_t label_len;
	uint8_t name_len;
	char label[8]; /* the field name so far */
	char name[SSE_NAME_MAX];
};

/* Begins a stream. `to` and `ctx` must outlive it. */
void sse_init(struct sse *sse, const struct sse_listener *to, void *ctx);
void sse_feed(struct sse *sse, struct span bytes);
/* Bytes were lost here: all up to the next blank line is passed over, and that event is told as
 * damaged. */
void sse_lost(struct sse *sse);
