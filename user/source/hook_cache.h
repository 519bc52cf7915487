/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hook_cache;
struct stat;
struct tls_hook;

/*
 * Where the hooks of files are, kept from run to run in the sensor's state directory. One thread at a time.
 */

/* `directory` NULL: for this run alone. What cannot be read there is found again. `searched` is raised atomically
 * for each file that had to be searched, and must outlive the cache. NULL without memory. */
struct hook_cache *hook_cache_new(const char *directory, uint64_t *searched);
/* Saves what is new. */
void hook_cache_free(struct hook_cache *cache);
/* tlslib_find() in the open file, from what is known where it is. Same results. */
int hook_cache_find(struct hook_cache *cache, int fd, const struct stat *st, struct tls_hook *hooks,
		    size_t cap);
/* Writes what is new, if that is due. A directory that refuses costs the next run its time, nothing else. */
void hook_cache_save(struct hook_cache *cache);
