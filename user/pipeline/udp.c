/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/dns_cache.h"
#include "net/packet.h"
#include "pipeline/internal.h"
#include "protocol/dns.h"
#include "protocol/quic.h"

/* Datagrams: DNS answers name addresses, QUIC connections are flows whose ClientHello can be read. */

enum { PORT_DNS = 53, PORT_HTTPS = 443 };

static void on_answer(void *ctx, const struct dns_answer *answer)
{
	struct pipeline *p = ctx;

	if (answer->address.family)
		dns_cache_add(p->names, &answer->address, answer->name, answer->ttl_s, p->now_ns);
}

static void stop_reading(struct pipeline *p, struct wire *wire)
{
	if (wire->quic)
		p->quic_pending--;
	quic_initials_free(wire->quic);
	wire->quic = NULL;
}

void udp_release(struct pipeline *p, struct wire *wire)
{
	stop_reading(p, wire);
}

static void read_initial(struct pipeline *p, struct flow *flow, struct span datagram)
{
	struct wire *wire = wire_of(flow);
	int r;

	if (wire->has_hello || wire->not_tls)
		return;
	wire->hello_bytes += datagram.len;
	if (!wire->quic) {
		if (p->quic_pending >= QUIC_PENDING_MAX) {
			pipeline_lost(p, LOSS_STATE, 1);
			wire->not_tls = true;
			return;
		}
		wire->quic = quic_initials_new();
		if (!wire->quic)
			return;
		p->quic_pending++;
	}
	r = quic_initials_feed(wire->quic, datagram, &wire->hello);
	if (r == 0)
		return;
	stop_reading(p, wire);
	if (r < 0) {
		wire->not_tls = true;
		return;
	}
	wire->has_hello = true;
	wire_name(p, flow);
}

/* Whoever sends a first Initial to the well-known port is the client. */
static struct flow *quic_flow(struct pipeline *p, const struct observation *obs,
			      const struct packet *packet)
{
	struct flow like = {
		.cookie = obs->packet.cookie,
		.transport = TRANSPORT_UDP,
		.client = packet->source,
		.server = packet->destination,
	};
	struct flow *flow;

	if (packet->destination.port != PORT_HTTPS || !quic_starts(packet->payload))
		return NULL;
	if (obs->who)
		like.who = *obs->who;
	flow = wire_flow_new(p, &like);
	if (flow)
		wire_of(flow)->is_quic = true;
	return flow;
}

static void quic_packet(struct pipeline *p, const struct observation *obs,
			const struct packet *packet)
{
	bool live = obs->packet.cookie;
	bool to_server = live ? obs->packet.dir == DIR_OUT : packet->destination.port == PORT_HTTPS;
	struct flow *flow = live ? flows_find_cookie(p->flows, obs->packet.cookie)
				 : flows_find_pair(p->flows, &packet->source, &packet->destination,
						   TRANSPORT_UDP);

	if (!flow)
		flow = quic_flow(p, obs, packet);
	if (!flow)
		return;
	flow->last_ns = p->now_ns;
	/* live, the kernel counts */
	if (!live && to_server)
		flow->sent += packet->payload_len;
	else if (!live)
		flow->received += packet->payload_len;
	if (to_server)
		read_initial(p, flow, packet->payload);
	if (!live)
		wire_interim(p, flow);
}

void udp_packet(struct pipeline *p, const struct observation *obs, const struct packet *packet)
{
	if (packet->source.port == PORT_DNS)
		dns_read(packet->payload, on_answer, p);
	else if (packet->source.port == PORT_HTTPS || packet->destination.port == PORT_HTTPS)
		quic_packet(p, obs, packet);
}
