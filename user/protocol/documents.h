/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "gnomon/span.h"

/* Whom a framing of several documents in one body tells: ndjson.h, json_array.h, eventstream.h,
 * envelope.h. */
struct document_listener {
	/* More of the current document; lent for the call and never empty. */
	void (*data)(void *ctx, struct span bytes);
	/* It has ended. `name` is what the framing calls it, empty without one; lent for the call.
	 * `damaged`: bytes of it were lost or are not those that were sent. */
	void (*end)(void *ctx, struct span name, bool damaged);
};
