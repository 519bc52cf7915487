/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>

#include "pipeline/internal.h"
#include "protocol/tunnel.h"

/*
 * Streams that begin by asking a proxy for somebody else, in the clear or inside TLS to the proxy. Of what
 * follows, the hellos of TLS are read here and the rest is let go; anything else is handed on, as if it had been the
 * stream's beginning.
 */

struct proxied {
	struct tunnel tunnel;
	bool accepted;    /* this process is the proxy */
	uint64_t relayed; /* then, relay.c's number of the tunnel */
	enum { NOT_SEEN, TLS, OTHER } inside;
	struct tls_hello_parser *parser; /* of the hello that is to come next */
	bool has_hello;
	struct tls_hello hello;
};

void proxied_free(struct stream *s)
{
	if (!s->proxied)
		return;
	/* where the connection is known, it ends with that: the stream is let go long before */
	if (!s->flow)
		relay_ended(s->pipeline, &s->who, s->proxied->relayed);
	tls_hello_free(s->proxied->parser);
	free(s->proxied);
	s->proxied = NULL;
}

bool proxied_begin(struct stream *s, enum stream_dir dir)
{
	s->proxied = calloc(1, sizeof(*s->proxied));
	if (!s->proxied) {
		pipeline_lost(s->pipeline, LOSS_STATE, 1);
		return false;
	}
	s->proxied->accepted = dir == DIR_IN;
	return true;
}

static struct flow *flow_of(struct stream *s)
{
	return s->flow ? s->flow : flows_find_cookie(s->pipeline->flows, s->cookie);
}

/* Tells what is known so far to the connection: to the proxy, or to the one that it accepted. */
static void tell_flow(struct stream *s)
{
	struct proxied *x = s->proxied;
	struct flow *flow = flow_of(s);

	if (!x->tunnel.open[DIR_OUT])
		return;
	if (x->accepted) {
		x->relayed = relay_tunnel(s->pipeline, &s->who, flow, x->relayed,
					  &x->tunnel.target);
		if (s->flow)
			wire_of(s->flow)->relayed = x->relayed;
		return;
	}
	if (!flow)
		return;
	wire_proxied(s->pipeline, flow, &x->tunnel.target, x->has_hello ? &x->hello : NULL);
	if (!s->flow) /* what opened the tunnel is inside TLS, which has an opening of its own */
		wire_of(flow)->hello_bytes += s->copied + PRESENCE_BYTES;
}

void proxied_linked(struct stream *s)
{
	if (s->proxied)
		tell_flow(s);
}

static void let_go(struct stream *s)
{
	tls_hello_free(s->proxied->parser);
	s->proxied->parser = NULL;
	stream_steer(s, STEER_IGNORE);
}

static void read_client_hello(struct stream *s, struct span bytes)
{
	struct proxied *x = s->proxied;
	int r;

	if (!x->parser)
		x->parser = tls_hello_new();
	r = x->parser ? tls_hello_feed(x->parser, bytes, &x->hello) : -1;
	if (r < 0)
		let_go(s);
	if (r <= 0)
		return;
	tls_hello_free(x->parser);
	x->parser = NULL;
	x->has_hello = true;
	tell_flow(s);
	/* inside TLS every byte costs a copy, and the answer would tell a version only */
	if (!s->flow || x->accepted)
		let_go(s);
}

static void read_server_hello(struct stream *s, struct span bytes)
{
	struct proxied *x = s->proxied;
	struct tls_server_hello answer;
	int r;

	if (!x->parser)
		x->parser = tls_hello_new();
	r = x->parser ? tls_server_hello_feed(x->parser, bytes, &answer) : -1;
	if (r > 0)
		wire_answered(s->flow, &answer);
	if (r != 0)
		let_go(s);
}

struct span proxied_take(struct stream *s, enum stream_dir dir, struct span bytes)
{
	struct proxied *x = s->proxied;
	enum stream_dir from = x->accepted ? (enum stream_dir) !dir : dir;
	ssize_t used;

	if (x->inside == OTHER)
		return bytes;
	if (s->steered == STEER_IGNORE)
		return (struct span){0};
	used = tunnel_feed(&x->tunnel, from, bytes);
	if (used < 0) {
		let_go(s);
		return (struct span){0};
	}
	if (from == DIR_OUT && used && x->tunnel.open[DIR_OUT])
		tell_flow(s);
	bytes = span_skip(bytes, (size_t)used);
	if (!bytes.len)
		return bytes;
	if (x->inside == NOT_SEEN && from == DIR_OUT)
		x->inside = cleartext_starts(bytes) ? OTHER : TLS;
	if (x->inside == OTHER)
		return bytes;
	if (x->inside == NOT_SEEN)
		let_go(s); /* a server that speaks first is none of ours */
	else if (from == DIR_OUT && !x->has_hello)
		read_client_hello(s, bytes);
	else if (from == DIR_IN && x->has_hello)
		read_server_hello(s, bytes);
	return (struct span){0};
}
