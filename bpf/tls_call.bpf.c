/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stream.bpf.h"

/*
 * Plaintext by library call: OpenSSL's SSL_read and SSL_write and what has their shape. A call is
 * remembered at entry and told at return, when the library has said how many bytes it moved: at entry
 * a write's length is only a wish (partial writes are retried with the same bytes).
 */

volatile __u32 verdict_epoch = 0;
const volatile __u32 drop_one_in = 0;
volatile __u32 aead_seen = 0;

/* Is this call made inside the one that is in progress? One that never returned is further down the stack. */
static __always_inline bool is_inside(struct pt_regs *ctx, const struct thread *thread)
{
	return thread->call.handle && PT_REGS_SP(ctx) < thread->call.stack_pointer;
}

/* Its return must not be taken for that of the call around it. */
static __always_inline void enter_ignored(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct thread *thread = bpf_map_lookup_elem(&threads, &id);

	if (!thread || !thread->call.handle)
		return;
	if (is_inside(ctx, thread))
		thread->call.ignored++;
	else
		thread->call.handle = 0;
}

static __always_inline int call_enter(struct pt_regs *ctx, __u32 function, __u64 done)
{
	__u64 handle = PT_REGS_PARM1(ctx);
	struct thread *thread;

	if (stream_ignored(handle)) {
		enter_ignored(ctx);
		return 0;
	}
	thread = thread_get();
	if (!thread)
		return 0;
	if (is_inside(ctx, thread))
		thread->outer = thread->call;
	else
		thread->outer.handle = 0;
	thread->call.handle = handle;
	thread->call.buffer = PT_REGS_PARM2(ctx);
	thread->call.done = done;
	thread->call.stack_pointer = PT_REGS_SP(ctx);
	thread->call.function = function;
	thread->call.ignored = 0;
	thread->cookie = 0;
	return 0;
}

static __always_inline __u64 bytes_moved(const struct tls_call *call, long result)
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

/* OpenSSL 3.3's ssl_write_internal() has flags before the count. */
SEC("uprobe")
int tls_write_ex2_enter(struct pt_regs *ctx)
{
	return call_enter(ctx, TLS_WRITE_EX, PT_REGS_PARM5(ctx));
}

/* One program for the return of all: the entry said which it was. */
SEC("uretprobe")
int tls_return(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct thread *thread = bpf_map_lookup_elem(&threads, &id);
	struct stream_key key;
	struct stream *stream;
	struct tls_call call;
	__u32 dir;
	__u64 n;

	if (!thread || !thread->call.handle)
		return 0;
	if (thread->call.ignored) {
		thread->call.ignored--;
		return 0;
	}
	call = thread->call;
	/* what a call around it sends goes through the same socket */
	thread->call = thread->outer;
	thread->outer.handle = 0;
	n = bytes_moved(&call, PT_REGS_RC(ctx));
	if (!n)
		return 0;
	key = stream_key_of(call.handle);
	stream = stream_get(&key);
	if (!stream)
		return 0;
	dir = call.function == TLS_READ || call.function == TLS_READ_EX ? DIR_IN : DIR_OUT;
	stream_link(&key, stream, thread->cookie, LINK_IN_CALL);
	if (dir == DIR_OUT && !stream->cookie)
		await_send(thread, key.handle);
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
