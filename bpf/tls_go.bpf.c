/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "files.bpf.h"
#include "stream.bpf.h"

/*
 * Plaintext of Go's crypto/tls. Goroutines change threads, so a read in progress is kept by goroutine; stacks move,
 * so there are no return probes but an entry probe on each RET. Write moves all it was given or fails for good:
 * its bytes are told at entry.
 */

/* Go's register ABI (src/cmd/compile/abi-internal.md): arguments and results, and the goroutine. */
#if defined(__TARGET_ARCH_x86)
#define GO_ARG1(ctx)      ((__u64)(ctx)->ax)
#define GO_ARG2(ctx)      ((__u64)(ctx)->bx)
#define GO_ARG3(ctx)      ((__u64)(ctx)->cx)
#define GO_GOROUTINE(ctx) ((__u64)(ctx)->r14)
#elif defined(__TARGET_ARCH_arm64)
#define GO_ARG1(ctx)      ((__u64)(ctx)->regs[0])
#define GO_ARG2(ctx)      ((__u64)(ctx)->regs[1])
#define GO_ARG3(ctx)      ((__u64)(ctx)->regs[2])
#define GO_GOROUTINE(ctx) ((__u64)(ctx)->regs[28])
#endif
#define GO_RESULT(ctx) GO_ARG1(ctx)

/* include/net/tcp_states.h: connections whose data can still be read */
#define STATE_ESTABLISHED 1
#define STATE_CLOSE_WAIT  8

/* The descriptor of a tls.Conn whose first member, the interface net.Conn, holds a *net.TCPConn: its one member is
 * a *netFD, which begins with poll.FD {fdmu (16 bytes), Sysfd int} (src/internal/poll/fd_unix.go). Of any other
 * kind of net.Conn it is a number without meaning. */
static __always_inline int go_descriptor(__u64 conn)
{
	__u64 descriptor = user_word(user_word(conn + 8));
	int fd = -1;

	if (!descriptor || bpf_probe_read_user(&fd, sizeof(fd), (void *)(descriptor + 16)))
		return -1;
	return fd;
}

/* The cookie of the TCP connection behind a descriptor; 0: it is none. */
static __always_inline __u64 connection_of(int fd)
{
	struct file *file = current_file(fd);
	struct socket *socket;
	struct sock *sk;
	__u16 family;
	__u8 state;

	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	if (!sk)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	state = BPF_CORE_READ(sk, __sk_common.skc_state);
	if ((family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP ||
	    (state != STATE_ESTABLISHED && state != STATE_CLOSE_WAIT))
		return 0;
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

/* Ties the stream to its socket, and makes it known to user space, which deletes what is left of it when the
 * process ends. NULL: it has no socket and did not move a byte yet. */
static __always_inline struct stream *go_stream(const struct stream_key *key)
{
	__u64 cookie = connection_of(go_descriptor(key->handle));
	struct stream *stream;

	if (!cookie)
		return bpf_map_lookup_elem(&streams, key);
	stream = stream_get(key);
	if (stream)
		stream_link(key, stream, cookie, LINK_IN_CALL);
	return stream;
}

SEC("uprobe")
int tls_go_write(struct pt_regs *ctx)
{
	struct stream_key key = stream_key_of(GO_ARG1(ctx));
	__u64 n = GO_ARG3(ctx);
	struct stream *stream;

	if (!n || n >> 63 || stream_ignored(key.handle))
		return 0;
	stream = go_stream(&key);
	if (!stream)
		stream = stream_get(&key);
	if (stream)
		stream_bytes(&key, stream, DIR_OUT, GO_ARG2(ctx), n);
	return 0;
}

/* Of runtime.g, whose first members are the bounds of the goroutine's stack. */
static __always_inline bool on_stack(__u64 goroutine, __u64 address)
{
	return address >= user_word(goroutine) && address < user_word(goroutine + 8);
}

SEC("uprobe")
int tls_go_read(struct pt_regs *ctx)
{
	struct stream_key key = stream_key_of(GO_ARG1(ctx));
	struct go_read_key reader = {.pid = key.pid, .goroutine = GO_GOROUTINE(ctx)};
	struct go_read call = {.conn = key.handle, .buffer = GO_ARG2(ctx), .len = GO_ARG3(ctx)};
	struct stream *stream;

	if (stream_ignored(key.handle)) {
		bpf_map_delete_elem(&go_reads, &reader);
		return 0;
	}
	stream = go_stream(&key);
	if (stream)
		stream->reader = reader.goroutine;
	if (on_stack(reader.goroutine, call.buffer))
		call.stack_pointer = PT_REGS_SP(ctx);
	if (bpf_map_update_elem(&go_reads, &reader, &call, BPF_ANY))
		count_loss(KLOSS_TABLE, 1);
	return 0;
}

/* On each RET of Read, where the stack pointer is what it was at entry, unless the stack has moved. */
SEC("uprobe")
int tls_go_read_return(struct pt_regs *ctx)
{
	struct go_read_key reader = {.pid = bpf_get_current_pid_tgid() >> 32,
				     .goroutine = GO_GOROUTINE(ctx)};
	struct go_read *found = bpf_map_lookup_elem(&go_reads, &reader);
	__u64 n = GO_RESULT(ctx);
	struct stream_key key;
	struct stream *stream;
	struct go_read call;

	if (!found)
		return 0;
	call = *found;
	bpf_map_delete_elem(&go_reads, &reader);
	if (!n || n > call.len)
		return 0;
	if (call.stack_pointer)
		call.buffer += PT_REGS_SP(ctx) - call.stack_pointer;
	key = stream_key_of(call.conn);
	stream = stream_get(&key);
	if (stream)
		stream_bytes(&key, stream, DIR_IN, call.buffer, n);
	return 0;
}

SEC("uprobe")
int tls_go_close(struct pt_regs *ctx)
{
	stream_end(GO_ARG1(ctx));
	return 0;
}
