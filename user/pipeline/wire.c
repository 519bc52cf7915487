/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "flow/dns_cache.h"
#include "net/packet.h"
#include "pipeline/internal.h"
#include "protocol/tunnel.h"

/*
 * Connections: what sockets and packets tell, and the llm-connection events made of it. A flow of the live source
 * is made by its socket, one of a capture by its first packet.
 */

#define NS_PER_S 1000000000ULL

void wire_release(void *ctx, struct flow *flow)
{
	struct wire *wire = wire_of(flow);
	struct pipeline *p = ctx;

	if (!wire)
		return;
	cleartext_end(p, flow);
	udp_release(p, wire);
	if (wire->steered && p->config.source) {
		struct steering steering = {.cookie = flow->cookie, .action = STEER_FORGET};

		p->config.source->steer(p->config.source_state, &steering);
	}
	reassembly_free(wire->direction[DIR_OUT]);
	reassembly_free(wire->direction[DIR_IN]);
	tls_hello_free(wire->parser);
	relay_ended(p, &flow->who, wire->relayed);
	free(wire->target);
	free(wire->beyond);
	free(wire);
}

struct flow *wire_flow_new(struct pipeline *p, const struct flow *like)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	struct flow with = *like;
	struct flow *flow;

	with.started_ns = with.last_ns = p->now_ns;
	with.detail = wire;
	flow = wire ? flows_add(p->flows, &with) : NULL;
	if (!flow) {
		free(wire);
		pipeline_lost(p, LOSS_STATE, 1);
		return NULL;
	}
	wire->told_ns = p->now_ns;
	return flow;
}

/* Where requests go, seen from the flow's socket. */
static enum stream_dir client_dir(const struct wire *wire)
{
	return wire->server_side ? DIR_IN : DIR_OUT;
}

/* The handshake is over, or never was one: only counting from here. */
static void stop_reading(struct wire *wire)
{
	tls_hello_free(wire->parser);
	wire->parser = NULL;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		if (wire->direction[dir])
			reassembly_stop(wire->direction[dir]);
}

/* Names of the outer hello of encrypted ones (RFC 9849): they say nothing of the service. */
static bool hides_name(const struct tls_hello *hello)
{
	return !hello->server_name[0] ||
	       (hello->ech && strcmp(hello->server_name, "cloudflare-ech.com") == 0);
}

const char *wire_target_name(const struct wire *wire)
{
	if (wire->target && wire->target->name[0])
		return wire->target->name;
	return wire->dns_name[0] ? wire->dns_name : wire->hello.server_name;
}

uint16_t wire_target_port(const struct flow *flow)
{
	const struct wire *wire = wire_of(flow);

	return wire->target ? wire->target->port : flow->server.port;
}

static void look_up(struct pipeline *p, struct wire *wire)
{
	const char *name = wire_target_name(wire);

	if (!catalog_lookup(p->config.catalog, span_str(name), (struct span){0}, &wire->match))
		wire->match.service = NULL;
	/* an address of a content network has many names */
	else if (wire->dns_name[0] && wire->match.confidence > DNS_CONFIDENCE_MAX)
		wire->match.confidence = DNS_CONFIDENCE_MAX;
}

void wire_name(struct pipeline *p, struct flow *flow)
{
	struct wire *wire = wire_of(flow);
	const struct net_address *address = wire->target ? &wire->target->address
							 : &flow->server.address;
	const char *name = NULL;

	wire->dns_name[0] = '\0';
	if (hides_name(&wire->hello) && !(wire->target && wire->target->name[0]))
		name = dns_cache_find(p->names, address, p->now_ns);
	if (name)
		span_copy(wire->dns_name, sizeof(wire->dns_name), span_str(name));
	look_up(p, wire);
	relay_connection(p, flow);
	if (wire->match.service)
		process_arm(p, &flow->who);
}

void wire_proxied(struct pipeline *p, struct flow *flow, const struct tunnel_target *target,
		  const struct tls_hello *hello)
{
	struct wire *wire = wire_of(flow);

	if (!wire->target)
		wire->target = calloc(1, sizeof(*wire->target));
	if (!wire->target) {
		pipeline_lost(p, LOSS_STATE, 1);
		return;
	}
	*wire->target = *target;
	if (hello) {
		wire->has_hello = true;
		wire->hello = *hello;
	}
	if (wire->direction[DIR_OUT])
		wire->hello_bytes = reassembly_bytes(wire->direction[DIR_OUT]);
	wire_name(p, flow);
}

void wire_answered(struct flow *flow, const struct tls_server_hello *answer)
{
	wire_of(flow)->answer = *answer;
	wire_of(flow)->answered = true;
}

struct reading {
	struct pipeline *pipeline;
	struct flow *flow;
	enum stream_dir dir;
};

/* The client's first bytes: a ClientHello, or a request without TLS. */
static void read_hello(struct pipeline *p, struct flow *flow, struct span bytes)
{
	struct wire *wire = wire_of(flow);
	int r;

	if (!wire->parser)
		wire->parser = tls_hello_new();
	if (!wire->parser)
		return;
	r = tls_hello_feed(wire->parser, bytes, &wire->hello);
	if (r == 0)
		return;
	if (r > 0) {
		wire->has_hello = true;
		wire->hello_bytes = reassembly_bytes(wire->direction[DIR_OUT]);
		wire_name(p, flow);
		tls_hello_free(wire->parser);
		wire->parser = NULL;
		reassembly_stop(wire->direction[DIR_OUT]);
		return;
	}
	wire->not_tls = true;
	if (cleartext_starts(bytes))
		cleartext_begin(p, flow);
	if (!wire->cleartext || !cleartext_bytes(p, flow, client_dir(wire), bytes))
		stop_reading(wire);
}

/* The server's answer tells the version, and before TLS 1.3 the protocol inside. */
static void read_answer(struct wire *wire, struct span bytes)
{
	int r = -1;

	if (!wire->parser)
		wire->parser = tls_hello_new();
	if (wire->parser)
		r = tls_server_hello_feed(wire->parser, bytes, &wire->answer);
	if (r == 0)
		return;
	wire->answered = true;
	stop_reading(wire);
}

static void on_bytes(void *ctx, struct span bytes)
{
	const struct reading *reading = ctx;
	struct wire *wire = wire_of(reading->flow);

	if (wire->cleartext) {
		if (!cleartext_bytes(reading->pipeline, reading->flow, reading->dir, bytes))
			stop_reading(wire);
	} else if (reading->dir != client_dir(wire)) {
		if (wire->has_hello && !wire->answered)
			read_answer(wire, bytes);
		else /* a server that speaks first: it is only counted */
			reassembly_stop(wire->direction[reading->dir]);
	} else if (!wire->has_hello && !wire->not_tls) {
		read_hello(reading->pipeline, reading->flow, bytes);
	}
}

static void on_gap(void *ctx, uint64_t bytes)
{
	const struct reading *reading = ctx;
	struct wire *wire = wire_of(reading->flow);

	if (wire->cleartext) {
		cleartext_gap(reading->pipeline, reading->flow, reading->dir, bytes);
		return;
	}
	if (wire->has_hello || wire->not_tls || reading->dir != client_dir(wire)) {
		wire->answered |= reading->dir != client_dir(wire);
		return;
	}
	/* the name was in what is missing */
	pipeline_lost(reading->pipeline, LOSS_TRUNCATED, 1);
	wire->not_tls = true;
	stop_reading(wire);
}

/* `resumed`: what is missing before this packet was left out on purpose. */
static void push(struct pipeline *p, struct flow *flow, enum stream_dir dir,
		 const struct packet *packet, bool resumed)
{
	struct reading reading = {p, flow, dir};
	struct reassembly_sink sink = {on_bytes, on_gap, &reading};
	struct wire *wire = wire_of(flow);

	if (!wire->direction[dir]) {
		wire->direction[dir] = reassembly_new();
		if (!wire->direction[dir]) {
			pipeline_lost(p, LOSS_STATE, 1);
			return;
		}
		if (wire->has_hello ? dir == client_dir(wire) || wire->answered
				    : wire->not_tls && !wire->cleartext)
			reassembly_stop(wire->direction[dir]);
	}
	if (packet->syn)
		reassembly_start(wire->direction[dir], packet->sequence);
	if (resumed)
		reassembly_skip(wire->direction[dir], packet->sequence, &sink);
	if (packet->payload_len)
		reassembly_push(wire->direction[dir], packet->sequence, packet->payload,
				packet->payload_len, &sink);
}

/* A connection that this host accepted, and on which a request came. */
static struct flow *accepted_flow(struct pipeline *p, const struct observation *obs,
				  const struct packet *packet)
{
	struct flow like = {
		.cookie = obs->packet.cookie,
		.client = packet->source,
		.server = packet->destination,
		.transport = TRANSPORT_TCP,
	};
	struct flow *flow;

	if (obs->packet.dir != DIR_IN || !cleartext_starts(packet->payload))
		return NULL;
	if (obs->who)
		like.who = *obs->who;
	flow = wire_flow_new(p, &like);
	if (flow)
		wire_of(flow)->server_side = true;
	return flow;
}

/* A packet of the live source: handshakes and cleartext HTTP are sent up, the kernel counts the bytes. */
static void live_packet(struct pipeline *p, const struct observation *obs,
			const struct packet *packet)
{
	struct flow *flow = flows_find_cookie(p->flows, obs->packet.cookie);
	struct wire *wire;

	if (!flow)
		flow = accepted_flow(p, obs, packet);
	if (!flow)
		return;
	wire = wire_of(flow);
	if (wire->cleartext ||
	    (obs->packet.dir == client_dir(wire) ? !wire->has_hello
						 : wire->has_hello && !wire->answered))
		push(p, flow, obs->packet.dir, packet, obs->packet.resumed);
}

static bool same_endpoint(const struct net_endpoint *a, const struct net_endpoint *b)
{
	return a->port == b->port && a->address.family == b->address.family &&
	       memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes)) == 0;
}

/* Whoever sent the SYN is the client; of a connection that was joined midway, the higher port. */
static struct flow *captured_flow(struct pipeline *p, const struct packet *packet)
{
	struct flow like = {.transport = (uint8_t)packet->transport};
	bool from_client = packet->syn ? !packet->ack
				       : packet->source.port > packet->destination.port;

	if (!packet->syn && !packet->payload_len)
		return NULL; /* the tail of a connection that was told already */
	like.client = from_client ? packet->source : packet->destination;
	like.server = from_client ? packet->destination : packet->source;
	return wire_flow_new(p, &like);
}

static void captured_packet(struct pipeline *p, const struct packet *packet)
{
	struct flow *flow;
	struct wire *wire;
	enum stream_dir dir;

	if (packet->transport != TRANSPORT_TCP)
		return;
	flow = flows_find_pair(p->flows, &packet->source, &packet->destination, TRANSPORT_TCP);
	/* the ports are used again: a new connection */
	if (flow && packet->syn && !packet->ack && wire_of(flow)->fin[DIR_OUT]) {
		wire_end(p, flow);
		flow = NULL;
	}
	if (!flow)
		flow = captured_flow(p, packet);
	if (!flow)
		return;
	wire = wire_of(flow);
	flow->last_ns = p->now_ns;
	dir = same_endpoint(&packet->source, &flow->client) ? DIR_OUT : DIR_IN;
	if (packet->payload_len)
		ciphertext_packet(&wire->ciphertext, dir == DIR_IN, p->now_ns,
				  (uint32_t)packet->payload_len);
	push(p, flow, dir, packet, false);
	if (wire->direction[DIR_OUT])
		flow->sent = reassembly_bytes(wire->direction[DIR_OUT]);
	if (wire->direction[DIR_IN])
		flow->received = reassembly_bytes(wire->direction[DIR_IN]);
	wire->fin[dir] |= packet->fin;
	if (packet->rst || (wire->fin[DIR_OUT] && wire->fin[DIR_IN]))
		wire_end(p, flow);
	else
		wire_interim(p, flow);
}

void wire_packet(struct pipeline *p, const struct observation *obs)
{
	struct packet packet;
	int r = packet_decode(obs->packet.link_type, obs->packet.bytes, obs->packet.wire_len,
			      &packet);

	if (r == -EBADMSG)
		pipeline_lost(p, LOSS_PARSE, 1);
	if (r || packet.fragment)
		return;
	if (packet.transport == TRANSPORT_UDP) {
		udp_packet(p, obs, &packet);
		return;
	}
	if (obs->packet.cookie)
		live_packet(p, obs, &packet);
	else
		captured_packet(p, &packet);
}

/* What it moved before it was found is not told: an earlier run may have done so. */
static void joined_midway(struct pipeline *p, struct flow *flow,
			  const struct observed_socket *socket)
{
	struct wire *wire = wire_of(flow);

	wire->told_sent = socket->bytes_sent;
	wire->told_received = socket->bytes_received;
	agent_arm(p, &flow->who);
}

void wire_socket(struct pipeline *p, const struct observation *obs)
{
	const struct observed_socket *socket = &obs->socket;
	struct flow *flow;

	if (socket->state == SOCKET_LISTENING) {
		server_listens(p, obs);
		return;
	}
	flow = flows_find_cookie(p->flows, socket->cookie);
	if (!flow && socket->role != SOCKET_CONNECTED)
		return; /* known by its first request */
	if (!flow) {
		struct flow like = {
			.cookie = socket->cookie,
			.client = socket->local,
			.server = socket->remote,
			.transport = TRANSPORT_TCP,
		};

		if (socket->state != SOCKET_ESTABLISHED && socket->state != SOCKET_FOUND)
			return; /* a sample of what has closed */
		if (obs->who)
			like.who = *obs->who;
		flow = wire_flow_new(p, &like);
		if (!flow)
			return;
		if (socket->state == SOCKET_FOUND)
			joined_midway(p, flow, socket);
	}
	flow->last_ns = p->now_ns;
	flow->sent = socket->bytes_sent;
	flow->received = socket->bytes_received;
	if (socket->state == SOCKET_CLOSED)
		wire_end(p, flow);
	else
		wire_interim(p, flow);
}

/* Java speaks TLS by itself (JSSE), in code that no hook can sit on. Programs that carry a Java machine under
 * another name are not known by this. */
static bool runs_java(const struct event *event)
{
	return event_has(event, F_PROCESS_EXECUTABLE) &&
	       span_ends(event->value[F_PROCESS_EXECUTABLE].string, SPAN_LITERAL("/java"));
}

static void set_visibility(struct pipeline *p, struct event *event, const struct wire *wire)
{
	if (wire->plaintext) {
		event_set_text(event, F_VISIBILITY, "plaintext");
		event_append(event, F_EVIDENCE,
			     wire->http ? SPAN_LITERAL("cleartext") : SPAN_LITERAL("plaintext"));
	} else {
		const char *reason = wire->is_quic         ? "quic"
				     : wire->unseen_reason ? wire->unseen_reason
				     : runs_java(event)    ? "jsse"
							   : p->config.unseen_reason;

		event_set_text(event, F_VISIBILITY,
			       wire->dns_name[0]           ? "dns"
			       : wire_target_name(wire)[0] ? "sni"
							   : "ip");
		if (wire->has_hello)
			event_set_text(event, F_VISIBILITY_REASON, reason);
	}
	if (wire->dns_name[0])
		event_append(event, F_EVIDENCE, SPAN_LITERAL("dns"));
	if (wire->has_hello && wire->hello.server_name[0])
		event_append(event, F_EVIDENCE, SPAN_LITERAL("sni"));
	/* shared ones are what a path could tell */
	if (wire->match.service && wire->match.place == CATALOG_URL_PREFIX && !wire->match.shared)
		event_append(event, F_EVIDENCE, SPAN_LITERAL("url_prefix"));
	if (wire->target)
		event_append(event, F_EVIDENCE, span_str(wire->target->how));
	if (wire->relay)
		event_append(event, F_EVIDENCE, SPAN_LITERAL("relay"));
}

static void set_connection_message(struct event *event, const struct flow *flow, const char *to)
{
	char who[96];

	compose_who(event, who, sizeof(who));
	event_format(event, F_MESSAGE,
		     "%s: connection to %s, %" PRIu64 " bytes up, %" PRIu64 " down", who, to,
		     flow->sent, flow->received);
}

/* All that was asked was read, and it was pages and pictures: nobody asks a model so. Searches are asked so. */
static bool only_fetched(const struct wire *wire)
{
	return wire->fetched && !wire->asked && wire->match.service &&
	       strcmp(wire->match.service->kind, "search") != 0;
}

static bool is_use(const struct wire *wire, const struct flow *flow)
{
	uint64_t opening = wire->is_quic ? PRESENCE_QUIC_BYTES : PRESENCE_BYTES;

	if (wire->plaintext)
		return true;
	if (wire->match.assets || only_fetched(wire))
		return false;
	return flow->sent > wire->hello_bytes + opening;
}

/* By the process alone where no request could be read. */
static void set_agent(struct pipeline *p, struct event *event, const struct flow *flow,
		      struct agent_found *found)
{
	*found = wire_of(flow)->agent;

	if (!found->id[0])
		agent_find(p, &flow->who, NULL, found);
	agent_set(event, found);
}

/* Of a connection to a model whose calls nobody could read. The bounds alone: they are too far apart for a number
 * between them to be added up. */
static void set_usage(struct pipeline *p, struct event *event, const struct flow *flow)
{
	struct wire *wire = wire_of(flow);
	const struct service *service = wire->match.service;
	const struct ciphertext_totals totals = {
		.received = flow->received - wire->told_received,
		.time_ns = p->now_ns - wire->told_ns,
		.handshake = wire->told_received == 0,
	};
	struct ciphertext_range range;
	bool in_tokens = false;

	for (size_t i = 0; service && !wire->plaintext && i < service->family_count; i++)
		in_tokens |= ciphertext_family(service->families[i]);
	if (in_tokens &&
	    ciphertext_estimate(&wire->ciphertext, span_str(service->id), &totals, &range)) {
		event_set_text(event, F_USAGE_SOURCE, "estimated_ciphertext");
		event_set_int(event, F_USAGE_OUTPUT_LOW, range.low);
		event_set_int(event, F_USAGE_OUTPUT_HIGH, range.high);
	}
	ciphertext_restart(&wire->ciphertext);
}

static void tell_connection(struct pipeline *p, struct flow *flow, const char *action, bool interim)
{
	struct wire *wire = wire_of(flow);
	/* what its name shares with other things says nothing of it */
	const struct service *service = wire->match.shared && !wire->plaintext
						? NULL
						: wire->match.service;
	bool use = is_use(wire, flow);
	/* where nothing moved since, the rules have judged it all before */
	bool news = flow->sent != wire->told_sent || flow->received != wire->told_received ||
		    !(wire->told_sent || wire->told_received);
	struct agent_found agent; /* lends the event its names */
	struct event event;

	compose_base(p, &event, action, p->now_ns);
	event_append(&event, F_EVENT_TYPE, interim ? SPAN_LITERAL("info") : SPAN_LITERAL("end"));
	event_set_time(&event, F_EVENT_START, flow->started_ns);
	if (!interim)
		event_set_time(&event, F_EVENT_END, flow->last_ns);
	event_set_int(&event, F_EVENT_DURATION, (int64_t)(flow->last_ns - flow->started_ns));
	compose_process(p, &event, &flow->who);
	compose_flow(p, &event, flow);
	event_set_int(&event, F_SOURCE_BYTES, (int64_t)(flow->sent - wire->told_sent));
	event_set_int(&event, F_DESTINATION_BYTES, (int64_t)(flow->received - wire->told_received));
	if (interim)
		event_set_bool(&event, F_INTERIM, true);
	if (wire->relay == RELAY_TOLD)
		event_set_bool(&event, F_RELAY, true);
	set_visibility(p, &event, wire);
	if (service || wire->plaintext) {
		set_agent(p, &event, flow, &agent);
		compose_service(&event, service);
		event_set_text(&event, F_ACTIVITY, use ? "use" : "presence");
		event_set_int(&event, F_CONFIDENCE, service ? wire->match.confidence : 85);
		if (use)
			set_usage(p, &event, flow);
	}
	set_connection_message(&event, flow,
			       service                     ? service->id
			       : wire_target_name(wire)[0] ? wire_target_name(wire)
							   : "a host without a name");
	wire->told_sent = flow->sent;
	wire->told_received = flow->received;
	wire->told_ns = p->now_ns;
	if (service && !interim && wire->relay != RELAY_TOLD)
		p->stats.connections++;
	compose_conclude(p, &event, wire->plaintext ? NULL : &wire->match,
			 use && news && wire->relay != RELAY_TOLD);
}

/* A host that also serves other things is no AI service by its name alone. */
bool wire_is_ai(const struct wire *wire)
{
	return !wire->server_side &&
	       (wire->plaintext || (wire->match.service && !wire->match.shared));
}

void wire_interim(struct pipeline *p, struct flow *flow)
{
	const struct wire *wire = wire_of(flow);

	if (p->config.interim_ns && wire_is_ai(wire) &&
	    p->now_ns - wire->told_ns >= p->config.interim_ns)
		tell_connection(p, flow, "llm-connection", true);
}

void wire_end(struct pipeline *p, struct flow *flow)
{
	const struct wire *wire = wire_of(flow);

	/* a call that the end cuts short is told first, and tells what the connection is */
	cleartext_end(p, flow);
	if (wire_is_ai(wire))
		tell_connection(p, flow, "llm-connection", false);
	else if (p->config.all && !wire->server_side)
		tell_connection(p, flow, "connection", false);
	flows_remove(p->flows, flow);
}

/* The catalogue before is still there. */
void wire_rematch(struct pipeline *p)
{
	struct flow *first = flows_oldest(p->flows);

	for (struct table_link *link = first ? &first->link : NULL; link; link = link->newer) {
		struct flow *flow = table_entry(link, struct flow, link);
		struct wire *wire = wire_of(flow);
		struct catalog_match before = wire->match;

		look_up(p, wire);
		if (wire->match.service)
			process_arm(p, &flow->who);
		if (wire->match.service || !before.service)
			continue;
		/* what a Host header or a port named: the service of the same id, if there still is one */
		wire->match = before;
		wire->match.service = catalog_service_by_id(p->config.catalog,
							    span_str(before.service->id));
	}
}

/* Flows are in order of use, so that the silent ones are in front. */
void wire_tick(struct pipeline *p)
{
	struct flow *flow;

	if (p->config.live)
		return; /* the kernel tells every end */
	while ((flow = flows_oldest(p->flows)) && p->now_ns > flow->last_ns &&
	       p->now_ns - flow->last_ns > FLOW_IDLE_S * NS_PER_S)
		wire_end(p, flow);
}
