/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/span.h"

struct diag;

/*
 * Strict YAML: one document of mappings, sequences and scalars. No anchors, aliases, tags,
 * duplicate keys or keys that are not scalars; UTF-8 only; at most YAML_BYTES_MAX, YAML_DEPTH_MAX
 * and YAML_NODES_MAX. A scalar is a string (the country NO stays "NO") until yaml_bool() or
 * yaml_int() is asked for more.
 */

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
	enum yaml_kind kind;
	uint8_t style;           /* how a scalar was written, for yaml_position() */
	uint32_t line, column;   /* where it begins, from 1, in characters */
	struct span text;        /* a scalar's, with a NUL behind it; it may hold others */
	uint32_t count;          /* items, or pairs */
	struct yaml_node *first; /* the first item, or the first key */
	struct yaml_node *next; /* the next item of the same sequence, or key of the same mapping */
	struct yaml_node *value; /* of a key */
};

struct yaml_document;

/* Loads a text; `name` is what messages call it. NULL with every error in `diag`. An empty text
 * gives a document whose root is NULL. The text is copied. */
struct yaml_document *yaml_load(const char *name, struct span text, struct diag *diag);
/* Frees. (libyaml has a yaml_free of its own, which this would replace.) */
void yaml_unload(struct yaml_document *document);
const struct yaml_node *yaml_root(const struct yaml_document *document);
/* The text as loaded, without a byte order mark. */
struct span yaml_text(const struct yaml_document *document);
const char *yaml_name(const struct yaml_document *document);

/* The value of that key, or NULL. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);
/* YAML 1.2.2 core schema (10.3.2): plain true, True, TRUE, false ... -EINVAL otherwise. */
int yaml_bool(const struct yaml_node *node, bool *value);
/* Plain decimal, 0o octal or 0x hexadecimal. -EINVAL: is none. -ERANGE: does not fit. */
int yaml_int(const struct yaml_node *node, int64_t *value);
/* Plain null, Null, NULL, ~ or nothing. */
bool yaml_is_null(const struct yaml_node *node);
/* The scalar as a C string; NULL when it is not a scalar, is empty or holds a NUL. */
const char *yaml_string(const struct yaml_node *node);

/* Where in the file the `offset`-th byte of a scalar's text was written, through quotes, escapes,
 * folds and indentation. */
void yaml_position(const struct yaml_document *document, const struct yaml_node *scalar,
		   size_t offset, unsigned int *line, unsigned int *column);

/* Adds "NAME:LINE:COLUMN: message" of the node's place. */
__attribute__((format(printf, 4, 5))) void yaml_error(const struct yaml_document *document,
						      const struct yaml_node *node,
						      struct diag *diag, const char *format, ...);

struct yaml_key {
	const char *name;
	enum yaml_kind kind;
	bool list_too;   /* or a sequence */
	bool scalar_too; /* or a scalar */
	bool required;
};

/* Checks that a node is a mapping of these keys (the table ends with a NULL name) with values of
 * these kinds. `what` names it in messages: "a rule". false: something was wrong and `diag` says
 * all. */
bool yaml_check(const struct yaml_document *document, const struct yaml_node *node,
		const char *what, const struct yaml_key *keys, struct diag *diag);
