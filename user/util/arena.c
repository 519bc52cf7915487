/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "gnomon/limits.h"

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

static struct arena_block *block_new(struct arena *arena, size_t size)
{
	struct arena_block *block = calloc(1, sizeof(*block) + size);

	if (!block)
		return NULL;
	block->size = size;
	/* A block for one large object goes behind the current one, which still has room. */
	if (arena->blocks && size > ARENA_BLOCK_BYTES) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	size_t need = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct arena_block *block = arena->blocks;
	void *at;

	if (need < bytes || need > SIZE_MAX / 2)
		return NULL;
	if (!block || block->size - block->used < need)
		block = block_new(arena, need > ARENA_BLOCK_BYTES ? need : ARENA_BLOCK_BYTES);
	if (!block)
		return NULL;
	at = block->bytes + block->used;
	block->used += need;
	return at;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return arena_alloc(arena, bytes);
}

char *arena_string(struct arena *arena, struct span text)
{
	char *to;

	if (text.len == SIZE_MAX)
		return NULL;
	to = arena_alloc(arena, text.len + 1);
	if (to && text.len)
		memcpy(to, text.at, text.len);
	return to;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	char *text = NULL, *copy;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return NULL;
	copy = arena_string(arena, span_of(text, (size_t)n));
	free(text);
	return copy;
}

void arena_join(struct arena *to, struct arena *from)
{
	struct arena_block **tail = &from->blocks;

	while (*tail)
		tail = &(*tail)->next;
	*tail = to->blocks;
	to->blocks = from->blocks;
	from->blocks = NULL;
}

size_t arena_bytes(const struct arena *arena)
{
	size_t bytes = 0;

	for (const struct arena_block *block = arena->blocks; block; block = block->next)
		bytes += sizeof(*block) + block->size;
	return bytes;
}

void arena_done(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}
