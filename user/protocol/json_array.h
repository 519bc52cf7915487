/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "protocol/documents.h"
#include "protocol/json_skip.h"

/*
 * The elements of one JSON array that is sent piece by piece, each a document, as Gemini streams
 * them. Elements that are no object or array are passed over.
 */
struct json_array {
	const struct document_listener *to;
	void *ctx;
	struct json_skip element; /* the current one; no depth: between elements */
	bool opened;              /* the array's own bracket has come */
	bool in_string, escape;   /* of an element that is a string */
	bool over;                /* the array has ended, or cannot be followed any more */
};

/* `to` and `ctx` must outlive it. */
void json_array_init(struct json_array *array, const struct document_listener *to, void *ctx);
void json_array_feed(struct json_array *array, struct span bytes);
/* Bytes were lost: the current element is told as damaged. Whether what follows is in a string cannot be
 * known, so that nothing more is told. */
void json_array_lost(struct json_array *array);
