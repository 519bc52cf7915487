/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A cache file's entries, under a head that is right: what is taken must be written again as it was, and what
 * is not must leave nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "tlslib/cache.h"
#include "util/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD_BYTES 88

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tlslib_cache *cache = tlslib_cache_new(64);
	char *bytes = calloc(1, HEAD_BYTES + size), *again = NULL;
	uint64_t sum = hash_fnv1a(HASH_START, span_of((const char *)data, size));
	struct span stamp = span_str("build");
	size_t len = 0;
	FILE *file;

	strcpy(bytes, "gnomon-tlslib-1");
	memcpy(bytes + 16, stamp.at, stamp.len);
	memcpy(bytes + HEAD_BYTES - sizeof(sum), &sum, sizeof(sum));
	if (size)
		memcpy(bytes + HEAD_BYTES, data, size);
	file = open_memstream(&again, &len);
	if (!tlslib_cache_read(cache, stamp, span_of(bytes, HEAD_BYTES + size))) {
		if (tlslib_cache_write(cache, stamp, file) || len > HEAD_BYTES + size)
			abort();
	} else if (tlslib_cache_write(cache, stamp, file) || len != HEAD_BYTES) {
		abort();
	}
	fclose(file);
	free(again);
	free(bytes);
	tlslib_cache_free(cache);
	return 0;
}
