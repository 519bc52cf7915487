/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "gnomon/span.h"

/* Memory for many small things that live and die together. Zero-initialised is empty and ready. */
struct arena {
	struct arena_block *blocks;
};

/* `bytes` of zeroed memory, aligned for any object. NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t bytes);
/* The same for `count` objects of `size` bytes; NULL when the product does not fit a size_t. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* A copy with a NUL behind it. NULL when out of memory. */
char *arena_string(struct arena *arena, struct span text);
/* Composes a string. NULL when out of memory. */
__attribute__((format(printf, 2, 3))) char *arena_format(struct arena *arena, const char *format,
							 ...);
/* Moves everything that `from` holds into `to`: pointers stay good. */
void arena_join(struct arena *to, struct arena *from);
/* Bytes that it takes, room in its blocks included. */
size_t arena_bytes(const struct arena *arena);
void arena_done(struct arena *arena);
