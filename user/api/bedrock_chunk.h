/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/span.h"

/*
 * What InvokeModelWithResponseStream puts in an event named "chunk": {"bytes": "<base64>", "p": ...},
 * around a document of the model's own format (Bedrock API reference, PayloadPart). Undone while it
 * streams, so that a document of any size costs no memory.
 */

struct bedrock_chunk {
	uint8_t matched; /* characters of the member's name and its colon */
	uint8_t count;   /* bits that wait */
	uint16_t bits;
	bool inside, done;
};

/* Begins an event's payload. */
void bedrock_chunk_init(struct bedrock_chunk *chunk);
/* Hands what the payload holds to `data`, in pieces of any size. */
void bedrock_chunk_feed(struct bedrock_chunk *chunk, struct span payload,
			void (*data)(void *ctx, struct span bytes), void *ctx);
