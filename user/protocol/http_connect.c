/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>

#include "protocol/http_head.h"
#include "protocol/tunnel.h"

/*
 * CONNECT (RFC 9110 section 9.3.6, RFC 9112 section 3.2.3). Of the request only its target is held, of the answer
 * only its status; header fields, and the credentials in them, go by.
 */

enum step {
	METHOD,  /* or, of an answer, its version and status */
	TARGET,  /* or the rest of that line */
	LINE,    /* in a line that has at least a character */
	NEWLINE, /* at the start of a line */
	REFUSED, /* an answer that is no tunnel: what follows is its body */
};

static const struct span method = SPAN_LITERAL("CONNECT ");
enum { STATUS_BYTES = 12 /* "HTTP/1.1 200" */, STATUS_FIRST_DIGIT = 9 };

static enum protocol_guess connect_guess(struct span first)
{
	if (first.len >= method.len)
		return span_starts(first, method) ? PROTOCOL_YES : PROTOCOL_NO;
	return span_starts(method, first) ? PROTOCOL_MAYBE : PROTOCOL_NO;
}

/* The request line up to the blank behind its target. */
static int take_request(struct tunnel *t, char c)
{
	uint16_t *have = &t->side[DIR_OUT].have;
	uint8_t *step = &t->side[DIR_OUT].step;

	if (*step == METHOD) {
		if (c != method.at[(*have)++])
			return -EPROTO;
		if (*have == method.len) {
			*have = 0;
			*step = TARGET;
		}
		return 0;
	}
	if (c != ' ') {
		if (*have == sizeof(t->held[DIR_OUT]) || c <= ' ')
			return -EPROTO;
		t->held[DIR_OUT][(*have)++] = c;
		return 0;
	}
	*step = LINE;
	return tunnel_target_authority(&t->target, span_of(t->held[DIR_OUT], *have)) ? 0 : -EPROTO;
}

static int take_status(struct tunnel *t, char c)
{
	uint16_t *have = &t->side[DIR_IN].have;
	struct span held;

	t->held[DIR_IN][(*have)++] = c;
	held = span_of(t->held[DIR_IN], *have);
	if (http_head_guess_status(held) == PROTOCOL_NO)
		return -EPROTO;
	if (*have < STATUS_BYTES)
		return 0;
	/* the only answer besides 2xx that is followed by another answer is 1xx */
	t->refused = held.at[STATUS_FIRST_DIGIT] > '2';
	t->side[DIR_IN].step = t->refused ? REFUSED : LINE;
	return 0;
}

/* Header lines up to the empty one. A carriage return is nothing by itself. */
static void take_line(struct tunnel *t, enum stream_dir dir, char c)
{
	uint8_t *step = &t->side[dir].step;

	if (c == '\r')
		return;
	if (c != '\n') {
		*step = LINE;
		return;
	}
	if (*step == LINE) {
		*step = NEWLINE;
		return;
	}
	if (dir == DIR_IN && t->held[DIR_IN][STATUS_FIRST_DIGIT] == '1') {
		t->side[DIR_IN].have = 0;
		*step = METHOD;
		return;
	}
	t->open[dir] = true;
}

static ssize_t connect_feed(struct tunnel *t, enum stream_dir dir, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		int r = 0;

		if (t->side[dir].step >= REFUSED)
			return (ssize_t)bytes.len;
		if (t->side[dir].step >= LINE)
			take_line(t, dir, bytes.at[i]);
		else
			r = dir == DIR_OUT ? take_request(t, bytes.at[i])
					   : take_status(t, bytes.at[i]);
		if (r)
			return r;
		if (t->open[dir])
			return (ssize_t)i + 1;
	}
	return (ssize_t)bytes.len;
}

const struct tunnel_ops http_connect_tunnel = {"http_connect", connect_guess, connect_feed};
