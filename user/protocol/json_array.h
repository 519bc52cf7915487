/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "protocol/documents.h"

/*
 * The elements of one JSON array that is sent piece by piece, each a document, as Gemini streams
 * them. Elements that are no object or array are passed over.
 */
struct json_array {
	const struct document_listener *to;
	void *ctx;
	uint64_t depth; /* brackets open in the current element */
	bool opened;    /* the array's own bracket has come */
	bool in_string, escape;
	bool over; /* the array has ended, or cannot be followed any more */
};

/* `to` and `ctx` must outlive it. */
void json_array_init(struct json_array *array, const struct document_listener *to, void *ctx);
void json_array_feed(struct json_array *array, struct span bytes);
/* Bytes were lost: the current element is told as damaged. Whether what follows is in a string cannot be
 * known, so that nothing more is told. */
void json_array_lost(struct json_array *array);
