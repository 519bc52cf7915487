/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/halves.h"

#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "util/table.h"

struct half {
	struct table_link link;
	struct stream_id id;
	char *bytes;
	size_t len, cap;
	bool broken; /* bytes are missing behind the held ones */
};

struct halves {
	struct table table;
	void (*dropped)(void *ctx, const struct stream_id *half);
	void *ctx;
	char *lent;
};

struct half_key {
	uint64_t pid, handle, generation;
};

struct halves *halves_new(void (*dropped)(void *ctx, const struct stream_id *half), void *ctx)
{
	struct halves *h = calloc(1, sizeof(*h));

	if (!h || table_init(&h->table, HALF_STREAMS_MAX)) {
		free(h);
		return NULL;
	}
	h->dropped = dropped;
	h->ctx = ctx;
	return h;
}

static void half_free(struct halves *h, struct half *half)
{
	table_remove(&h->table, &half->link);
	free(half->bytes);
	free(half);
}

static void half_drop(struct halves *h, struct half *half)
{
	h->dropped(h->ctx, &half->id);
	half_free(h, half);
}

void halves_free(struct halves *h)
{
	if (!h)
		return;
	while (h->table.oldest)
		half_free(h, table_entry(h->table.oldest, struct half, link));
	table_done(&h->table);
	free(h->lent);
	free(h);
}

static struct half_key key_of(const struct stream_id *id)
{
	return (struct half_key){id->pid, id->handle, id->generation};
}

static bool same_half(const struct table_link *link, const void *key)
{
	struct half_key own = key_of(&table_entry(link, const struct half, link)->id);

	return memcmp(&own, key, sizeof(own)) == 0;
}

static struct half *half_find(struct halves *h, const struct stream_id *id)
{
	struct half_key key = key_of(id);
	struct table_link *link = table_find(&h->table, table_hash(&h->table, &key, sizeof(key)),
					     same_half, &key);

	return link ? table_entry(link, struct half, link) : NULL;
}

static struct half *half_get(struct halves *h, const struct stream_id *id)
{
	struct half_key key = key_of(id);
	struct half *half = half_find(h, id);

	if (half) {
		table_touch(&h->table, &half->link);
		return half;
	}
	if (table_full(&h->table))
		half_drop(h, table_entry(h->table.oldest, struct half, link));
	half = calloc(1, sizeof(*half));
	if (!half)
		return NULL;
	half->id = *id;
	table_add(&h->table, &half->link, table_hash(&h->table, &key, sizeof(key)));
	return half;
}

static bool half_grow(struct half *half, size_t len)
{
	size_t cap = half->cap ? half->cap : 1024;
	char *bytes;

	while (cap < len)
		cap *= 2;
	if (cap == half->cap)
		return true;
	bytes = realloc(half->bytes, cap);
	if (!bytes)
		return false;
	half->bytes = bytes;
	half->cap = cap;
	return true;
}

void halves_hold(struct halves *h, const struct observed_segment *segment)
{
	struct half *half = half_get(h, &segment->stream);
	size_t n = segment->bytes.len;

	if (!half)
		return;
	if (segment->offset != half->len)
		half->broken = true;
	if (half->broken)
		return;
	if (n > HALF_STREAM_BYTES_MAX - half->len)
		n = HALF_STREAM_BYTES_MAX - half->len;
	if (n && !half_grow(half, half->len + n))
		n = 0;
	if (n)
		memcpy(half->bytes + half->len, segment->bytes.at, n);
	half->len += n;
	half->broken = n < segment->bytes.len || segment->omitted;
}

void halves_join(struct halves *h, const struct stream_id *id, struct observed_segment *segment)
{
	struct half *half = half_find(h, id);

	segment->bytes = span_of("", 0);
	if (!half)
		return;
	free(h->lent);
	h->lent = half->bytes;
	half->bytes = NULL;
	/* the kernel half's count is right even where its records were lost */
	if (half->len <= segment->omitted) {
		if (half->len)
			segment->bytes = span_of(h->lent, half->len);
		segment->omitted -= half->len;
	}
	half_free(h, half);
}

void halves_exit(struct halves *h, uint32_t pid)
{
	struct table_link *link = h->table.oldest;

	while (link) {
		struct half *half = table_entry(link, struct half, link);

		link = link->newer;
		if (half->id.pid == pid)
			half_drop(h, half);
	}
}
