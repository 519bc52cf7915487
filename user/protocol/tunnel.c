/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>

#include "protocol/host_name.h"
#include "util/cleanup.h"

static const struct tunnel_ops *const ways[] = {
	&http_connect_tunnel,
	&socks5_tunnel,
	&socks4_tunnel,
};

enum protocol_guess tunnel_guess(struct span first)
{
	enum protocol_guess best = PROTOCOL_NO;

	if (!first.len)
		return PROTOCOL_MAYBE;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		enum protocol_guess guess = ways[i]->guess(first);

		if (guess == PROTOCOL_YES)
			return guess;
		if (guess == PROTOCOL_MAYBE)
			best = guess;
	}
	return best;
}

/* The way that begins with this byte: no two share it, and nothing else that is spoken inside tunnels has it
 * (0x16 begins TLS; the methods of requests that matter begin with other letters). */
static const struct tunnel_ops *way_of(char first)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (ways[i]->guess(span_of(&first, 1)) != PROTOCOL_NO)
			return ways[i];
	return NULL;
}

static bool begin(struct tunnel *t, char first)
{
	const struct tunnel_ops *way = way_of(first);

	if (!way)
		return false;
	*t = (struct tunnel){.ops = way, .target.how = way->how};
	return true;
}

ssize_t tunnel_feed(struct tunnel *t, enum stream_dir dir, struct span bytes)
{
	size_t used = 0;

	if (t->failed)
		return -EPROTO;
	while (used < bytes.len) {
		struct span rest = span_skip(bytes, used);
		ssize_t n;

		if (dir == DIR_OUT && (!t->ops || (t->open[DIR_OUT] && !t->inside)) &&
		    !begin(t, rest.at[0])) {
			t->inside = t->ops != NULL;
			t->failed = !t->inside;
			return t->inside ? (ssize_t)used : -EPROTO;
		}
		if (t->open[dir])
			return (ssize_t)used;
		n = t->ops ? t->ops->feed(t, dir, rest) : -EPROTO;
		if (n < 0) {
			t->failed = true;
			return n;
		}
		used += (size_t)n;
	}
	return (ssize_t)used;
}

bool tunnel_target_host(struct tunnel_target *target, struct span host)
{
	char text[INET6_ADDRSTRLEN];

	target->name[0] = '\0';
	target->address = (struct net_address){0};
	if (host.len > 1 && host.at[0] == '[' && host.at[host.len - 1] == ']')
		host = span_of(host.at + 1, host.len - 2);
	if (span_copy(text, sizeof(text), host)) {
		if (inet_pton(AF_INET, text, target->address.bytes) == 1)
			target->address.family = 4;
		else if (inet_pton(AF_INET6, text, target->address.bytes) == 1)
			target->address.family = 6;
	}
	if (!target->address.family)
		host_name_copy(target->name, host);
	return target->address.family || target->name[0];
}

bool tunnel_target_authority(struct tunnel_target *target, struct span authority)
{
	const char *colon = authority.len ? memrchr(authority.at, ':', authority.len) : NULL;
	uint32_t port = 0;

	if (!colon || colon + 1 == authority.at + authority.len)
		return false;
	for (const char *c = colon + 1; c < authority.at + authority.len; c++) {
		if (*c < '0' || *c > '9')
			return false;
		port = port * 10 + (uint32_t)(*c - '0');
		if (port > UINT16_MAX)
			return false;
	}
	target->port = (uint16_t)port;
	return tunnel_target_host(target, span_of(authority.at, (size_t)(colon - authority.at)));
}
