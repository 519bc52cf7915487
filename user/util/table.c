/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/mix.h"

int table_init(struct table *table, size_t max)
{
	size_t buckets = 16;

	while (buckets < max)
		buckets *= 2;
	*table = (struct table){.mask = buckets - 1, .max = max};
	table->buckets = calloc(buckets, sizeof(struct table_link *));
	if (!table->buckets)
		return -ENOMEM;
	/* without entropy yet the seed is 0: still correct, only guessable */
	if (getrandom(&table->seed, sizeof(table->seed), GRND_NONBLOCK) < 0)
		table->seed = 0;
	return 0;
}

void table_done(struct table *table)
{
	free(table->buckets);
	*table = (struct table){0};
}

uint64_t table_hash(const struct table *table, const void *key, size_t len)
{
	const char *at = key;
	uint64_t hash = table->seed ^ len;
	uint64_t word;

	for (; len >= sizeof(word); at += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = hash_mix(hash ^ word);
	}
	if (len) {
		word = 0;
		memcpy(&word, at, len);
		hash = hash_mix(hash ^ word);
	}
	return hash;
}

struct table_link *table_find(const struct table *table, uint64_t hash,
			      bool (*same)(const struct table_link *link, const void *key),
			      const void *key)
{
	struct table_link *link = table->buckets[hash & table->mask];

	while (link && !(link->hash == hash && same(link, key)))
		link = link->next;
	return link;
}

static void use_push(struct table *table, struct table_link *link)
{
	link->newer = NULL;
	link->older = table->newest;
	if (table->newest)
		table->newest->newer = link;
	else
		table->oldest = link;
	table->newest = link;
}

static void use_unlink(struct table *table, struct table_link *link)
{
	if (link->newer)
		link->newer->older = link->older;
	else
		table->newest = link->older;
	if (link->older)
		link->older->newer = link->newer;
	else
		table->oldest = link->newer;
}

void table_add(struct table *table, struct table_link *link, uint64_t hash)
{
	struct table_link **bucket = &table->buckets[hash & table->mask];

	link->hash = hash;
	link->next = *bucket;
	*bucket = link;
	use_push(table, link);
	table->count++;
}

void table_remove(struct table *table, struct table_link *link)
{
	struct table_link **at = &table->buckets[link->hash & table->mask];

	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	use_unlink(table, link);
	table->count--;
}

void table_touch(struct table *table, struct table_link *link)
{
	if (table->newest == link)
		return;
	use_unlink(table, link);
	use_push(table, link);
}
