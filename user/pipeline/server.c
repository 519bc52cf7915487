/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <stdlib.h>

#include "api/exchange.h"
#include "pipeline/internal.h"

/*
 * llm-server: a process of this host answered a call of an LLM's API on a connection that it accepted. Told
 * once for each listening socket, which is known by its process and port.
 */

struct listener_key {
	uint64_t start_ns, pid, port;
};

struct listener {
	struct table_link link;
	struct listener_key key;
	struct net_address bound; /* family 0: it listened before anybody watched */
	bool told;
};

int servers_init(struct pipeline *p)
{
	return table_init(&p->listeners, LISTENERS_MAX);
}

void servers_done(struct pipeline *p)
{
	while (p->listeners.oldest) {
		struct listener *l = table_entry(p->listeners.oldest, struct listener, link);

		table_remove(&p->listeners, &l->link);
		free(l);
	}
	table_done(&p->listeners);
}

static bool same_listener(const struct table_link *link, const void *key)
{
	const struct listener *l = table_entry(link, const struct listener, link);

	return memcmp(&l->key, key, sizeof(l->key)) == 0;
}

/* A full table forgets its oldest: at worst a server is told twice. */
static struct listener *listener_get(struct pipeline *p, const struct listener_key *key)
{
	uint64_t hash = table_hash(&p->listeners, key, sizeof(*key));
	struct table_link *link = table_find(&p->listeners, hash, same_listener, key);
	struct listener *l;

	if (link) {
		table_touch(&p->listeners, link);
		return table_entry(link, struct listener, link);
	}
	if (table_full(&p->listeners)) {
		l = table_entry(p->listeners.oldest, struct listener, link);
		table_remove(&p->listeners, &l->link);
		free(l);
	}
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->key = *key;
	table_add(&p->listeners, &l->link, hash);
	return l;
}

void server_listens(struct pipeline *p, const struct observation *obs)
{
	struct listener_key key = {.port = obs->socket.local.port};
	struct listener *l;

	if (!obs->who)
		return;
	key.pid = obs->who->pid;
	key.start_ns = obs->who->start_ns;
	l = listener_get(p, &key);
	if (l)
		l->bound = obs->socket.local.address;
}

/* The only listener of a process, for streams whose socket is not known. */
static struct listener *listener_of_process(struct pipeline *p, const struct process_identity *who)
{
	struct listener *found = NULL;

	for (struct table_link *link = p->listeners.oldest; link; link = link->newer) {
		struct listener *l = table_entry(link, struct listener, link);

		if (l->key.pid != who->pid || l->key.start_ns != who->start_ns)
			continue;
		if (found)
			return NULL;
		found = l;
	}
	return found;
}

uint16_t server_port(struct pipeline *p, const struct process_identity *who)
{
	const struct listener *l = listener_of_process(p, who);

	return l ? (uint16_t)l->key.port : 0;
}

static struct listener *listener_of(struct stream *s)
{
	struct listener_key key = {.pid = s->who.pid, .start_ns = s->who.start_ns};
	struct listener *l = NULL;

	if (s->flow)
		key.port = s->flow->server.port;
	else
		l = listener_of_process(s->pipeline, &s->who);
	return l ? l : listener_get(s->pipeline, &key);
}

bool server_wanted(struct stream *s)
{
	const struct listener *l = listener_of(s);

	return l && !l->told;
}

static bool is_loopback(const struct net_address *address)
{
	static const uint8_t one[16] = {[15] = 1};

	if (address->family == 4)
		return address->bytes[0] == 127;
	return address->family == 6 && memcmp(address->bytes, one, sizeof(one)) == 0;
}

/* Who sends on what it accepts is a relay, and serves no model itself. */
static bool is_relay(struct pipeline *p, const struct process_identity *who)
{
	struct flow *first = flows_oldest(p->flows);

	for (struct table_link *link = first ? &first->link : NULL; link; link = link->newer) {
		const struct flow *flow = table_entry(link, const struct flow, link);
		const struct wire *wire = wire_of(flow);

		if (!wire->server_side && who->pid && flow->who.pid == who->pid &&
		    flow->who.start_ns == who->start_ns && wire_is_ai(wire))
			return true;
	}
	return false;
}

static void set_address(struct event *event, const struct stream *s, const struct listener *l)
{
	const struct net_address *address = &l->bound;

	if (!address->family && s->flow)
		address = &s->flow->server.address;
	if (address->family)
		event_set_ip(event, F_SERVER_IP, address);
	if (l->key.port)
		event_set_int(event, F_SERVER_PORT, (int64_t)l->key.port);
	/* of a listener that nobody saw begin, a call from elsewhere alone proves anything */
	if (l->bound.family && is_loopback(&l->bound))
		event_append(event, F_EVIDENCE, SPAN_LITERAL("loopback_only"));
	else if (l->bound.family || (s->flow && !is_loopback(address)))
		event_append(event, F_EVIDENCE, SPAN_LITERAL("reachable"));
}

static void tell(struct stream *s, const struct exchange *e, const struct listener *l)
{
	const struct llm_facts *facts = api_exchange_facts(e->api);
	struct pipeline *p = s->pipeline;
	struct catalog_match match = {0};
	struct event event;
	char who[96];

	compose_base(p, &event, "llm-server", p->now_ns);
	compose_process(p, &event, &s->who);
	event_set_text(&event, F_NETWORK_TRANSPORT, "tcp");
	event_set_text(&event, F_NETWORK_PROTOCOL, s->flow ? "http" : "tls");
	event_append(&event, F_EVIDENCE,
		     s->flow ? SPAN_LITERAL("cleartext") : SPAN_LITERAL("plaintext"));
	event_append(&event, F_EVIDENCE, SPAN_LITERAL("api_shape"));
	set_address(&event, s, l);
	if (catalog_lookup_port(p->config.catalog, (uint16_t)l->key.port,
				span_str(facts->api_family), &match))
		event_append(&event, F_EVIDENCE, SPAN_LITERAL("local_port"));
	compose_service(&event, match.service);
	/* a port that means nothing is still the port of a model server */
	if (!match.service)
		event_set_text(&event, F_SERVICE_KIND, "self-hosted");
	event_set_text(&event, F_API_FAMILY, facts->api_family);
	event_set_text(&event, F_GEN_AI_RESPONSE_MODEL,
		       facts->response_model[0] ? facts->response_model : facts->request_model);
	event_set_text(&event, F_VISIBILITY, "plaintext");
	event_set_int(&event, F_CONFIDENCE, match.service ? (int64_t)match.confidence : 85);
	compose_who(&event, who, sizeof(who));
	event_format(&event, F_MESSAGE, "%s: serves the %s API on port %u", who, facts->api_family,
		     (unsigned int)l->key.port);
	compose_conclude(p, &event, NULL, true);
}

void server_answered(struct stream *s, const struct exchange *e)
{
	struct listener *l = listener_of(s);

	if (!l || l->told || !s->pipeline->config.live)
		return;
	/* the next call is judged anew: a model server may have been fetching a model */
	if (relay_sent_on(s, e->relayed) || is_relay(s->pipeline, &s->who))
		return;
	l->told = true;
	tell(s, e, l);
}
