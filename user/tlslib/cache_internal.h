/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/limits.h"
#include "tlslib/cache.h"
#include "util/table.h"

/* Shared by cache.c and cache_file.c alone. */

/* By build id and trust, or by the file's identity; never both, so the unused part is zero. */
struct cache_key {
	struct tlslib_identity identity;
	uint64_t build_id_len;
	uint8_t build_id[ELF_BUILD_ID_MAX];
};

/* A hook, and the code that was there when it was found. */
struct known_hook {
	struct tls_hook hook;
	uint8_t start[TLSLIB_START_BYTES];
};

struct cache_entry {
	struct table_link link;
	struct cache_key key;
	int result; /* hooks, or -ENOENT */
	struct known_hook hooks[];
};

struct tlslib_cache {
	struct table table;
	bool changed; /* since it was last written or read */
};

/* An entry with room for so many hooks; NULL without memory. */
struct cache_entry *cache_entry_new(int hooks);
/* The cache owns it from now on. */
void cache_add(struct tlslib_cache *cache, struct cache_entry *entry);
/* Forgets all. */
void cache_clear(struct tlslib_cache *cache);
