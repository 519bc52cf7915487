/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "http.bpf.h"

/*
 * What a TCP flow is by its first bytes: TLS, HTTP, or a question to a proxy (user/protocol/tunnel.h), inside which
 * the first bytes come once more.
 */

#define TLS_RECORD_HEADER 5
#define TLS_HANDSHAKE     22

struct flow_segment {
	__u32 payload; /* offset of the TCP payload */
	__u32 len;     /* of the packet, from the IP header */
};

/* SOCKS: a greeting of version 5 with its methods, or a request of version 4 (RFC 1928, user/protocol/socks.c). */
static __always_inline bool socks_starts(const __u8 start[5], __u32 payload)
{
	if (start[0] == 5)
		return start[1] && start[1] <= 16 && payload >= 2 + (__u32)start[1] &&
		       start[2] <= 2;
	return start[0] == 4 && start[1] == 1 && payload > 8;
}

/* Could a request, a proxy's client or TLS begin with this byte? */
static __always_inline bool may_start(__u8 first)
{
	return first == 5 || first == 4 || first == 22 || (first >= 'C' && first <= 'P');
}

static __always_inline void tunnel_begin(struct flow_head *head, __u32 dir)
{
	head->http = 1;
	head->tunnel = 1;
	head->client = dir;
	head->tunnel_left[0] = head->tunnel_left[1] = TUNNEL_PACKETS_PER_FLOW;
}

/* Nothing more of this flow is wanted. */
static __always_inline void flow_done(struct flow_head *head)
{
	head->http = head->tunnel = 0;
	head->done[0] = head->done[1] = 1;
}

/* Is this packet of a flow that asks a proxy to be copied? Its first ones are, until a verdict says that it is HTTP or
 * nothing. */
static __always_inline bool tunnel_wants(struct flow_head *head, __u64 cookie, __u32 dir)
{
	struct socket_verdict *verdict = bpf_map_lookup_elem(&socket_verdicts, &cookie);
	__u32 d = dir & 1;

	head->last = d;
	if (verdict && verdict->epoch == verdict_epoch) {
		if (verdict->action == STEER_IGNORE) {
			flow_done(head);
			return false;
		}
		head->tunnel = 0;
		if (verdict->action == STEER_FOLLOW)
			return true;
	}
	if (!head->tunnel_left[d]) {
		if (!head->tunnel_left[!d])
			flow_done(head);
		return false;
	}
	head->tunnel_left[d]--;
	return true;
}

/* The first payload of this direction: does a handshake record start here, a request, or a question to a proxy? */
static __always_inline void judge_first(struct __sk_buff *skb, const struct flow_segment *segment,
					struct flow_head *head, __u32 dir)
{
	__u32 payload = segment->len - segment->payload;
	__u8 start[TLS_RECORD_HEADER] = {};
	__u32 word;

	head->done[dir] = 1;
	if (head->tries[dir]) {
		head->tries[dir]--;
		head->done[dir] = 0;
	}
	/* not in the middle of a flow that was there before */
	if (payload < sizeof(start) && head->done[dir]) {
		/* too little to tell; user space puts it together with what follows */
		if (!bpf_skb_load_bytes(skb, segment->payload, start, 1) && may_start(start[0]))
			tunnel_begin(head, dir);
		return;
	}
	if (bpf_skb_load_bytes(skb, segment->payload, start, sizeof(start)))
		return;
	word = START_OF(start[0], start[1], start[2], start[3]);
	if (word == START_OF('C', 'O', 'N', 'N') ||
	    (head->done[dir] && socks_starts(start, payload))) {
		tunnel_begin(head, dir);
		return;
	}
	if (http_starts(word)) {
		head->http = 1;
		head->client = dir;
		head->last = !dir;
		return;
	}
	if (start[0] != TLS_HANDSHAKE || start[1] != 3)
		return;
	head->done[dir] = 0;
	head->left[dir] = TLS_RECORD_HEADER + (start[3] << 8 | start[4]);
}

/* What the client says inside the tunnel is TLS, or HTTP: from here on the flow is like any other such. */
static __always_inline void judge_inside(struct __sk_buff *skb, const struct flow_segment *segment,
					 struct flow_head *head, __u32 dir)
{
	__u8 start[4];

	if (dir != head->client || bpf_skb_load_bytes(skb, segment->payload, start, sizeof(start)))
		return;
	if (start[0] == TLS_HANDSHAKE && start[1] == 3) {
		head->http = head->tunnel = 0;
		head->done[0] = head->done[1] = 0;
		return;
	}
	if (start[0] != 'C' && http_starts(START_OF(start[0], start[1], start[2], start[3]))) {
		head->tunnel = 0;
		head->last = !dir;
	}
}
