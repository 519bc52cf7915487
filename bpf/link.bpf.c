/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stream.bpf.h"

/*
 * Which socket a stream is carried by: what a thread sends and receives, inside a TLS call and after it. One pair
 * of programs is loaded, the best that the kernel has.
 */

/*
 * The socket used inside the call; for records that are opened next, the one received from; or, for a stream that
 * was encrypted into memory, by the first send after it; on the same thread both. Runs for every send and receive
 * of the host, so the look-up that rejects comes first.
 */
static __always_inline int note_socket(struct sock *sk, bool sends, bool traced)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct thread *thread = bpf_map_lookup_elem(&threads, &id);
	struct stream_key key;
	struct stream *stream;
	__u64 cookie;
	__u16 family;

	if (!sends)
		thread = thread_receiving(thread);
	if (!thread || (sends && !thread->call.handle && !thread->pending))
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	cookie = traced ? traced_cookie(sk) : read_cookie(sk);
	if (thread->call.handle) {
		thread->cookie = cookie;
		/* Node writes from within the read that completes its handshake */
		if (!sends || thread->pending != thread->call.handle)
			return 0;
	}
	if (!sends) {
		thread->received = cookie;
		return 0;
	}
	key = stream_key_of(thread->pending);
	stream = thread->ambiguous ? NULL : bpf_map_lookup_elem(&streams, &key);
	thread->pending = 0;
	thread->ambiguous = 0;
	if (!stream || stream->cookie)
		return 0;
	if (stream->half)
		stream_join(&key, stream, cookie, DIR_OUT);
	else
		stream_link(&key, stream, cookie, LINK_THREAD);
	return 0;
}

/* Kernels since 6.3 (commit 6e6eda44b939). */
SEC("?tp_btf/sock_send_length")
int BPF_PROG(link_send, struct sock *sk, int ret, int flags)
{
	return note_socket(sk, true, true);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(link_receive, struct sock *sk, int ret, int flags)
{
	return note_socket(sk, false, true);
}

/* Older ones, where fentry works. */
SEC("?fentry/tcp_sendmsg")
int BPF_PROG(link_tcp_send, struct sock *sk)
{
	return note_socket(sk, true, true);
}

SEC("?fentry/tcp_recvmsg")
int BPF_PROG(link_tcp_receive, struct sock *sk)
{
	return note_socket(sk, false, true);
}

/* Where it does not (arm64 before 6.4). */
SEC("?kprobe/tcp_sendmsg")
int link_probe_send(struct pt_regs *ctx)
{
	return note_socket((struct sock *)PT_REGS_PARM1(ctx), true, false);
}

SEC("?kprobe/tcp_recvmsg")
int link_probe_receive(struct pt_regs *ctx)
{
	return note_socket((struct sock *)PT_REGS_PARM1(ctx), false, false);
}
