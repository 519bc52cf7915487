/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/api.h"
#include "protocol/json_skip.h"

/*
 * A streaming JSON scanner (RFC 8259) that keeps no document: it tells the values at wanted paths
 * and passes over everything else at the speed of a byte search. What it passes over is checked for
 * its brackets' depth and its strings' ends only.
 */

#define JSON_NAME_SLOTS 16

/* One node of the compiled paths. Index 0 is the root, and as a link means none. */
struct json_node {
	const char *name; /* in the path it was compiled from */
	uint8_t name_len;
	uint8_t next;    /* sibling with the same json_name_slot() */
	uint8_t element; /* any element of an array */
	bool has_members, text;
	int16_t id;                       /* -1: not wanted itself */
	uint8_t members[JSON_NAME_SLOTS]; /* by slot, the first one */
};

struct json_paths {
	struct json_node node[JSON_PATH_NODES_MAX];
	unsigned int count;
};

/* Compiles paths: member names joined by ".", "[]" after a name (or at the start) for every element
 * of that array. A path may stand there twice, once wanted and once as text. `paths` ends with a NULL path, and its texts must outlive the result. 0; -EINVAL:
 * a malformed or repeated path, or an id outside 0..INT16_MAX; -E2BIG: more than
 * JSON_PATH_NODES_MAX nodes. */
int json_paths_compile(struct json_paths *to, const struct json_path *paths);

/* Names that are not wanted mostly have one that no wanted name has. The name is not empty. */
static inline size_t json_name_slot(struct span name)
{
	return ((unsigned char)name.at[0] + (unsigned char)name.at[name.len - 1] * 3u +
		name.len * 5) %
	       JSON_NAME_SLOTS;
}

/* The node of the member of that name; 0: not wanted. */
static inline uint8_t json_paths_member(const struct json_paths *paths, uint8_t node,
					struct span name)
{
	uint8_t i = name.len ? paths->node[node].members[json_name_slot(name)] : 0;

	while (i && !span_eq(span_of(paths->node[i].name, paths->node[i].name_len), name))
		i = paths->node[i].next;
	return i;
}

/* The value is lent for the call. Repeated members are told each time: the last one counts. */
typedef void json_value_fn(void *ctx, const struct json_value *value);

/* More of a text, unescaped, in pieces of any size; the empty piece when it has ended. A character may
 * be cut between pieces. */
typedef void json_text_fn(void *ctx, struct span piece);

/* The state of one document is private; embedded so that it costs no allocation. */
struct json_scan {
	const struct json_paths *paths;
	json_value_fn *tell;
	json_text_fn *tell_text; /* NULL: texts are passed over */
	void *ctx;
	struct json_skip skip; /* the container that is passed over */
	uint8_t state;         /* enum json_state in json_scan.c */
	uint8_t depth;
	uint8_t escape; /* 0, 1 after a backslash, 2.. while its hexadecimal digits come */
	bool is_key, invalid, lost, truncated;
	bool in_text; /* what is read or passed over goes to tell_text */
	bool kept;    /* what is read is wanted as a value or key, from `text` */
	uint8_t literal, literal_at;
	int16_t node; /* of the value that comes or is read; -1: not wanted */
	uint16_t text_len;
	uint32_t code, high; /* \uXXXX so far, and a high surrogate that waits */
	struct {
		uint8_t node;
		bool array;
	} stack[JSON_DEPTH_MAX];
	char text[JSON_VALUE_MAX];
};

/* Begins a document. `paths` and `ctx` must outlive it. */
void json_scan_init(struct json_scan *scan, const struct json_paths *paths, json_value_fn *tell,
		    void *ctx);
/* Has texts told too, from the next document on; `ctx` is that of the values. */
void json_scan_tell_text(struct json_scan *scan, json_text_fn *tell_text);
/* Begins the next document with the same paths. */
void json_scan_restart(struct json_scan *scan);
void json_scan_feed(struct json_scan *scan, struct span bytes);
/* Bytes were lost: whether what follows is inside a string cannot be known, so nothing of the rest
 * of this document is told. */
void json_scan_lost(struct json_scan *scan);
/* No more bytes come. 0: a whole document was seen; -ENODATA: it is incomplete, or bytes were lost;
 * -EINVAL: it is no JSON; what was told before the fault had been written so. */
int json_scan_end(struct json_scan *scan);
