/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "emit.bpf.h"

/*
 * HTTP without TLS: which packets of such a flow are worth a copy. Nothing is, until the client sends a POST
 * (an LLM call is one) or a CONNECT: then as much of the request and of its answer as user space needs for a
 * verdict. A page that is only fetched costs a look at four bytes in each turn of direction.
 */

/* Of the programs that are loaded; raised to have everything judged anew. */
extern volatile __u32 verdict_epoch;

/* The first four bytes of a request, in network order. */
#define START_OF(a, b, c, d) ((__u32)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static __always_inline bool http_starts(__u32 start)
{
	switch (start) {
	case START_OF('G', 'E', 'T', ' '):
	case START_OF('P', 'O', 'S', 'T'):
	case START_OF('H', 'E', 'A', 'D'):
	case START_OF('P', 'U', 'T', ' '):
	case START_OF('D', 'E', 'L', 'E'):
	case START_OF('P', 'A', 'T', 'C'):
	case START_OF('O', 'P', 'T', 'I'):
	case START_OF('C', 'O', 'N', 'N'):
		return true;
	default:
		return false;
	}
}

/* A request begins, perhaps: what may be copied of it and of its answer? */
static __always_inline void http_turn(struct flow_head *head, __u32 start, bool judged)
{
	__u32 client = head->client & 1;

	head->left[0] = head->left[1] = 0;
	if (start != START_OF('P', 'O', 'S', 'T') && start != START_OF('C', 'O', 'N', 'N'))
		return;
	if (client == DIR_OUT) {
		head->left[DIR_OUT] = judged ? HEADS_OUT_BYTES : HTTP_FIRST_REQUEST_BYTES;
		head->left[DIR_IN] = judged ? HEADS_IN_BYTES : HTTP_FIRST_RESPONSE_BYTES;
	} else {
		head->left[DIR_IN] = judged ? HEADS_OUT_BYTES : HTTP_FIRST_REQUEST_BYTES;
		head->left[DIR_OUT] = judged ? HEADS_IN_BYTES : HTTP_FIRST_RESPONSE_BYTES;
	}
}

/* Is this packet to be copied? `payload` bytes of it are the flow's; they begin with `start`. */
static __always_inline bool http_wants(struct flow_head *head, __u64 cookie, __u32 dir, __u32 start,
				       __u32 payload)
{
	struct socket_verdict *verdict;
	__u32 d = dir & 1, epoch = verdict_epoch;
	bool judged = false;

	if (head->ignored == epoch + 1)
		return false;
	verdict = bpf_map_lookup_elem(&socket_verdicts, &cookie);
	if (verdict && verdict->epoch == epoch) {
		judged = true;
		if (verdict->action == STEER_IGNORE) {
			head->ignored = epoch + 1;
			return false;
		}
	}
	if (d == head->client && head->last != d)
		http_turn(head, start, judged);
	head->last = d;
	if (judged && verdict->action == STEER_FOLLOW) {
		if (head->copied < verdict->budget) {
			head->copied += payload;
			return true;
		}
		count_loss(KLOSS_STREAM_BUDGET, payload);
		return false;
	}
	if (!head->left[d])
		return false;
	head->left[d] = payload < head->left[d] ? head->left[d] - payload : 0;
	head->copied += payload;
	return true;
}
