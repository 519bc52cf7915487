/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/pattern.h"
#include "gnomon/limits.h"

/* A pattern and what it stands for. `order` rises with each one added: of equal patterns the last
 * wins. */
struct host_rule {
	struct pattern pattern;
	uint32_t service;
	uint32_t order;
	uint8_t confidence;
	uint8_t place; /* enum catalog_place */
	bool shared, assets;
};

/*
 * One hash table over the literal ends of all patterns, and a filter in front of it that knows of most
 * ends that they are none. A look-up hashes the host once, from its end, and asks at each label: an
 * exact or suffix pattern is there or not, globs are few per end.
 */
struct host_index;

/* What a look-up finds. */
struct host_found {
	const struct host_rule *best; /* NULL: none */
	/* Without a path: the more specific rules that one would have to be compared with. */
	const struct host_rule *open[CATALOG_OPEN_MAX];
	size_t open_count;
};

/* Takes a copy of the rules; the texts stay the caller's. NULL when out of memory. */
struct host_index *host_index_new(const struct host_rule *rules, size_t count);
void host_index_free(struct host_index *index);
/* The most specific rule for a host in lower case, and a path that is empty when it is not known. */
void host_index_find(const struct host_index *index, struct span host, struct span path,
		     struct host_found *found);
/* Of two rules that match the same: does a win? */
bool host_rule_wins(const struct host_rule *a, const struct host_rule *b);
/* Bytes that the index takes. */
size_t host_index_bytes(const struct host_index *index);
