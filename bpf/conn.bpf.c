/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "socket.bpf.h"

/*
 * TCP socket life. A state change to SYN_SENT or LISTEN happens in the caller's context and tells the
 * identity; later ones run in softirq and find it by the cookie.
 */

const volatile bool tracing_makes_cookies = true;
static __always_inline void emit_socket(const struct sock *sk, __u64 cookie,
					const struct conn *conn, __u32 state)
{
	struct record_socket *r;

	if (!reserve_record(r))
		return;
	fill_socket(r, sk, cookie, conn, state);
	bpf_ringbuf_submit(r, 0);
}

static __always_inline void on_listen(const struct sock *sk, __u64 cookie)
{
	struct listener_key key = listener_of(sk);
	struct conn conn = {};

	who_is_current(&conn.who);
	conn.role = SOCKET_ACCEPTED;
	if (bpf_map_update_elem(&listeners, &key, &conn.who, BPF_ANY))
		count_loss(KLOSS_TABLE, 1);
	emit_socket(sk, cookie, &conn, SOCKET_LISTENING);
}

static __always_inline void on_connect(const struct sock *sk, __u64 cookie)
{
	struct conn conn = {};

	who_is_current(&conn.who);
	conn.role = SOCKET_CONNECTED;
	if (bpf_map_update_elem(&conns, &cookie, &conn, BPF_ANY))
		count_loss(KLOSS_TABLE, 1);
}

static __always_inline void on_established(const struct sock *sk, __u64 cookie, bool accepted)
{
	struct conn *conn = bpf_map_lookup_elem(&conns, &cookie);
	struct conn fresh = {};

	if (conn) {
		conn->established = 1;
		emit_socket(sk, cookie, conn, SOCKET_ESTABLISHED);
		return;
	}
	fresh.established = 1;
	if (accepted) {
		struct listener_key key = listener_of(sk);
		struct record_who *who = bpf_map_lookup_elem(&listeners, &key);

		fresh.role = SOCKET_ACCEPTED;
		if (who)
			fresh.who = *who;
	}
	if (bpf_map_update_elem(&conns, &cookie, &fresh, BPF_ANY))
		count_loss(KLOSS_TABLE, 1);
	emit_socket(sk, cookie, &fresh, SOCKET_ESTABLISHED);
}

static __always_inline void on_close(const struct sock *sk, __u64 cookie, int old)
{
	struct listener_key key;
	struct conn *conn;

	if (old == TCP_LISTEN) {
		key = listener_of(sk);
		bpf_map_delete_elem(&listeners, &key);
		return;
	}
	stream_close_socket(cookie);
	conn = bpf_map_lookup_elem(&conns, &cookie);
	if (!conn)
		return;
	/* a connection that never came about is no traffic */
	if (conn->established)
		emit_socket(sk, cookie, conn, SOCKET_CLOSED);
	bpf_map_delete_elem(&conns, &cookie);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(sock_state, struct sock *sk, int before, int now)
{
	__u64 cookie;

	if (now != TCP_SYN_SENT && now != TCP_ESTABLISHED && now != TCP_CLOSE && now != TCP_LISTEN)
		return 0;
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;

	cookie = traced_cookie(sk);
	if (!cookie)
		return 0;
	if (now == TCP_SYN_SENT)
		on_connect(sk, cookie);
	else if (now == TCP_ESTABLISHED)
		on_established(sk, cookie, before == TCP_SYN_RECV);
	else if (now == TCP_CLOSE)
		on_close(sk, cookie, before);
	else
		on_listen(sk, cookie);
	return 0;
}

/*
 * The byte counts of open connections, read by user space whenever it wants interim ones: every TCP socket
 * that sent or received a packet has a storage, whatever its network namespace. Writes to the reader, not
 * to the ring: ten thousand open sockets must not push records out of it.
 */
SEC("iter/bpf_sk_storage_map")
int socket_bytes(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct socket_sample sample = {};
	struct payload_bytes bytes;
	struct sock *sk = ctx->sk;
	const struct conn *conn;

	if (!sk)
		return 0;
	sample.cookie = read_cookie(sk);
	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_UDP) {
		const struct flow_head *head = ctx->value;

		if (!head)
			return 0;
		sample.bytes_sent = head->bytes[DIR_OUT];
		sample.bytes_received = head->bytes[DIR_IN];
	} else {
		conn = bpf_map_lookup_elem(&conns, &sample.cookie);
		if (!conn || !conn->established || conn->role != SOCKET_CONNECTED)
			return 0;
		bytes = payload_of(sk);
		sample.bytes_sent = bytes.sent;
		sample.bytes_received = bytes.received;
	}
	bpf_seq_write(ctx->meta->seq, &sample, sizeof(sample));
	return 0;
}

/* A socket of QUIC is closed: UDP has no states to tell of it. */
SEC("?cgroup/sock_release")
int datagram_release(struct bpf_sock *ctx)
{
	const struct flow_head *head;
	struct record_socket *r;

	if (ctx->protocol != IPPROTO_UDP)
		return 1;
	head = bpf_sk_storage_get(&flow_heads, ctx, 0, 0);
	if (!head || !reserve_record(r))
		return 1;
	__builtin_memset(r, 0, sizeof(*r));
	fill_header(&r->header, RECORD_SOCKET, 0);
	r->cookie = bpf_get_socket_cookie(ctx);
	r->state = SOCKET_CLOSED;
	r->role = SOCKET_CONNECTED;
	r->bytes_sent = head->bytes[DIR_OUT];
	r->bytes_received = head->bytes[DIR_IN];
	bpf_ringbuf_submit(r, 0);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
