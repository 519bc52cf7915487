/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/dns_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "util/table.h"

#define NS_PER_S 1000000000ULL

struct entry {
	struct table_link link;
	struct net_address address;
	uint64_t expires_ns;
	char name[HOST_NAME_MAX_BYTES];
};

struct dns_cache {
	struct table table;
};

struct dns_cache *dns_cache_new(void)
{
	struct dns_cache *cache = calloc(1, sizeof(*cache));

	if (cache && table_init(&cache->table, DNS_CACHE_MAX)) {
		free(cache);
		return NULL;
	}
	return cache;
}

static void entry_drop(struct dns_cache *cache, struct table_link *link)
{
	table_remove(&cache->table, link);
	free(table_entry(link, struct entry, link));
}

void dns_cache_free(struct dns_cache *cache)
{
	if (!cache)
		return;
	while (cache->table.oldest)
		entry_drop(cache, cache->table.oldest);
	table_done(&cache->table);
	free(cache);
}

static bool same_address(const struct table_link *link, const void *key)
{
	const struct entry *e = table_entry(link, const struct entry, link);

	return memcmp(&e->address, key, sizeof(e->address)) == 0;
}

/* net_address has no padding: 17 bytes. */
static struct table_link *find(struct dns_cache *cache, const struct net_address *address,
			       uint64_t *hash)
{
	*hash = table_hash(&cache->table, address, sizeof(*address));
	return table_find(&cache->table, *hash, same_address, address);
}

void dns_cache_add(struct dns_cache *cache, const struct net_address *address, const char *name,
		   uint32_t ttl_s, uint64_t now_ns)
{
	uint64_t hash;
	struct table_link *link = find(cache, address, &hash);
	struct entry *e = link ? table_entry(link, struct entry, link) : NULL;

	if (ttl_s < DNS_TTL_MIN_S)
		ttl_s = DNS_TTL_MIN_S;
	if (ttl_s > DNS_TTL_MAX_S)
		ttl_s = DNS_TTL_MAX_S;
	if (!e) {
		if (table_full(&cache->table))
			entry_drop(cache, cache->table.oldest);
		e = malloc(sizeof(*e));
		if (!e)
			return;
		e->address = *address;
		table_add(&cache->table, &e->link, hash);
	} else {
		table_touch(&cache->table, link);
	}
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->expires_ns = now_ns + ttl_s * NS_PER_S;
}

const char *dns_cache_find(struct dns_cache *cache, const struct net_address *address,
			   uint64_t now_ns)
{
	uint64_t hash;
	struct table_link *link = find(cache, address, &hash);

	if (!link)
		return NULL;
	if (table_entry(link, struct entry, link)->expires_ns < now_ns) {
		entry_drop(cache, link);
		return NULL;
	}
	table_touch(&cache->table, link);
	return table_entry(link, struct entry, link)->name;
}

size_t dns_cache_count(const struct dns_cache *cache)
{
	return cache->table.count;
}
