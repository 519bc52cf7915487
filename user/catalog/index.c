/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/index.h"

#include <stdlib.h>

#include "gnomon/limits.h"

/* All rules with the same key, most specific first: [first, first + count) of `rules`. */
struct bucket {
	struct span key;
	uint32_t first, count;
	/* Rules before `wild` are exact: they can match the whole host only. */
	uint32_t wild;
};

/* Eight bytes, so that the table of 100,000 patterns stays in a second-level cache; a bucket is read
 * only when the tag says that it very likely is the one. */
struct slot {
	uint32_t tag;
	uint32_t bucket; /* its number plus one; 0: free */
};

struct host_index {
	struct host_rule *rules;
	struct bucket *buckets;
	struct slot *slots;
	size_t mask;
};

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* FNV-1a backwards: the hash of a suffix is a stage on the way to the whole's. */
static uint64_t hash_step(uint64_t hash, char c)
{
	return (hash ^ (unsigned char)c) * UINT64_C(0x100000001b3);
}

static uint64_t hash_finish(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t hash_key(struct span key)
{
	uint64_t hash = HASH_START;

	for (size_t i = key.len; i-- > 0;)
		hash = hash_step(hash, key.at[i]);
	return hash_finish(hash);
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

static int compare_spans(struct span a, struct span b)
{
	int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

	if (order)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

/* By key; exact ones first, then by how specific they are; the last added of equal ones first. */
static int compare_rules(const void *x, const void *y)
{
	const struct host_rule *a = x, *b = y;
	int order = compare_spans(a->pattern.key, b->pattern.key);

	if (order)
		return order;
	if (pattern_more_specific(&a->pattern, &b->pattern))
		return -1;
	if (pattern_more_specific(&b->pattern, &a->pattern))
		return 1;
	return a->order > b->order ? -1 : 1;
}

static size_t table_size(size_t count)
{
	size_t size = 16;

	/* At most half full: a miss ends after one or two slots. */
	while (size < count * 2)
		size *= 2;
	return size;
}

static void slot_add(struct host_index *index, struct span key, uint32_t number)
{
	uint64_t hash = hash_key(key);
	size_t i = hash & index->mask;

	while (index->slots[i].bucket)
		i = (i + 1) & index->mask;
	index->slots[i] = (struct slot){tag_of(hash), number + 1};
}

static void index_fill(struct host_index *index, size_t count)
{
	uint32_t buckets = 0;

	for (size_t i = 0; i < count; i++) {
		const struct pattern *pattern = &index->rules[i].pattern;
		struct bucket *bucket = buckets ? &index->buckets[buckets - 1] : NULL;

		if (!bucket || !span_eq(bucket->key, pattern->key)) {
			bucket = &index->buckets[buckets];
			*bucket = (struct bucket){pattern->key, (uint32_t)i, 0, 0};
			slot_add(index, pattern->key, buckets++);
		}
		bucket->count++;
		bucket->wild += pattern->kind == PATTERN_EXACT;
	}
}

struct host_index *host_index_new(const struct host_rule *rules, size_t count)
{
	struct host_index *index = calloc(1, sizeof(*index));
	size_t size = table_size(count);

	if (!index)
		return NULL;
	index->mask = size - 1;
	index->rules = calloc(count + 1, sizeof(*index->rules));
	index->buckets = calloc(count + 1, sizeof(*index->buckets));
	index->slots = calloc(size, sizeof(*index->slots));
	if (!index->rules || !index->buckets || !index->slots) {
		host_index_free(index);
		return NULL;
	}
	if (count) {
		memcpy(index->rules, rules, count * sizeof(*rules));
		qsort(index->rules, count, sizeof(*rules), compare_rules);
	}
	index_fill(index, count);
	return index;
}

void host_index_free(struct host_index *index)
{
	if (!index)
		return;
	free(index->rules);
	free(index->buckets);
	free(index->slots);
	free(index);
}

static const struct bucket *bucket_find(const struct host_index *index, uint64_t hash,
					struct span key)
{
	for (size_t i = hash & index->mask; index->slots[i].bucket; i = (i + 1) & index->mask) {
		const struct bucket *bucket;

		if (index->slots[i].tag != tag_of(hash))
			continue;
		bucket = &index->buckets[index->slots[i].bucket - 1];
		if (span_eq(bucket->key, key))
			return bucket;
	}
	return NULL;
}

static const struct host_rule *best_of(const struct host_rule *a, const struct host_rule *b)
{
	return a && !pattern_more_specific(&b->pattern, &a->pattern) ? a : b;
}

/* The bucket's first wildcard that matches is its most specific one. */
static const struct host_rule *bucket_wild(const struct host_index *index,
					   const struct bucket *bucket, struct span host)
{
	for (uint32_t i = bucket->wild; i < bucket->count; i++) {
		const struct host_rule *rule = &index->rules[bucket->first + i];

		if (rule->pattern.kind == PATTERN_SUFFIX ||
		    pattern_glob_matches(&rule->pattern, host))
			return rule;
	}
	return NULL;
}

const struct host_rule *host_index_find(const struct host_index *index, struct span host)
{
	const struct host_rule *best = NULL;
	const struct bucket *bucket;
	uint64_t hash = HASH_START;
	size_t dots = 0;

	for (size_t i = host.len; i-- > 0;) {
		const struct host_rule *rule;
		struct span key;

		if (host.at[i] == '.' && ++dots >= 2 && i > 0) {
			/* No wildcard has fewer than two literal labels behind it. */
			key = span_skip(host, i + 1);
			bucket = bucket_find(index, hash_finish(hash), key);
			rule = bucket ? bucket_wild(index, bucket, host) : NULL;
			if (rule)
				best = best_of(best, rule);
		}
		hash = hash_step(hash, host.at[i]);
	}
	bucket = bucket_find(index, hash_finish(hash), host);
	if (bucket && bucket->wild)
		return &index->rules[bucket->first];
	return best;
}
