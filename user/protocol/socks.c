/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "protocol/tunnel.h"
#include "util/bytes.h"

/*
 * SOCKS5 (RFC 1928): a greeting with methods, a choice; with a password its sub-negotiation (RFC 1929), whose
 * answer is two bytes too; a request and an answer of one shape: version, command, reserved, address, port.
 * Negotiation by GSSAPI is not read. SOCKS4: version, command, port, address, a user's name that ends with NUL;
 * 4a gives an address 0.0.0.x and puts the host's name behind it. Its answer has eight bytes.
 */

enum {
	SOCKS5 = 5,
	SOCKS4 = 4,
	PASSWORD = 1, /* version of the sub-negotiation */
	CONNECT = 1,
	METHOD_NONE = 0,
	METHOD_PASSWORD = 2,
	METHODS_MAX = 16, /* ten are assigned */
	ADDRESS_IPV4 = 1,
	ADDRESS_NAME = 3,
	ADDRESS_IPV6 = 4,
	ADDRESS_AT = 4, /* in a request and its answer */
	CHOICE_BYTES = 2,
	SOCKS4_BYTES = 8,
	SOCKS4_GRANTED = 90,
};

/* Steps of a SOCKS5 client; its peer's are the first and the last two. */
enum step { GREETING, NEXT, USER, PASSWORD_LENGTH, REQUEST, SOCKS4_USER, SOCKS4_NAME };

static uint8_t byte_of(const struct tunnel *t, enum stream_dir dir, size_t i)
{
	return (uint8_t)t->held[dir][i];
}

static enum protocol_guess socks5_guess(struct span first)
{
	bool usual = false;
	size_t methods;

	if (first.at[0] != SOCKS5)
		return PROTOCOL_NO;
	if (first.len < 2)
		return PROTOCOL_MAYBE;
	methods = (uint8_t)first.at[1];
	if (methods == 0 || methods > METHODS_MAX)
		return PROTOCOL_NO;
	if (first.len < 2 + methods)
		return PROTOCOL_MAYBE;
	for (size_t i = 0; i < methods; i++)
		usual |= first.at[2 + i] == METHOD_NONE || first.at[2 + i] == METHOD_PASSWORD;
	return usual ? PROTOCOL_YES : PROTOCOL_NO;
}

/* Bytes of a request or an answer, as far as what is held tells; 0: no such thing. */
static size_t message_bytes(const struct tunnel *t, enum stream_dir dir)
{
	size_t have = t->side[dir].have;

	if (have <= ADDRESS_AT)
		return ADDRESS_AT + 1;
	switch (byte_of(t, dir, ADDRESS_AT - 1)) {
	case ADDRESS_IPV4:
		return ADDRESS_AT + 4 + 2;
	case ADDRESS_IPV6:
		return ADDRESS_AT + 16 + 2;
	case ADDRESS_NAME:
		return ADDRESS_AT + 1 + byte_of(t, dir, ADDRESS_AT) + 2;
	default:
		return 0;
	}
}

static int take_target(struct tunnel *t)
{
	const char *held = t->held[DIR_OUT];
	size_t len = t->side[DIR_OUT].have;

	if (held[1] != CONNECT)
		return -EPROTO;
	t->target.port = get_be16(held + len - 2);
	if (held[ADDRESS_AT - 1] == ADDRESS_NAME) {
		struct span name = span_of(held + ADDRESS_AT + 1, len - ADDRESS_AT - 1 - 2);

		return tunnel_target_host(&t->target, name) ? 0 : -EPROTO;
	}
	t->target.address.family = held[ADDRESS_AT - 1] == ADDRESS_IPV4 ? 4 : 6;
	memcpy(t->target.address.bytes, held + ADDRESS_AT, len - ADDRESS_AT - 2);
	return 0;
}

/* A byte of a request or its answer. */
static int take_message(struct tunnel *t, enum stream_dir dir, char c)
{
	size_t wanted;

	t->held[dir][t->side[dir].have++] = c;
	wanted = message_bytes(t, dir);
	if (!wanted || byte_of(t, dir, 0) != SOCKS5)
		return -EPROTO;
	if (t->side[dir].have < wanted)
		return 0;
	t->open[dir] = true;
	if (dir == DIR_OUT)
		return take_target(t);
	t->refused = t->held[DIR_IN][1] != 0;
	return 0;
}

static int take_next(struct tunnel *t, enum stream_dir dir, char c)
{
	uint8_t *step = &t->side[dir].step;

	t->side[dir].have = 0;
	if (c == SOCKS5) {
		*step = REQUEST;
		return take_message(t, dir, c);
	}
	if (c != PASSWORD)
		return -EPROTO;
	if (dir == DIR_IN) {
		t->side[dir].skip = 1; /* its status; what follows is the answer */
		return 0;
	}
	*step = USER;
	return 0;
}

static int take_greeting(struct tunnel *t, enum stream_dir dir, char c)
{
	uint16_t *have = &t->side[dir].have;

	t->held[dir][(*have)++] = c;
	if (byte_of(t, dir, 0) != SOCKS5)
		return -EPROTO;
	if (*have < CHOICE_BYTES)
		return 0;
	if (dir == DIR_OUT) {
		enum protocol_guess guess = socks5_guess(span_of(t->held[dir], *have));

		if (guess != PROTOCOL_YES)
			return guess == PROTOCOL_NO ? -EPROTO : 0;
	}
	t->side[dir].step = NEXT;
	return 0;
}

static int socks5_byte(struct tunnel *t, enum stream_dir dir, char c)
{
	uint8_t *step = &t->side[dir].step;

	switch (*step) {
	case GREETING:
		return take_greeting(t, dir, c);
	case NEXT:
		return take_next(t, dir, c);
	case USER: /* its length, then itself */
		t->side[dir].skip = (uint8_t)c;
		*step = PASSWORD_LENGTH;
		return 0;
	case PASSWORD_LENGTH:
		t->side[dir].skip = (uint8_t)c;
		*step = NEXT;
		return 0;
	default:
		return take_message(t, dir, c);
	}
}

/* Feeds byte by byte, less what is to be passed over, until the direction is open. */
static ssize_t feed(struct tunnel *t, enum stream_dir dir, struct span bytes,
		    int (*take)(struct tunnel *t, enum stream_dir dir, char c))
{
	size_t i = 0;

	while (i < bytes.len && !t->open[dir]) {
		int r;

		if (t->side[dir].skip) {
			t->side[dir].skip--;
			i++;
			continue;
		}
		r = take(t, dir, bytes.at[i++]);
		if (r)
			return r;
	}
	return (ssize_t)i;
}

static ssize_t socks5_feed(struct tunnel *t, enum stream_dir dir, struct span bytes)
{
	return feed(t, dir, bytes, socks5_byte);
}

static enum protocol_guess socks4_guess(struct span first)
{
	static const struct span start = SPAN_LITERAL("\4\1");

	if (first.len < start.len)
		return span_starts(start, first) ? PROTOCOL_MAYBE : PROTOCOL_NO;
	if (!span_starts(first, start))
		return PROTOCOL_NO;
	/* the name of a user, or of nobody, follows; a NUL ends it */
	for (size_t i = SOCKS4_BYTES; i < first.len; i++)
		if (first.at[i] == '\0')
			return PROTOCOL_YES;
	return first.len < SOCKS4_BYTES + SHORT_NAME_MAX ? PROTOCOL_MAYBE : PROTOCOL_NO;
}

static bool names_host(const char *held)
{
	return get_be24(held + 4) == 0 && held[7] != 0;
}

static int socks4_request(struct tunnel *t, char c)
{
	uint16_t *have = &t->side[DIR_OUT].have;
	uint8_t *step = &t->side[DIR_OUT].step;
	char *held = t->held[DIR_OUT];

	if (*step == SOCKS4_USER) {
		if (c != '\0')
			return 0;
		*have = 0;
		*step = SOCKS4_NAME;
		t->open[DIR_OUT] = t->target.address.family != 0;
		return 0;
	}
	if (*step == SOCKS4_NAME && c == '\0') {
		t->open[DIR_OUT] = true;
		return tunnel_target_host(&t->target, span_of(held, *have)) ? 0 : -EPROTO;
	}
	if (*have == HOST_NAME_MAX_BYTES)
		return -EPROTO;
	held[(*have)++] = c;
	if (*step == SOCKS4_NAME || *have < SOCKS4_BYTES)
		return 0;
	if (held[0] != SOCKS4 || held[1] != CONNECT)
		return -EPROTO;
	t->target.port = get_be16(held + 2);
	if (!names_host(held)) {
		t->target.address.family = 4;
		memcpy(t->target.address.bytes, held + 4, 4);
	}
	*step = SOCKS4_USER;
	return 0;
}

static int socks4_byte(struct tunnel *t, enum stream_dir dir, char c)
{
	uint16_t *have = &t->side[DIR_IN].have;

	if (dir == DIR_OUT)
		return socks4_request(t, c);
	t->held[DIR_IN][(*have)++] = c;
	if (t->held[DIR_IN][0] != 0)
		return -EPROTO;
	t->open[DIR_IN] = *have == SOCKS4_BYTES;
	t->refused = *have > 1 && t->held[DIR_IN][1] != SOCKS4_GRANTED;
	return 0;
}

static ssize_t socks4_feed(struct tunnel *t, enum stream_dir dir, struct span bytes)
{
	return feed(t, dir, bytes, socks4_byte);
}

const struct tunnel_ops socks5_tunnel = {"socks5", socks5_guess, socks5_feed};
const struct tunnel_ops socks4_tunnel = {"socks4", socks4_guess, socks4_feed};
