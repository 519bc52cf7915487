/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/condition_code.h"

#include <errno.h>

#include "util/mix.h"

/* Sets of strings are hash tables with open addressing, at most half full; the others, which are small,
 * are searched from end to end. */

static uint64_t hash_of(struct span text)
{
	uint64_t hash = text.len, word;

	for (; text.len >= sizeof(word); text = span_skip(text, sizeof(word))) {
		memcpy(&word, text.at, sizeof(word));
		hash = hash_mix(hash ^ word);
	}
	if (text.len) {
		word = 0;
		memcpy(&word, text.at, text.len);
		hash = hash_mix(hash ^ word);
	}
	return hash;
}

int value_set_index(struct value_set *set, struct arena *arena)
{
	size_t slots = 4;

	while (slots < 2 * set->count)
		slots *= 2;
	set->slots = arena_array(arena, slots, sizeof(*set->slots));
	if (!set->slots)
		return -ENOMEM;
	set->mask = slots - 1;
	for (size_t i = 0; i < set->count; i++) {
		size_t at = hash_of(set->items[i].string) & set->mask;

		while (set->slots[at])
			at = (at + 1) & set->mask;
		set->slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

size_t value_set_find(const struct value_set *set, struct span text)
{
	size_t at = hash_of(text) & set->mask;

	for (; set->slots[at]; at = (at + 1) & set->mask)
		if (span_eq(set->items[set->slots[at] - 1].string, text))
			return set->slots[at] - 1;
	return SIZE_MAX;
}
