/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/flow.h"

#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"

/* Both directions of a connection have the same key: the lower endpoint comes first. */
struct pair_key {
	uint8_t low[20], high[20];
	uint64_t transport;
};

struct flows {
	struct table table;
	void (*release)(void *ctx, struct flow *flow);
	void *ctx;
	uint64_t evicted;
};

struct flows *flows_new(void (*release)(void *ctx, struct flow *flow), void *ctx)
{
	struct flows *f = calloc(1, sizeof(*f));

	if (!f || table_init(&f->table, FLOWS_MAX)) {
		free(f);
		return NULL;
	}
	f->release = release;
	f->ctx = ctx;
	return f;
}

static void flow_drop(struct flows *f, struct flow *flow)
{
	f->release(f->ctx, flow);
	table_remove(&f->table, &flow->link);
	free(flow);
}

void flows_free(struct flows *f)
{
	if (!f)
		return;
	while (f->table.oldest)
		flow_drop(f, table_entry(f->table.oldest, struct flow, link));
	table_done(&f->table);
	free(f);
}

static void endpoint_key(uint8_t out[20], const struct net_endpoint *e)
{
	out[0] = e->address.family;
	memcpy(out + 1, e->address.bytes, 16);
	out[17] = (uint8_t)(e->port >> 8);
	out[18] = (uint8_t)e->port;
	out[19] = 0;
}

static struct pair_key pair_key_of(const struct net_endpoint *a, const struct net_endpoint *b,
				   uint8_t transport)
{
	struct pair_key key = {.transport = transport};
	uint8_t x[20], y[20];
	bool in_order;

	endpoint_key(x, a);
	endpoint_key(y, b);
	in_order = memcmp(x, y, sizeof(x)) <= 0;
	memcpy(key.low, in_order ? x : y, sizeof(key.low));
	memcpy(key.high, in_order ? y : x, sizeof(key.high));
	return key;
}

static bool same_cookie(const struct table_link *link, const void *key)
{
	return table_entry(link, const struct flow, link)->cookie == *(const uint64_t *)key;
}

static bool same_pair(const struct table_link *link, const void *key)
{
	const struct flow *flow = table_entry(link, const struct flow, link);
	struct pair_key own;

	if (flow->cookie)
		return false;
	own = pair_key_of(&flow->client, &flow->server, flow->transport);
	return memcmp(&own, key, sizeof(own)) == 0;
}

static struct flow *touched(struct flows *f, struct table_link *link)
{
	if (!link)
		return NULL;
	table_touch(&f->table, link);
	return table_entry(link, struct flow, link);
}

struct flow *flows_find_cookie(struct flows *f, uint64_t cookie)
{
	uint64_t hash = table_hash(&f->table, &cookie, sizeof(cookie));

	return cookie ? touched(f, table_find(&f->table, hash, same_cookie, &cookie)) : NULL;
}

struct flow *flows_find_pair(struct flows *f, const struct net_endpoint *a,
			     const struct net_endpoint *b, uint8_t transport)
{
	struct pair_key key = pair_key_of(a, b, transport);

	return touched(f, table_find(&f->table, table_hash(&f->table, &key, sizeof(key)), same_pair,
				     &key));
}

struct flow *flows_add(struct flows *f, const struct flow *like)
{
	struct flow *flow;
	uint64_t hash;

	if (table_full(&f->table)) {
		f->evicted++;
		flow_drop(f, table_entry(f->table.oldest, struct flow, link));
	}
	flow = malloc(sizeof(*flow));
	if (!flow)
		return NULL;
	*flow = *like;
	if (flow->cookie) {
		hash = table_hash(&f->table, &flow->cookie, sizeof(flow->cookie));
	} else {
		struct pair_key key = pair_key_of(&flow->client, &flow->server, flow->transport);

		hash = table_hash(&f->table, &key, sizeof(key));
	}
	table_add(&f->table, &flow->link, hash);
	return flow;
}

void flows_remove(struct flows *f, struct flow *flow)
{
	flow_drop(f, flow);
}

struct flow *flows_oldest(struct flows *f)
{
	return f->table.oldest ? table_entry(f->table.oldest, struct flow, link) : NULL;
}

size_t flows_count(const struct flows *f)
{
	return f->table.count;
}

uint64_t flows_evicted(const struct flows *f)
{
	return f->evicted;
}
