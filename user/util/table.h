/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounded hash table of entries that hold their own links, with the entries in order of last use, so
 * that a full table can give up its oldest. Entries are allocated by the caller.
 */
struct table_link {
	struct table_link *next;          /* in the bucket */
	struct table_link *newer, *older; /* in order of use */
	uint64_t hash;
};

struct table {
	struct table_link **buckets;
	size_t mask, count, max;
	struct table_link *oldest, *newest;
	uint64_t seed; /* keeps chosen keys from meeting in one bucket */
};

/* Room for `max` entries. -ENOMEM. */
int table_init(struct table *table, size_t max);
/* Frees the buckets; the entries are the caller's. */
void table_done(struct table *table);

/* A hash of a key of `len` bytes without padding in it. */
uint64_t table_hash(const struct table *table, const void *key, size_t len);
/* The entry of that hash for which same(entry, key) holds; NULL: none. */
struct table_link *table_find(const struct table *table, uint64_t hash,
			      bool (*same)(const struct table_link *link, const void *key),
			      const void *key);
/* Adds an entry as the newest. The table must not be full. */
void table_add(struct table *table, struct table_link *link, uint64_t hash);
void table_remove(struct table *table, struct table_link *link);
/* Makes an entry the newest. */
void table_touch(struct table *table, struct table_link *link);

static inline bool table_full(const struct table *table)
{
	return table->count >= table->max;
}

#define table_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))
