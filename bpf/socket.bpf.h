/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "emit.bpf.h"

#include <bpf/bpf_endian.h>

/* What is told of a TCP socket, by those who hear of it and by those who find it. */

/* include/net/tcp_states.h */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT,
	TCP_LISTEN = 10,
};

static __always_inline void fill_endpoints(struct record_socket *r, const struct sock *sk)
{
	r->family = sk->__sk_common.skc_family;
	r->local_port = sk->__sk_common.skc_num;
	r->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	r->reserved = 0;
	__builtin_memset(r->local, 0, sizeof(r->local) + sizeof(r->remote));
	if (r->family == AF_INET) {
		*(__u32 *)r->local = sk->__sk_common.skc_rcv_saddr;
		*(__u32 *)r->remote = sk->__sk_common.skc_daddr;
	} else {
		BPF_CORE_READ_INTO(&r->local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&r->remote, sk, __sk_common.skc_v6_daddr);
	}
}

struct payload_bytes {
	__u64 sent, received;
};

/*
 * Payload, each byte once, without SYN and FIN. What was sent: bytes_sent counts payload only but
 * retransmissions too (kernel commit ba113c3aa79a), bytes_retrans takes them off again (fb31c9b9f6c8). Unlike bytes_acked it
 * needs no correction for SYN and FIN, and holds what a reset left unacknowledged. bytes_received counts
 * the peer's FIN as one byte; SOCK_DONE says that it came.
 */
static __always_inline struct payload_bytes payload_of(const struct sock *sk)
{
	const struct tcp_sock *tp = (const void *)sk;
	struct payload_bytes bytes = {
		.sent = BPF_CORE_READ(tp, bytes_sent) - BPF_CORE_READ(tp, bytes_retrans),
		.received = BPF_CORE_READ(tp, bytes_received),
	};

	if (bytes.received && BPF_CORE_READ(sk, __sk_common.skc_flags) & (1UL << SOCK_DONE))
		bytes.received--;
	return bytes;
}

static __always_inline void fill_socket(struct record_socket *r, const struct sock *sk,
					__u64 cookie, const struct conn *conn, __u32 state)
{
	struct payload_bytes bytes = payload_of(sk);

	fill_header(&r->header, RECORD_SOCKET, 0);
	r->header.who = conn->who;
	r->cookie = cookie;
	r->state = state;
	r->role = conn->role;
	r->bytes_sent = bytes.sent;
	r->bytes_received = bytes.received;
	fill_endpoints(r, sk);
}

static __always_inline struct listener_key listener_of(const struct sock *sk)
{
	struct listener_key key = {
		.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
		.port = sk->__sk_common.skc_num,
	};
	return key;
}
