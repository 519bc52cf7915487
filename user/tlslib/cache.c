/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "tlslib/elf_image.h"
#include "util/cleanup.h"
#include "util/table.h"

/* By build id and trust, or by the file's identity; never both, so the unused part is zero. */
struct key {
	struct tlslib_identity identity;
	uint64_t build_id_len;
	uint8_t build_id[ELF_BUILD_ID_MAX];
};

struct entry {
	struct table_link link;
	struct key key;
	int result; /* hooks, or -ENOENT */
	struct tls_hook hooks[];
};

struct tlslib_cache {
	struct table table;
};

struct tlslib_cache *tlslib_cache_new(size_t max)
{
	_cleanup_free_ struct tlslib_cache *cache = calloc(1, sizeof(*cache));

	if (!cache || table_init(&cache->table, max))
		return NULL;
	return TAKE_PTR(cache);
}

static void forget_oldest(struct tlslib_cache *cache)
{
	struct table_link *oldest = cache->table.oldest;

	table_remove(&cache->table, oldest);
	free(table_entry(oldest, struct entry, link));
}

void tlslib_cache_free(struct tlslib_cache *cache)
{
	if (!cache)
		return;
	while (cache->table.oldest)
		forget_oldest(cache);
	table_done(&cache->table);
	free(cache);
}

static int key_of(const struct tlslib_reader *reader, const struct tlslib_identity *identity,
		  struct key *key)
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
	const struct entry *entry = table_entry(link, const struct entry, link);

	return memcmp(&entry->key, key, sizeof(entry->key)) == 0;
}

static void remember(struct tlslib_cache *cache, const struct key *key, uint64_t hash, int result,
		     const struct tls_hook *hooks)
{
	size_t bytes = result > 0 ? (size_t)result * sizeof(*hooks) : 0;
	struct entry *entry = calloc(1, sizeof(*entry) + bytes);

	if (!entry)
		return; /* the next process searches again */
	entry->key = *key;
	entry->result = result;
	if (bytes)
		memcpy(entry->hooks, hooks, bytes);
	if (table_full(&cache->table))
		forget_oldest(cache);
	table_add(&cache->table, &entry->link, hash);
}

int tlslib_cache_find(struct tlslib_cache *cache, const struct tlslib_reader *reader,
		      const struct tlslib_identity *identity, struct tls_hook *hooks, size_t cap)
{
	struct table_link *link;
	struct key key;
	uint64_t hash;
	int r = key_of(reader, identity, &key);

	if (r)
		return r;
	hash = table_hash(&cache->table, &key, sizeof(key));
	link = table_find(&cache->table, hash, same_key, &key);
	if (link) {
		const struct entry *entry = table_entry(link, const struct entry, link);

		table_touch(&cache->table, link);
		if (entry->result > 0 && (size_t)entry->result > cap)
			return -ENOENT;
		if (entry->result > 0)
			memcpy(hooks, entry->hooks, (size_t)entry->result * sizeof(*hooks));
		return entry->result;
	}
	r = tlslib_find(reader, hooks, cap);
	/* With less room than a file may need, it is an answer for this caller only. */
	if ((r > 0 || r == -ENOENT) && cap >= TLS_HOOKS_PER_FILE_MAX)
		remember(cache, &key, hash, r, hooks);
	return r;
}
