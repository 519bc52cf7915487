/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>

#include "api/exchange.h"
#include "pipeline/internal.h"
#include "protocol/tunnel.h"

/*
 * Processes that accept AI traffic and send it on. What a process accepted lately is kept: calls of an LLM's API, and
 * connections that it was asked for as a proxy. A call or connection of its own is a second hop when one of these
 * was open as it began, or had ended at most RELAY_SECONDS before:
 *
 * - a connection, when it goes to where a proxy was asked to go, or began while a call was being answered;
 * - a call, when an accepted one is left that stands for no other yet. One call that is sent on, and its failed
 *   tries, stand for one that was accepted; who makes more of it is a client for the rest.
 *
 * The call belongs to the first client. Where that one is not seen on this host, nobody else tells of it, and the
 * second hop counts: then only its evidence says that it is one. A process that calls a model for requests that are
 * themselves no calls of an API is a client.
 */

#define NS_PER_S 1000000000ULL

struct relay_key {
	uint64_t start_ns, pid;
};

/* One accepted call or tunnel. */
struct accepted {
	uint64_t number; /* 0: none */
	uint64_t ended_ns;
	uint64_t first; /* cookie of the first client's own socket, 0: not of this host */
	bool known;     /* the accepted connection is, and so is that */
	bool tunnel, open, sent_on;
	bool shape; /* of a call: its body left no doubt that it is one */
	char model[MODEL_NAME_MAX];
	struct tunnel_target target;
};

struct relay {
	struct table_link link;
	struct relay_key key;
	uint64_t count;
	struct accepted recent[RELAY_RECENT];
};

int relays_init(struct pipeline *p)
{
	return table_init(&p->relays, RELAYS_MAX);
}

static void relay_drop(struct pipeline *p, struct table_link *link)
{
	table_remove(&p->relays, link);
	free(table_entry(link, struct relay, link));
}

void relays_done(struct pipeline *p)
{
	while (p->relays.oldest)
		relay_drop(p, p->relays.oldest);
	table_done(&p->relays);
}

static bool same_relay(const struct table_link *link, const void *key)
{
	const struct relay *r = table_entry(link, const struct relay, link);

	return memcmp(&r->key, key, sizeof(r->key)) == 0;
}

static struct relay *relay_find(struct pipeline *p, const struct process_identity *who)
{
	struct relay_key key = {who->start_ns, who->pid};
	struct table_link *link;

	if (!who->pid || !p->relays.count)
		return NULL;
	link = table_find(&p->relays, table_hash(&p->relays, &key, sizeof(key)), same_relay, &key);
	return link ? table_entry(link, struct relay, link) : NULL;
}

void relay_exit(struct pipeline *p, const struct process_identity *who)
{
	struct relay *r = relay_find(p, who);

	if (r)
		relay_drop(p, &r->link);
}

static struct relay *relay_get(struct pipeline *p, const struct process_identity *who)
{
	struct relay *r = relay_find(p, who);

	if (r) {
		table_touch(&p->relays, &r->link);
		return r;
	}
	if (!who->pid)
		return NULL;
	if (table_full(&p->relays)) {
		pipeline_lost(p, LOSS_STATE, 1);
		relay_drop(p, p->relays.oldest);
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		pipeline_lost(p, LOSS_STATE, 1);
		return NULL;
	}
	r->key = (struct relay_key){who->start_ns, who->pid};
	table_add(&p->relays, &r->link, table_hash(&p->relays, &r->key, sizeof(r->key)));
	return r;
}

static struct accepted *accepted_find(struct pipeline *p, const struct process_identity *who,
				      uint64_t number)
{
	struct relay *r = number ? relay_find(p, who) : NULL;
	struct accepted *a = r ? &r->recent[number % RELAY_RECENT] : NULL;

	return a && a->number == number ? a : NULL;
}

static bool same_endpoint(const struct net_endpoint *a, const struct net_endpoint *b)
{
	return a->port == b->port && memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}

/* The other end of an accepted connection, when it is a socket of this host. */
static uint64_t first_client(struct pipeline *p, const struct flow *flow)
{
	struct flow *first = flows_oldest(p->flows);

	for (struct table_link *link = first ? &first->link : NULL; link; link = link->newer) {
		const struct flow *other = table_entry(link, const struct flow, link);

		if (other->cookie && !wire_of(other)->server_side &&
		    same_endpoint(&other->client, &flow->client) &&
		    same_endpoint(&other->server, &flow->server))
			return other->cookie;
	}
	return 0;
}

/* `flow` is the accepted connection's, NULL: not known. */
static struct accepted *accept_new(struct pipeline *p, const struct process_identity *who,
				   const struct flow *flow)
{
	struct relay *r = relay_get(p, who);
	struct accepted *a;

	if (!r)
		return NULL;
	r->count++;
	a = &r->recent[r->count % RELAY_RECENT];
	*a = (struct accepted){.number = r->count, .open = true};
	a->known = flow && wire_of(flow)->server_side;
	if (a->known)
		a->first = first_client(p, flow);
	return a;
}

/* The socket of this host that asked this process for that target, over TLS, where the accepted one is not known. */
static uint64_t asking_client(struct pipeline *p, const struct process_identity *who,
			      const struct tunnel_target *target)
{
	uint16_t port = server_port(p, who);
	struct flow *first = port ? flows_oldest(p->flows) : NULL;
	uint64_t cookie = 0;

	for (struct table_link *link = first ? &first->link : NULL; link; link = link->newer) {
		const struct flow *flow = table_entry(link, const struct flow, link);
		const struct tunnel_target *asked = wire_of(flow)->target;

		if (asked && flow->server.port == port && asked->port == target->port &&
		    strcmp(asked->name, target->name) == 0 &&
		    memcmp(&asked->address, &target->address, sizeof(asked->address)) == 0)
			cookie = flow->cookie;
	}
	return cookie;
}

uint64_t relay_tunnel(struct pipeline *p, const struct process_identity *who,
		      const struct flow *flow, uint64_t number, const struct tunnel_target *target)
{
	struct accepted *a = accepted_find(p, who, number);

	if (!a)
		a = accept_new(p, who, flow);
	if (!a)
		return 0;
	a->tunnel = true;
	a->target = *target;
	if (!flow)
		a->first = asking_client(p, who, target);
	return a->number;
}

uint64_t relay_call(struct stream *s)
{
	struct pipeline *p = s->pipeline;
	const struct flow *flow = s->flow ? s->flow : flows_find_cookie(p->flows, s->cookie);
	struct accepted *a = accept_new(p, &s->who, flow);

	return a ? a->number : 0;
}

void relay_called(struct stream *s, const struct exchange *e)
{
	struct accepted *a = accepted_find(s->pipeline, &s->who, e->relayed);

	if (!a)
		return;
	a->shape = api_exchange_facts(e->api)->request_shape;
	span_copy(a->model, sizeof(a->model), span_str(api_exchange_facts(e->api)->request_model));
}

void relay_ended(struct pipeline *p, const struct process_identity *who, uint64_t number)
{
	struct accepted *a = accepted_find(p, who, number);

	if (a) {
		a->open = false;
		a->ended_ns = p->now_ns;
	}
}

bool relay_sent_on(struct stream *s, uint64_t number)
{
	const struct accepted *a = accepted_find(s->pipeline, &s->who, number);

	return a && a->sent_on;
}

/* Does it count, and was it still there at that time, or not long before? */
static bool current(const struct accepted *a, uint64_t at_ns)
{
	return a->number && (a->tunnel || a->shape) &&
	       (a->open || a->ended_ns + RELAY_SECONDS * NS_PER_S >= at_ns);
}

static bool leads_to(const struct tunnel_target *target, const struct flow *flow)
{
	const struct wire *wire = wire_of(flow);

	if (target->name[0])
		return strcmp(target->name, wire->hello.server_name) == 0 ||
		       strcmp(target->name, wire->dns_name) == 0;
	return target->port == flow->server.port &&
	       memcmp(&target->address, &flow->server.address, sizeof(target->address)) == 0;
}

void relay_connection(struct pipeline *p, struct flow *flow)
{
	struct relay *r = relay_find(p, &flow->who);
	struct wire *wire = wire_of(flow);

	if (!r || wire->server_side)
		return;
	for (size_t i = 0; i < RELAY_RECENT; i++) {
		struct accepted *a = &r->recent[i];

		if (!current(a, p->now_ns) || (a->tunnel && !leads_to(&a->target, flow)))
			continue;
		a->sent_on |= a->tunnel;
		wire->relay = wire->relay == RELAY_COUNTED || !a->first ? RELAY_COUNTED
									: RELAY_TOLD;
		wire->relay_tunnel |= a->tunnel;
	}
}

/* "openai/gpt-4o" is sent on as "gpt-4o". */
static bool same_model(const char *a, const char *b)
{
	const char *tail = strrchr(a, '/');

	return a[0] && (strcmp(a, b) == 0 || (tail && strcmp(tail + 1, b) == 0));
}

static bool better(const struct accepted *a, const struct accepted *than, const char *model)
{
	bool same = same_model(a->model, model);

	if (!than || same != same_model(than->model, model))
		return !than || same;
	return a->number > than->number;
}

/* The same for a call: a client of this host whose call of that model to that port is open. */
static struct flow *calling_client(struct pipeline *p, const struct process_identity *who,
				   const char *model)
{
	uint16_t port = server_port(p, who);
	struct table_link *link = port ? p->streams.newest : NULL;

	for (; link; link = link->older) {
		const struct stream *s = table_entry(link, const struct stream, link);
		struct flow *flow = NULL;

		if (s->is_client && s->exchanges)
			flow = s->flow ? s->flow : flows_find_cookie(p->flows, s->cookie);
		if (!flow || flow->server.port != port || flow->who.pid == who->pid)
			continue;
		for (const struct exchange *e = s->exchanges; e; e = e->next)
			if (same_model(api_exchange_facts(e->api)->request_model, model))
				return flow;
	}
	return NULL;
}

enum relay_hop relay_of_call(struct stream *s, const struct exchange *e)
{
	const char *model = api_exchange_facts(e->api)->request_model;
	struct pipeline *p = s->pipeline;
	struct relay *r = relay_find(p, &s->who);
	struct accepted *best = NULL;
	struct flow *first;

	for (size_t i = 0; r && i < RELAY_RECENT; i++) {
		struct accepted *a = &r->recent[i];

		if (!a->tunnel && !a->sent_on && current(a, e->started_ns) &&
		    better(a, best, model))
			best = a;
	}
	if (!best)
		return RELAY_NONE;
	best->sent_on = e->status >= 200 && e->status < 300;
	first = best->known ? flows_find_cookie(p->flows, best->first)
			    : calling_client(p, &s->who, model);
	if (!first)
		return RELAY_COUNTED;
	if (e->host[0] && best->sent_on) {
		free(wire_of(first)->beyond);
		wire_of(first)->beyond = strdup(e->host);
	}
	return RELAY_TOLD;
}
