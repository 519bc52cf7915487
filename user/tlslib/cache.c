/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tlslib/cache_internal.h"
#include "tlslib/elf_image.h"
#include "util/cleanup.h"

struct tlslib_cache *tlslib_cache_new(size_t max)
{
	_cleanup_free_ struct tlslib_cache *cache = calloc(1, sizeof(*cache));

	if (!cache || table_init(&cache->table, max))
		return NULL;
	return TAKE_PTR(cache);
}

static void forget(struct tlslib_cache *cache, struct table_link *link)
{
	table_remove(&cache->table, link);
	free(table_entry(link, struct cache_entry, link));
}

void cache_clear(struct tlslib_cache *cache)
{
	while (cache->table.oldest)
		forget(cache, cache->table.oldest);
}

void tlslib_cache_free(struct tlslib_cache *cache)
{
	if (!cache)
		return;
	cache_clear(cache);
	table_done(&cache->table);
	free(cache);
}

static int key_of(const struct tlslib_reader *reader, const struct tlslib_identity *identity,
		  struct cache_key *key)
{
	struct elf_image image;
	int n = 0;

	memset(key, 0, sizeof(*key));
	if (identity->trust) {
		n = elf_open(&image, reader);
		if (!n)
			n = elf_build_id(&image, key->build_id, sizeof(key->build_id));
		if (n < 0)
			return n;
	}
	if (n == 0) {
		key->identity = *identity;
		return 0;
	}
	key->build_id_len = (uint64_t)n;
	key->identity.trust = identity->trust;
	key->identity.size_bytes = identity->size_bytes;
	return 0;
}

static bool same_key(const struct table_link *link, const void *key)
{
	const struct cache_entry *entry = table_entry(link, const struct cache_entry, link);

	return memcmp(&entry->key, key, sizeof(entry->key)) == 0;
}

struct cache_entry *cache_entry_new(int hooks)
{
	struct cache_entry *entry;

	return calloc(1, sizeof(*entry) + (size_t)hooks * sizeof(entry->hooks[0]));
}

void cache_add(struct tlslib_cache *cache, struct cache_entry *entry)
{
	uint64_t hash = table_hash(&cache->table, &entry->key, sizeof(entry->key));

	if (table_full(&cache->table))
		forget(cache, cache->table.oldest);
	table_add(&cache->table, &entry->link, hash);
}

/* The code at a hook; false: it cannot be read. */
static bool read_start(const struct tlslib_reader *reader, const struct tls_hook *hook,
		       uint8_t start[static TLSLIB_START_BYTES])
{
	return reader->read(reader->ctx, start, TLSLIB_START_BYTES, hook->file_offset) ==
	       TLSLIB_START_BYTES;
}

static void remember(struct tlslib_cache *cache, const struct tlslib_reader *reader,
		     const struct cache_key *key, int result, const struct tls_hook *hooks)
{
	_cleanup_free_ struct cache_entry *entry = cache_entry_new(result > 0 ? result : 0);

	if (!entry)
		return; /* the next process searches again */
	entry->key = *key;
	entry->result = result;
	for (int i = 0; i < result; i++) {
		entry->hooks[i].hook = hooks[i];
		if (!read_start(reader, &hooks[i], entry->hooks[i].start))
			return;
	}
	cache_add(cache, TAKE_PTR(entry));
	cache->changed = true;
}

/* Is the code still what it was? */
static bool holds(const struct cache_entry *entry, const struct tlslib_reader *reader)
{
	uint8_t start[TLSLIB_START_BYTES];

	for (int i = 0; i < entry->result; i++)
		if (!read_start(reader, &entry->hooks[i].hook, start) ||
		    memcmp(start, entry->hooks[i].start, sizeof(start)) != 0)
			return false;
	return true;
}

int tlslib_cache_find(struct tlslib_cache *cache, const struct tlslib_reader *reader,
		      const struct tlslib_identity *identity, struct tls_hook *hooks, size_t cap,
		      bool *searched)
{
	struct table_link *link;
	struct cache_key key;
	int r = key_of(reader, identity, &key);

	if (searched)
		*searched = false;
	if (r)
		return r;
	link = table_find(&cache->table, table_hash(&cache->table, &key, sizeof(key)), same_key,
			  &key);
	if (link) {
		const struct cache_entry *entry = table_entry(link, struct cache_entry, link);

		if (holds(entry, reader)) {
			table_touch(&cache->table, link);
			if (entry->result > 0 && (size_t)entry->result > cap)
				return -ENOENT;
			for (int i = 0; i < entry->result; i++)
				hooks[i] = entry->hooks[i].hook;
			return entry->result;
		}
		forget(cache, link);
	}
	if (searched)
		*searched = true;
	r = tlslib_find(reader, hooks, cap);
	/* With less room than a file may need, it is an answer for this caller only. */
	if ((r > 0 || r == -ENOENT) && cap >= TLS_HOOKS_PER_FILE_MAX)
		remember(cache, reader, &key, r, hooks);
	return r;
}

bool tlslib_cache_changed(const struct tlslib_cache *cache)
{
	return cache->changed;
}
