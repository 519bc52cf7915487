/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/index.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "util/cleanup.h"

/* Eight bytes, so that the table of 100,000 patterns is two megabytes; a rule is read only when the
 * tag says that it very likely has the key. */
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
	/* Two bits for each key, both in one word: says of 24 in 25 ends that are no key that they are
	 * none, from a piece of memory that stays in a second-level cache. */
	uint64_t *filter;
	size_t filter_mask; /* of words */
	struct slot *slots;
	size_t mask;
	struct entry *entries;
	/* Beside each entry what its pattern's first label must be: a hundred of these are fewer
	 * cache lines than four entries. */
	uint32_t *labels;
	size_t bytes;
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

static uint64_t filter_bits(uint64_t hash)
{
	return 1ULL << (hash >> 58) | 1ULL << (hash >> 52 & 63);
}

static const uint64_t *filter_word(const struct host_index *index, uint64_t hash)
{
	return &index->filter[(hash >> 24) & index->filter_mask];
}

static bool filter_has(const struct host_index *index, uint64_t hash)
{
	uint64_t bits = filter_bits(hash);

	return (*filter_word(index, hash) & bits) == bits;
}

static int compare_spans(struct span a, struct span b)
{
	int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

	if (order)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool host_rule_wins(const struct host_rule *a, const struct host_rule *b)
{
	if (pattern_more_specific(&a->pattern, &b->pattern))
		return true;
	return !pattern_more_specific(&b->pattern, &a->pattern) && a->order > b->order;
}

/* By key; exact ones first, then by how specific they are; the last added of equal ones first. */
static int compare_rules(const void *x, const void *y)
{
	const struct host_rule *a = x, *b = y;
	int order = compare_spans(pattern_key(&a->pattern), pattern_key(&b->pattern));

	if (order)
		return order;
	return host_rule_wins(a, b) ? -1 : 1;
}

static size_t power_of_two(size_t at_least)
{
	size_t size = 16;

	while (size < at_least)
		size *= 2;
	return size;
}

static void key_add(struct host_index *index, struct span key, uint32_t number)
{
	uint64_t hash = hash_key(key);
	size_t i = hash & index->mask;

	while (index->slots[i].entry)
		i = (i + 1) & index->mask;
	index->slots[i] = (struct slot){tag_of(hash), number + 1};
	index->filter[(hash >> 24) & index->filter_mask] |= filter_bits(hash);
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

static void index_fill(struct host_index *index, const struct host_rule *rules, size_t count)
{
	struct entry *first = NULL;

	for (size_t i = 0; i < count; i++) {
		struct entry *entry = &index->entries[i];
		struct span key = pattern_key(&rules[i].pattern);

		entry->rule = rules[i];
		if (span_copy(entry->text, sizeof(entry->text), pattern_text(&rules[i].pattern)))
			entry->rule.pattern.text = entry->text;
		index->labels[i] = rules[i].pattern.kind == PATTERN_EXACT
					   ? LABEL_NEVER
					   : first_label_hash(pattern_host(&rules[i].pattern));
		if (!first || !span_eq(pattern_key(&first->rule.pattern), key)) {
			first = entry;
			key_add(index, key, (uint32_t)i);
		}
		first->run++;
	}
}

/* Zeroed, and aligned to cache lines; a large one on large pages, where the kernel has them: reading
 * here and there in megabytes of small pages misses the TLB every time. */
static void *table_new(struct host_index *index, size_t bytes)
{
	size_t align = bytes < CATALOG_LARGE_PAGE_BYTES ? alignof(struct entry)
							: CATALOG_LARGE_PAGE_BYTES;
	size_t size = (bytes + align - 1) & ~(align - 1);
	void *table = aligned_alloc(align, size);

	if (!table)
		return NULL;
	if (align == CATALOG_LARGE_PAGE_BYTES)
		(void)madvise(table, size, MADV_HUGEPAGE); /* or not */
	memset(table, 0, size);
	index->bytes += size;
	return table;
}

struct host_index *host_index_new(const struct host_rule *rules, size_t count)
{
	struct host_index *index = calloc(1, sizeof(*index));
	_cleanup_free_ struct host_rule *sorted = calloc(count + 1, sizeof(*sorted));
	/* Slots at most half full: a miss ends after one or two. Ten bits of filter a key and more. */
	size_t slots = power_of_two(count * 2), words = power_of_two(count * 10 / 64);

	if (!index || !sorted) {
		free(index);
		return NULL;
	}
	index->mask = slots - 1;
	index->filter_mask = words - 1;
	index->filter = table_new(index, words * sizeof(*index->filter));
	index->slots = table_new(index, slots * sizeof(*index->slots));
	index->entries = table_new(index, (count + 1) * sizeof(*index->entries));
	index->labels = table_new(index, (count + 1) * sizeof(*index->labels));
	if (!index->filter || !index->entries || !index->slots || !index->labels) {
		host_index_free(index);
		return NULL;
	}
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
	free(index->filter);
	free(index->entries);
	free(index->labels);
	free(index->slots);
	free(index);
}

size_t host_index_bytes(const struct host_index *index)
{
	return sizeof(*index) + index->bytes;
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
		if (span_eq(pattern_key(&entry->rule.pattern), key))
			return entry;
	}
	return NULL;
}

/* A rule whose host matches. True: it is found, and what follows it is less specific. */
static bool offer(struct host_found *found, const struct host_rule *rule, struct span path)
{
	if (rule->pattern.text_len > rule->pattern.host_len) {
		if (!path.len && found->open_count < CATALOG_OPEN_MAX)
			found->open[found->open_count++] = rule;
		if (!path.len || !pattern_path_matches(&rule->pattern, path))
			return false;
	}
	if (!found->best || host_rule_wins(rule, found->best))
		found->best = rule;
	return true;
}

/* The rules of that whole host, which stand before the others of their key. */
static void exact_find(const struct entry *first, struct span path, struct host_found *found)
{
	for (uint32_t i = 0; i < first->run && first[i].rule.pattern.kind == PATTERN_EXACT; i++)
		if (offer(found, &first[i].rule, path))
			return;
}

/* The most specific of the key's rules with a `*` that matches. */
static void wild_find(const struct host_index *index, const struct entry *first, struct span host,
		      struct span path, uint32_t label, struct host_found *found)
{
	const uint32_t *labels = &index->labels[first - index->entries];

	for (uint32_t i = 0; i < first->run; i++) {
		const struct pattern *pattern = &first[i].rule.pattern;

		if (labels[i] != LABEL_ANY && labels[i] != label)
			continue;
		if (pattern->kind != PATTERN_SUFFIX && !pattern_glob_matches(pattern, host))
			continue;
		if (offer(found, &first[i].rule, path))
			return;
	}
}

/* An end of the host that begins a label. */
struct host_end {
	uint64_t hash;
	size_t offset;
};

/* Hashes the ends that a wildcard can have behind it (two labels and more), and the whole host. Keeps
 * those that may be keys, and asks for their slots early: the waits for memory then overlap. */
static size_t host_ends(const struct host_index *index, struct span host,
			struct host_end ends[static HOST_LABELS_MAX])
{
	uint64_t hash = HASH_START, end;
	size_t dots = 0, n = 0;

	for (size_t i = host.len; i-- > 0;) {
		hash = hash_step(hash, host.at[i]);
		/* nothing is below an empty label */
		if (i &&
		    (host.at[i - 1] != '.' || i == 1 || ++dots < 2 || n == HOST_LABELS_MAX - 1))
			continue;
		end = hash_finish(hash);
		if (!filter_has(index, end))
			continue;
		__builtin_prefetch(&index->slots[end & index->mask]);
		ends[n++] = (struct host_end){end, i};
	}
	return n;
}

/* Leaves those that would win for some path. */
static void open_settle(struct host_found *found)
{
	size_t kept = 0;

	for (size_t i = 0; found->best && i < found->open_count; i++)
		if (host_rule_wins(found->open[i], found->best))
			found->open[kept++] = found->open[i];
	if (found->best)
		found->open_count = kept;
}

void host_index_find(const struct host_index *index, struct span host, struct span path,
		     struct host_found *found)
{
	struct host_end ends[HOST_LABELS_MAX];
	size_t count = host_ends(index, host, ends);
	uint32_t label = LABEL_ANY;

	found->best = NULL;
	found->open_count = 0;
	/* The whole host stands last, and nothing is more specific. Of the ends any may have the most
	 * specific pattern: a long glob of a short end before a suffix. */
	while (count-- > 0) {
		size_t offset = ends[count].offset;
		const struct entry *entry = entries_find(index, ends[count].hash,
							 span_skip(host, offset));

		if (!entry)
			continue;
		if (!offset) {
			exact_find(entry, path, found);
			if (found->best)
				break;
			continue;
		}
		if (label == LABEL_ANY)
			label = first_label_hash(host);
		wild_find(index, entry, host, path, label, found);
	}
	open_settle(found);
}
