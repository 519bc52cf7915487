/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/pattern.h"

/* A pattern and what it stands for. `order` rises with each one added: of equal patterns the last
 * wins. */
struct host_rule {
	struct pattern pattern;
	uint32_t service;
	uint32_t order;
	uint8_t confidence;
	bool shared, assets, api;
};

/*
 * One hash table over the literal ends of all patterns. A look-up hashes the host once, from its
 * end, and asks the table at each label: an exact or suffix pattern is there or not, globs are few
 * per end.
 */
struct host_index;

/* Takes a copy of the rules; the texts stay the caller's. NULL when out of memory. */
struct host_index *host_index_new(const struct host_rule *rules, size_t count);
void host_index_free(struct host_index *index);
/* The most specific rule, or NULL. */
const struct host_rule *host_index_find(const struct host_index *index, struct span host);
