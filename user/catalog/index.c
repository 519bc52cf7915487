/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/index.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"

/* Eight bytes, so that the table of 100,000 patterns stays in a second-level cache; a rule is read
 * only when the tag says that it very likely has the key. */
struct slot {
	uint32_t tag;
	uint32_t entry; /* the number of the first one with the key, plus one; 0: free */
};

/* Two cache lines that the processor fetches together: the rule, and its text where it fits. */
struct entry {
	alignas(128) struct host_rule rule;
	uint32_t run; /* entries from here on with the same key; 0 but in the first of them */
	char text[CATALOG_INLINE_PATTERN_BYTES];
};

static_assert(sizeof(struct entry) == 128, "an entry is a pair of cache lines");

/* Entries with the same key stand together, the most specific first. */
struct host_index {
	struct entry *entries;
	/* Beside each entry what its pattern's first label must be: a hundred of these are fewer
	 * cache lines than four entries. */
	uint32_t *labels;
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

	while (index->slots[i].entry)
		i = (i + 1) & index->mask;
	index->slots[i] = (struct slot){tag_of(hash), number + 1};
}

/* A glob is told from the others of its ending by its first label, mostly. */
#define LABEL_ANY   0
#define LABEL_NEVER 2

/* Odd, or LABEL_ANY when the label holds a `*`. */
static uint32_t first_label_hash(struct span host)
{
	uint64_t hash = HASH_START;

	for (size_t i = 0; i < host.len && host.at[i] != '.'; i++) {
		if (host.at[i] == '*')
			return LABEL_ANY;
		hash = hash_step(hash, host.at[i]);
	}
	return tag_of(hash_finish(hash)) | 1;
}

static void entry_fill(struct entry *entry, const struct host_rule *rule)
{
	struct pattern *pattern = &entry->rule.pattern;

	entry->rule = *rule;
	if (!span_copy(entry->text, sizeof(entry->text), pattern->text))
		return;
	/* The key is the text's end. */
	pattern->text.at = entry->text;
	pattern->key.at = entry->text + pattern->text.len - pattern->key.len;
}

static void index_fill(struct host_index *index, const struct host_rule *rules, size_t count)
{
	struct entry *first = NULL;

	for (size_t i = 0; i < count; i++) {
		struct entry *entry = &index->entries[i];

		entry_fill(entry, &rules[i]);
		index->labels[i] = rules[i].pattern.kind == PATTERN_EXACT
					   ? LABEL_NEVER
					   : first_label_hash(rules[i].pattern.text);
		if (!first || !span_eq(first->rule.pattern.key, entry->rule.pattern.key)) {
			first = entry;
			slot_add(index, entry->rule.pattern.key, (uint32_t)i);
		}
		first->run++;
	}
}

struct host_index *host_index_new(const struct host_rule *rules, size_t count)
{
	struct host_index *index = calloc(1, sizeof(*index));
	_cleanup_free_ struct host_rule *sorted = calloc(count + 1, sizeof(*sorted));
	size_t size = table_size(count), bytes = (count + 1) * sizeof(struct entry);

	if (!index || !sorted) {
		free(index);
		return NULL;
	}
	index->mask = size - 1;
	index->entries = aligned_alloc(alignof(struct entry), bytes);
	index->slots = calloc(size, sizeof(*index->slots));
	index->labels = calloc(count + 1, sizeof(*index->labels));
	if (!index->entries || !index->slots || !index->labels) {
		host_index_free(index);
		return NULL;
	}
	memset(index->entries, 0, bytes);
	if (count) {
		memcpy(sorted, rules, count * sizeof(*rules));
		qsort(sorted, count, sizeof(*sorted), compare_rules);
	}
	index_fill(index, sorted, count);
	return index;
}

void host_index_free(struct host_index *index)
{
	if (!index)
		return;
	free(index->entries);
	free(index->labels);
	free(index->slots);
	free(index);
}

/* The first entry with that key, or NULL. */
static const struct entry *entries_find(const struct host_index *index, uint64_t hash,
					struct span key)
{
	for (size_t i = hash & index->mask; index->slots[i].entry; i = (i + 1) & index->mask) {
		const struct entry *entry;

		if (index->slots[i].tag != tag_of(hash))
			continue;
		entry = &index->entries[index->slots[i].entry - 1];
		if (span_eq(entry->rule.pattern.key, key))
			return entry;
	}
	return NULL;
}

/* The most specific of the key's rules with a `*` that matches. */
static const struct host_rule *wild_find(const struct host_index *index, const struct entry *first,
					 struct span host, uint32_t label)
{
	const uint32_t *labels = &index->labels[first - index->entries];

	for (uint32_t i = 0; i < first->run; i++) {
		const struct pattern *pattern = &first[i].rule.pattern;

		if (labels[i] != LABEL_ANY && labels[i] != label)
			continue;
		if (pattern->kind == PATTERN_SUFFIX || pattern_glob_matches(pattern, host))
			return &first[i].rule;
	}
	return NULL;
}

/* An end of the host that begins a label. */
struct host_end {
	uint64_t hash;
	size_t offset;
};

/* Hashes the ends that a wildcard can have behind it (two labels and more), and the whole host,
 * which comes last. Asks for their slots early: the waits for memory then overlap. */
static size_t host_ends(const struct host_index *index, struct span host,
			struct host_end ends[static HOST_LABELS_MAX])
{
	uint64_t hash = HASH_START;
	size_t dots = 0, n = 0;

	for (size_t i = host.len; i-- > 0;) {
		if (host.at[i] == '.' && ++dots >= 2 && i > 0 && n < HOST_LABELS_MAX - 1) {
			ends[n] = (struct host_end){hash_finish(hash), i + 1};
			__builtin_prefetch(&index->slots[ends[n++].hash & index->mask]);
		}
		hash = hash_step(hash, host.at[i]);
	}
	ends[n] = (struct host_end){hash_finish(hash), 0};
	return n + 1;
}

const struct host_rule *host_index_find(const struct host_index *index, struct span host)
{
	const struct host_rule *best = NULL, *rule;
	struct host_end ends[HOST_LABELS_MAX];
	size_t count = host_ends(index, host, ends);
	const struct entry *entry = entries_find(index, ends[count - 1].hash, host);
	uint32_t label;

	/* Exact rules stand before the others of their key. */
	if (entry && entry->rule.pattern.kind == PATTERN_EXACT)
		return &entry->rule;
	label = first_label_hash(host);
	for (size_t i = 0; i + 1 < count; i++) {
		entry = entries_find(index, ends[i].hash, span_skip(host, ends[i].offset));
		rule = entry ? wild_find(index, entry, host, label) : NULL;
		if (rule && (!best || pattern_more_specific(&rule->pattern, &best->pattern)))
			best = rule;
	}
	return best;
}
