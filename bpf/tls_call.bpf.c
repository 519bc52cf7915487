/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stream.bpf.h"

/*
 * Plaintext by library call: OpenSSL's SSL_read and SSL_write and what has their shape. A call is
 * remembered at entry and told at return, when the library has said how many bytes it moved: at entry
 * a write's length is only a wish (partial writes are retried with the same bytes).
 */

volatile __u32 verdict_epoch = 0;

static __always_inline int call_enter(struct pt_regs *ctx, __u32 function, __u64 done)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct call call = {
		.handle = PT_REGS_PARM1(ctx),
		.buffer = PT_REGS_PARM2(ctx),
		.done = done,
		.function = function,
	};

	if (stream_ignored(call.handle))
		return 0;
	if (bpf_map_update_elem(&calls, &thread, &call, BPF_ANY))
		count_loss(KLOSS_TABLE, 1);
	return 0;
}

static __always_inline __u64 bytes_moved(const struct call *call, long result)
{
	__u64 done = 0;

	if (call->function == TLS_READ || call->function == TLS_WRITE)
		return (int)result > 0 ? (int)result : 0;
	if ((int)result != 1)
		return 0;
	if (bpf_probe_read_user(&done, sizeof(done), (void *)call->done))
		count_loss(KLOSS_FAULT, 1);
	return done;
}

SEC("uprobe")
int tls_read_enter(struct pt_regs *ctx)
{
	return call_enter(ctx, TLS_READ, 0);
}

SEC("uprobe")
int tls_write_enter(struct pt_regs *ctx)
{
	return call_enter(ctx, TLS_WRITE, 0);
}

SEC("uprobe")
int tls_read_ex_enter(struct pt_regs *ctx)
{
	return call_enter(ctx, TLS_READ_EX, PT_REGS_PARM4(ctx));
}

SEC("uprobe")
int tls_write_ex_enter(struct pt_regs *ctx)
{
	return call_enter(ctx, TLS_WRITE_EX, PT_REGS_PARM4(ctx));
}

/* One program for the return of all four: the entry said which it was. */
SEC("uretprobe")
int tls_return(struct pt_regs *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct call *found = bpf_map_lookup_elem(&calls, &thread);
	struct stream_key key;
	struct stream *stream;
	struct call call;
	__u32 dir;
	__u64 n;

	if (!found)
		return 0;
	call = *found;
	bpf_map_delete_elem(&calls, &thread);
	n = bytes_moved(&call, PT_REGS_RC(ctx));
	if (!n)
		return 0;
	key = stream_key_of(call.handle);
	stream = stream_get(&key);
	if (!stream)
		return 0;
	stream_link(&key, stream, call.cookie, LINK_IN_CALL);
	dir = call.function == TLS_READ || call.function == TLS_READ_EX ? DIR_IN : DIR_OUT;
	stream_bytes(&key, stream, dir, call.buffer, n);
	return 0;
}

/* SSL_free, and SSL_shutdown: nothing of this HTTP conversation comes after it. */
SEC("uprobe")
int tls_end(struct pt_regs *ctx)
{
	stream_end(PT_REGS_PARM1(ctx));
	return 0;
}

/*
 * The socket used inside the call, on the same thread. Runs for every send and receive of the host, so the
 * look-up that rejects comes first.
 */
static __always_inline int note_socket(struct sock *sk)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct call *call = bpf_map_lookup_elem(&calls, &thread);
	__u16 family;

	if (!call)
		return 0;
	family = sk->__sk_common.skc_family;
	if (family == AF_INET || family == AF_INET6)
		call->cookie = bpf_get_socket_cookie(sk);
	return 0;
}

/* Kernels since 6.3 (commit 6e6eda44b939). */
SEC("?tp_btf/sock_send_length")
int BPF_PROG(link_send, struct sock *sk, int ret, int flags)
{
	return note_socket(sk);
}

SEC("?tp_btf/sock_recv_length")
int BPF_PROG(link_receive, struct sock *sk, int ret, int flags)
{
	return note_socket(sk);
}

/* Older ones, where fentry works. */
SEC("?fentry/tcp_sendmsg")
int BPF_PROG(link_tcp_send, struct sock *sk)
{
	return note_socket(sk);
}

SEC("?fentry/tcp_recvmsg")
int BPF_PROG(link_tcp_receive, struct sock *sk)
{
	return note_socket(sk);
}
