/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "first.bpf.h"
#include "udp.bpf.h"

#include <bpf/bpf_endian.h>

/*
 * First bytes of each flow, at the root of the cgroup2 tree, so for every network namespace. Only the
 * first handshake record of a TLS connection in each direction is copied (ClientHello, ServerHello);
 * a flow whose first payload is anything else is marked done and costs one storage look-up a packet. Flows
 * that begin like HTTP go on in http.bpf.h; of those that ask a proxy the first packets are copied until TLS begins
 * inside.
 */

/* IPv4 and TCP headers without options, and a byte. Above 1 for the verifier's sake too: "not 0" teaches
 * older ones nothing about a number's range. */
#define PACKET_BYTES_MIN 41

/* RFC 791, RFC 8200. Extension headers are left to nobody: such flows go by their socket alone. */
static __always_inline bool find_transport(struct __sk_buff *skb, __u8 protocol, __u32 *at)
{
	__u8 first, next;

	if (bpf_skb_load_bytes(skb, 0, &first, 1))
		return false;
	if (first >> 4 == 4) {
		if (bpf_skb_load_bytes(skb, 9, &next, 1))
			return false;
		*at = (first & 0xf) * 4;
	} else {
		if (bpf_skb_load_bytes(skb, 6, &next, 1))
			return false;
		*at = 40;
	}
	return next == protocol;
}

/* RFC 9293 */
static __always_inline bool find_payload(struct __sk_buff *skb, struct flow_segment *segment)
{
	__u32 at;
	__u8 doff;

	if (!find_transport(skb, IPPROTO_TCP, &at) || bpf_skb_load_bytes(skb, at + 12, &doff, 1))
		return false;
	segment->payload = at + (doff >> 4) * 4;
	segment->len = skb->len;
	return segment->payload < segment->len;
}

/* What a record says besides the bytes. */
struct packet_facts {
	__u64 cookie;
	__u32 dir, flags;
	const struct record_who *who; /* NULL: nobody's */
};

/* The length goes through barrier_var(), so that its bounds are tested right before the copy: older
 * verifiers (6.1) lose them when the number is spilled to the stack. */
#define COPY_TIER(size)                                                                            \
	do {                                                                                       \
		struct record_packet *r_;                                                          \
		__u64 n_ = n;                                                                      \
                                                                                                   \
		r_ = bpf_ringbuf_reserve(&records, sizeof(*r_) + (size), 0);                       \
		if (!r_) {                                                                         \
			count_loss(KLOSS_RING, 1);                                                 \
			return;                                                                    \
		}                                                                                  \
		__builtin_memset(&r_->header, 0, sizeof(r_->header));                              \
		fill_header(&r_->header, RECORD_PACKET, n);                                        \
		if (facts->who)                                                                    \
			r_->header.who = *facts->who;                                              \
		r_->cookie = facts->cookie;                                                        \
		r_->wire_len = skb->len;                                                           \
		r_->dir = facts->dir;                                                              \
		r_->flags = facts->flags;                                                          \
		r_->reserved = 0;                                                                  \
		barrier_var(n_);                                                                   \
		if (n_ > (size))                                                                   \
			n_ = (size);                                                               \
		barrier_var(n_);                                                                   \
		if (n_ >= PACKET_BYTES_MIN && !bpf_skb_load_bytes(skb, 0, r_->bytes, n_))          \
			bpf_ringbuf_submit(r_, 0);                                                 \
		else                                                                               \
			bpf_ringbuf_discard(r_, 0);                                                \
	} while (0)

static __always_inline void emit_packet(struct __sk_buff *skb, const struct packet_facts *facts,
					__u32 n)
{
	if (n <= 640) /* a classical ClientHello */
		COPY_TIER(640);
	else if (n <= 2048) /* one with a post-quantum key share */
		COPY_TIER(2048);
	else
		COPY_TIER(PACKET_BYTES_MAX);
}

static __always_inline void emit_http(struct __sk_buff *skb, const struct packet_facts *facts,
				      __u32 n)
{
	if (n <= 640)
		COPY_TIER(640);
	else if (n <= 2048)
		COPY_TIER(2048);
	else if (n <= 16384)
		COPY_TIER(16384);
	else
		COPY_TIER(PACKET_HTTP_BYTES_MAX);
}

static __always_inline void on_http(struct __sk_buff *skb, const struct flow_segment *segment,
				    struct flow_head *head, __u32 dir)
{
	struct packet_facts facts = {.dir = dir, .cookie = bpf_get_socket_cookie(skb)};
	__u32 payload = segment->len - segment->payload;
	__be32 start = 0;
	bool wants;

	/* a shorter one starts no request */
	bpf_skb_load_bytes(skb, segment->payload, &start, sizeof(start));
	wants = head->tunnel ? tunnel_wants(head, facts.cookie, dir)
			     : http_wants(head, facts.cookie, dir, bpf_ntohl(start), payload);
	if (!wants) {
		head->skipped[dir] = 1;
		return;
	}
	facts.who = bpf_map_lookup_elem(&conns, &facts.cookie);
	if (!facts.who) {
		/* older than the sensor: nobody would tell of its end */
		flow_done(head);
		return;
	}
	if (head->skipped[dir])
		facts.flags = PACKET_RESUMED;
	head->skipped[dir] = 0;
	emit_http(skb, &facts,
		  segment->len < PACKET_HTTP_BYTES_MAX ? segment->len : PACKET_HTTP_BYTES_MAX);
}

static __always_inline void on_handshake(struct __sk_buff *skb, const struct flow_segment *segment,
					 struct flow_head *head, __u32 dir)
{
	struct packet_facts facts = {.dir = dir, .cookie = bpf_get_socket_cookie(skb)};
	__u32 payload = segment->len - segment->payload;

	emit_packet(skb, &facts, segment->len < PACKET_BYTES_MAX ? segment->len : PACKET_BYTES_MAX);
	if (payload >= head->left[dir] || ++head->packets[dir] >= PACKETS_PER_FLOW)
		head->done[dir] = 1;
	else
		head->left[dir] -= payload;
}

static __always_inline void on_datagram(struct __sk_buff *skb, struct bpf_sock *sk, __u32 dir)
{
	struct packet_facts facts = {.dir = dir};
	struct record_who who = {};
	struct flow_head *head;
	enum datagram kind;
	__u32 at, n;

	if (!find_transport(skb, IPPROTO_UDP, &at))
		return;
	kind = datagram_kind(skb, at, dir);
	if (kind == DATAGRAM_OTHER)
		return;
	if (kind == DATAGRAM_QUIC) {
		head = bpf_sk_storage_get(&flow_heads, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
		if (!head || !quic_wants(skb, head, dir, at + 8))
			return;
		who_sends(skb, &who);
		facts.who = &who;
	}
	facts.cookie = bpf_get_socket_cookie(skb);
	n = skb->len < PACKET_BYTES_MAX ? skb->len : PACKET_BYTES_MAX;
	emit_packet(skb, &facts, n);
}

static __always_inline int on_packet(struct __sk_buff *skb, __u32 dir)
{
	struct flow_segment segment;
	struct flow_head *head;
	struct bpf_sock *sk;

	sk = skb->sk;
	if (!sk)
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (sk && sk->protocol == IPPROTO_UDP) {
		on_datagram(skb, sk, dir);
		return 1;
	}
	if (!sk || sk->protocol != IPPROTO_TCP)
		return 1;
	head = bpf_sk_storage_get(&flow_heads, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!head || (head->http ? head->ignored == verdict_epoch + 1 : head->done[dir]))
		return 1;
	if (!find_payload(skb, &segment))
		return 1; /* a bare ACK; the flow's first bytes are still to come */

	if (head->tunnel)
		judge_inside(skb, &segment, head, dir);
	if (!head->http && !head->left[dir])
		judge_first(skb, &segment, head, dir);
	if (head->http)
		on_http(skb, &segment, head, dir);
	else if (!head->done[dir])
		on_handshake(skb, &segment, head, dir);
	return 1;
}

SEC("cgroup_skb/egress")
int packet_out(struct __sk_buff *skb)
{
	return on_packet(skb, DIR_OUT);
}

SEC("cgroup_skb/ingress")
int packet_in(struct __sk_buff *skb)
{
	return on_packet(skb, DIR_IN);
}
