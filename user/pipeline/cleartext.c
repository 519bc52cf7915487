/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pipeline/internal.h"
#include "protocol/http_head.h"
#include "protocol/tunnel.h"

/*
 * HTTP without TLS: a flow whose client begins with a request line is a stream like one inside TLS, whose
 * bytes come from reassembled packets instead of a library's calls. It is found again by a number of its own
 * under process 0, which has no TLS streams.
 */

bool cleartext_starts(struct span first)
{
	return first.len && (http_head_guess_request(first) != PROTOCOL_NO ||
			     tunnel_guess(first) != PROTOCOL_NO);
}

static struct stream_id id_of(const struct wire *wire)
{
	return (struct stream_id){.handle = wire->cleartext};
}

void cleartext_begin(struct pipeline *p, struct flow *flow)
{
	wire_of(flow)->cleartext = ++p->cleartext_count;
}

static struct stream *stream_of(struct pipeline *p, struct flow *flow)
{
	struct stream_id id = id_of(wire_of(flow));
	struct stream *s = stream_open(p, &id, &flow->who);

	if (s && !s->flow) {
		s->flow = flow;
		/* no verdict yet: the kernel decides from packet to packet */
		s->steered = STEER_COUNT;
	}
	return s;
}

bool cleartext_bytes(struct pipeline *p, struct flow *flow, enum stream_dir dir, struct span bytes)
{
	struct stream *s = stream_of(p, flow);

	if (!s)
		return false;
	stream_take(s, dir, bytes);
	if (s->protocol)
		wire_of(flow)->http = true;
	if (s->exchanges)
		stream_steer(s, STEER_FOLLOW);
	if (s->steered != STEER_IGNORE)
		return true;
	cleartext_end(p, flow);
	return false;
}

void cleartext_gap(struct pipeline *p, struct flow *flow, enum stream_dir dir, uint64_t bytes)
{
	struct stream *s = stream_of(p, flow);

	if (!s)
		return;
	s->copied += bytes;
	stream_gap(s, dir, bytes);
}

void cleartext_end(struct pipeline *p, struct flow *flow)
{
	struct wire *wire = wire_of(flow);
	struct stream_id id = id_of(wire);

	if (wire->cleartext && p->streams.buckets)
		plaintext_end(p, &id);
	wire->cleartext = 0;
}
