/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "socket.bpf.h"

/*
 * Sockets that were open before the sensor was: user space reads two iterators over every open file of the host, of
 * all namespaces, once at its start. First who listens, then what is connected: a connection on a listener's port
 * was accepted. They write to the reader, not to the ring, which ten thousand sockets would fill. What was
 * opened since the programs were attached is known already, and left out.
 */

/* Below it a port is a service's (IANA's system ports), with a listener that has gone since. */
#define SYSTEM_PORTS_END 1024

static __always_inline void who_is_task(struct record_who *who, const struct task_struct *task)
{
	__builtin_memset(who, 0, sizeof(*who));
	who->pid = BPF_CORE_READ(task, tgid);
	who->uid = BPF_CORE_READ(task, group_leader, cred, uid.val);
	who->gid = BPF_CORE_READ(task, group_leader, cred, gid.val);
	who->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	who->cgroup_id = BPF_CORE_READ(task, group_leader, cgroups, dfl_cgrp, kn, id);
	BPF_CORE_READ_INTO(&who->comm, task, group_leader, comm);
}

/* The TCP socket behind an open file; NULL: it is none. */
static __always_inline struct sock *tcp_socket_of(struct file *file)
{
	struct socket *socket;
	struct sock *sk;
	__u16 family;

	if (!file)
		return NULL;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return NULL;
	sk = socket->sk;
	if (!sk)
		return NULL;
	family = sk->__sk_common.skc_family;
	if ((family != AF_INET && family != AF_INET6) || sk->sk_protocol != IPPROTO_TCP)
		return NULL;
	return sk;
}

static __always_inline __u8 state_of(const struct sock *sk)
{
	return sk->__sk_common.skc_state;
}

SEC("iter/task_file")
int found_listeners(struct bpf_iter__task_file *ctx)
{
	struct record_socket record = {};
	struct conn conn = {.role = SOCKET_ACCEPTED};
	struct listener_key key;
	struct sock *sk = tcp_socket_of(ctx->file);
	struct task_struct *task = ctx->task;

	if (!sk || !task || state_of(sk) != TCP_LISTEN)
		return 0;
	key = listener_of(sk);
	/* of those who share one, the first, which is the parent of the rest */
	if (bpf_map_lookup_elem(&listeners, &key))
		return 0;
	who_is_task(&conn.who, task);
	fill_socket(&record, sk, bpf_get_socket_cookie(sk), &conn, SOCKET_LISTENING);
	/* what did not fit is shown to this program again */
	if (bpf_seq_write(ctx->meta->seq, &record, sizeof(record)))
		return 0;
	if (bpf_map_update_elem(&listeners, &key, &conn.who, BPF_NOEXIST))
		count_loss(KLOSS_TABLE, 1);
	return 0;
}

static __always_inline bool is_connected(__u8 state)
{
	return state == TCP_ESTABLISHED || state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 ||
	       state == TCP_CLOSE_WAIT;
}

static __always_inline __u32 role_of(const struct sock *sk)
{
	struct listener_key key = listener_of(sk);

	if (bpf_map_lookup_elem(&listeners, &key))
		return SOCKET_ACCEPTED;
	return key.port < SYSTEM_PORTS_END &&
			       bpf_ntohs(sk->__sk_common.skc_dport) >= SYSTEM_PORTS_END
		       ? SOCKET_ACCEPTED
		       : SOCKET_CONNECTED;
}

/* Its next packets may be in the middle of a message: they are looked at until one begins a request. */
static __always_inline void expect_request(struct sock *sk)
{
	struct flow_head *head;

	head = bpf_sk_storage_get(&flow_heads, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!head || head->http)
		return;
	head->tries[DIR_OUT] = head->tries[DIR_IN] = FOUND_FLOW_TRIES;
	head->done[DIR_OUT] = head->done[DIR_IN] = 0;
}

SEC("iter/task_file")
int found_connections(struct bpf_iter__task_file *ctx)
{
	struct sock *sk = tcp_socket_of(ctx->file);
	struct task_struct *task = ctx->task;
	struct record_socket record = {};
	struct conn conn = {.established = 1};
	__u64 cookie;
	long r;

	if (!sk || !task || !is_connected(state_of(sk)))
		return 0;
	cookie = bpf_get_socket_cookie(sk);
	if (bpf_map_lookup_elem(&conns, &cookie))
		return 0;
	who_is_task(&conn.who, task);
	conn.role = role_of(sk);
	fill_socket(&record, sk, cookie, &conn, SOCKET_FOUND);
	r = bpf_map_update_elem(&conns, &cookie, &conn, BPF_NOEXIST);
	if (r) {
		count_loss(KLOSS_TABLE, 1);
		return 0;
	}
	/* closed in between, before there was an entry to delete; or no room, and it is shown again */
	if (!is_connected(state_of(sk)) || bpf_seq_write(ctx->meta->seq, &record, sizeof(record))) {
		bpf_map_delete_elem(&conns, &cookie);
		return 0;
	}
	expect_request(sk);
	return 0;
}
