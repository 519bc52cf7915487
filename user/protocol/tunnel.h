/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gnomon/limits.h"
#include "gnomon/observation.h"
#include "gnomon/protocol.h"
#include "gnomon/span.h"

/*
 * A client that asks a proxy for a connection to somebody else: HTTP CONNECT (RFC 9110 section 9.3.6), SOCKS5
 * (RFC 1928, passwords by RFC 1929), SOCKS4 and 4a. What follows in each direction belongs to the two ends.
 * Credentials are passed over as they come and never held.
 */

struct tunnel_target {
	const char *how; /* as in gnomon.evidence: http_connect, socks5, socks4; static */
	char name[HOST_NAME_MAX_BYTES]; /* lower case; empty: the client gave an address */
	struct net_address address;     /* family 0: it gave a name */
	uint16_t port;
};

struct tunnel;

/* One way of asking. Directions are the message's: DIR_OUT comes from the client. */
struct tunnel_ops {
	const char *how;
	enum protocol_guess (*guess)(struct span first);
	/* Consumes bytes of one direction up to the end of the asking or of the answer, and then sets
	 * tunnel->open[dir]. The count consumed, -EPROTO. */
	ssize_t (*feed)(struct tunnel *tunnel, enum stream_dir dir, struct span bytes);
};

/* Zeroed before use; needs no release. */
struct tunnel {
	const struct tunnel_ops *ops;
	struct tunnel_target target; /* complete when open[DIR_OUT] */
	bool open[DIR_COUNT];        /* what comes next in this direction is inside */
	bool inside;                 /* such bytes have come from the client */
	bool refused;                /* the proxy's answer says no */
	bool failed;
	/* the way's own */
	struct {
		uint8_t step;
		uint16_t have, skip;
	} side[DIR_COUNT];
	char held[DIR_COUNT][HOST_NAME_MAX_BYTES + 8];
};

/* May the client's first bytes be such a question? */
enum protocol_guess tunnel_guess(struct span first);

/*
 * Feeds bytes of one direction, cut however. Returns how many were the tunnel's own; the rest is inside it, and
 * so are all later bytes of a direction once fewer than given were consumed. -EPROTO, final: no such tunnel.
 * A client may ask again, after a proxy that wants credentials, or another proxy through the first: the last
 * target counts.
 */
ssize_t tunnel_feed(struct tunnel *tunnel, enum stream_dir dir, struct span bytes);

/* Fills the target's name or address from "api.example.com", "192.0.2.1" or "[2001:db8::1]". False: neither. */
bool tunnel_target_host(struct tunnel_target *target, struct span host);
/* The same with ":443" behind it. */
bool tunnel_target_authority(struct tunnel_target *target, struct span authority);

extern const struct tunnel_ops http_connect_tunnel, socks5_tunnel, socks4_tunnel;
