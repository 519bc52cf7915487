/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gnomon/observation.h"

/*
 * Which name an address was the answer to, as long as the answer's TTL (DNS_TTL_MIN_S at least): evidence for
 * connections that hide their name. An address has the name that was asked for last; those of content networks
 * have many. At most DNS_CACHE_MAX addresses, the longest unused go first, uncounted: they are evidence at best.
 */
struct dns_cache;

/* NULL when out of memory. */
struct dns_cache *dns_cache_new(void);
/* NULL is fine. */
void dns_cache_free(struct dns_cache *cache);
/* Times in nanoseconds of any clock that both calls share. */
void dns_cache_add(struct dns_cache *cache, const struct net_address *address, const char *name,
		   uint32_t ttl_s, uint64_t now_ns);
/* The name, lent until the next call of any of these; NULL: not known, or too long ago. */
const char *dns_cache_find(struct dns_cache *cache, const struct net_address *address,
			   uint64_t now_ns);
size_t dns_cache_count(const struct dns_cache *cache);
