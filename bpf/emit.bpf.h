/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "maps.bpf.h"

static __always_inline void count_loss(enum kernel_loss kind, __u64 n)
{
	__u32 key = kind;
	__u64 *counter = bpf_map_lookup_elem(&losses, &key);

	if (counter)
		*counter += n; /* per CPU; a preempted update may lose one, never tear */
}

static __always_inline void who_is_current(struct record_who *who)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 uid_gid = bpf_get_current_uid_gid();

	who->pid = bpf_get_current_pid_tgid() >> 32;
	who->uid = (__u32)uid_gid;
	who->gid = uid_gid >> 32;
	who->reserved = 0;
	who->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	who->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(who->comm, sizeof(who->comm));
}

/* May programs of the tracing kind make cookies (5.12)? Else cookie.bpf.c does, and they read them. */
extern const volatile bool tracing_makes_cookies;

/* 0: the socket has none yet. */
static __always_inline __u64 read_cookie(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

/* In tp_btf and fentry programs. 0: the socket is older than the sensor. */
static __always_inline __u64 traced_cookie(struct sock *sk)
{
	return tracing_makes_cookies ? bpf_get_socket_cookie(sk) : read_cookie(sk);
}

static __always_inline void fill_header(struct record_header *header, __u32 type, __u32 len)
{
	header->type = type;
	header->len = len;
	header->time_ns = bpf_ktime_get_boot_ns();
}

/* A fixed-size record, or NULL with the loss counted. */
#define reserve_record(pointer)                                                                    \
	({                                                                                         \
		(pointer) = bpf_ringbuf_reserve(&records, sizeof(*(pointer)), 0);                  \
		if (!(pointer))                                                                    \
			count_loss(KLOSS_RING, 1);                                                 \
		(pointer);                                                                         \
	})

static __always_inline void stream_emit_end(const struct stream_key *key,
					    const struct stream *stream)
{
	struct record_stream_end *r;

	if (!reserve_record(r))
		return;
	fill_header(&r->header, RECORD_STREAM_END, 0);
	r->header.who = stream->who;
	r->stream.handle = key->handle;
	r->stream.generation = stream->generation;
	r->total[DIR_OUT] = stream->offset[DIR_OUT];
	r->total[DIR_IN] = stream->offset[DIR_IN];
	bpf_ringbuf_submit(r, 0);
}

static __always_inline void stream_drop_half(__u32 pid, __u64 handle)
{
	struct stream_key key = {.pid = pid, .handle = handle};

	if (handle)
		bpf_map_delete_elem(&streams, &key);
}

/* Tells the end of the stream, and deletes it with all that is kept for it elsewhere. */
static __always_inline void stream_remove(const struct stream_key *key, struct stream *stream)
{
	struct go_read_key reader = {.pid = key->pid, .goroutine = stream->reader};
	__u64 cookie = stream->cookie;

	stream_emit_end(key, stream);
	bpf_map_delete_elem(&verdicts, key);
	if (cookie)
		bpf_map_delete_elem(&linked, &cookie);
	if (reader.goroutine)
		bpf_map_delete_elem(&go_reads, &reader);
	stream_drop_half(key->pid, stream->halves[DIR_OUT]);
	stream_drop_half(key->pid, stream->halves[DIR_IN]);
	bpf_map_delete_elem(&streams, key);
}

/* The socket of a stream has closed: whatever uses the handle next is another stream. Programs whose function
 * that frees a handle is not found would otherwise keep the old one's socket. */
static __always_inline void stream_close_socket(__u64 cookie)
{
	struct stream_key *found = bpf_map_lookup_elem(&linked, &cookie);
	struct stream_key key;
	struct stream *stream;

	if (!found)
		return;
	key = *found;
	stream = bpf_map_lookup_elem(&streams, &key);
	if (stream && stream->cookie == cookie)
		stream_remove(&key, stream);
	else
		bpf_map_delete_elem(&linked, &cookie);
}
