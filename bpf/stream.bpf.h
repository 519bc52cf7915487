/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "share.bpf.h"

/*
 * What all hooks on TLS libraries share: the stream table, the verdict, the capture budget, and the
 * copy into the ring.
 */

/* Raised by user space when policy is loaded anew: verdicts of older epochs no longer hold. */
extern volatile __u32 verdict_epoch;

static __always_inline struct stream_key stream_key_of(__u64 handle)
{
	struct stream_key key = {
		.pid = bpf_get_current_pid_tgid() >> 32,
		.handle = handle,
	};
	return key;
}

static __always_inline bool stream_ignored(__u64 handle)
{
	struct stream_key key = stream_key_of(handle);
	struct stream_verdict *verdict = bpf_map_lookup_elem(&verdicts, &key);

	return verdict && verdict->action == STEER_IGNORE && verdict->epoch == verdict_epoch;
}

static __always_inline struct stream *stream_get(const struct stream_key *key)
{
	struct stream *stream = bpf_map_lookup_elem(&streams, key);
	struct stream fresh = {};

	if (stream)
		return stream;
	who_is_current(&fresh.who);
	fresh.generation = bpf_ktime_get_boot_ns();
	fresh.last_dir = DIR_COUNT;
	if (bpf_map_update_elem(&streams, key, &fresh, BPF_ANY)) {
		count_loss(KLOSS_TABLE, 1);
		return NULL;
	}
	return bpf_map_lookup_elem(&streams, key);
}

static __always_inline void stream_end(__u64 handle)
{
	struct stream_key key = stream_key_of(handle);
	struct stream *stream = bpf_map_lookup_elem(&streams, &key);

	if (stream)
		stream_remove(&key, stream);
	else
		bpf_map_delete_elem(&verdicts, &key);
}

/* The socket that the call used. Another one than before means that the handle was taken for a new
 * connection without being freed: a new generation. */
static __always_inline void stream_link(const struct stream_key *key, struct stream *stream,
					__u64 cookie, __u32 kind)
{
	struct record_link *r;

	if (!cookie || stream->cookie == cookie)
		return;
	if (stream->cookie) {
		stream_emit_end(key, stream);
		bpf_map_delete_elem(&verdicts, key);
		bpf_map_delete_elem(&linked, &stream->cookie);
		stream->generation = bpf_ktime_get_boot_ns();
		stream->offset[DIR_OUT] = 0;
		stream->offset[DIR_IN] = 0;
		stream->copied = 0;
		stream->last_dir = DIR_COUNT;
	}
	stream->cookie = cookie;
	bpf_map_update_elem(&linked, &cookie, key, BPF_ANY);
	if (!reserve_record(r))
		return;
	fill_header(&r->header, RECORD_LINK, 0);
	r->header.who = stream->who;
	r->stream.handle = key->handle;
	r->stream.generation = stream->generation;
	r->cookie = cookie;
	r->kind = kind;
	r->reserved = 0;
	bpf_ringbuf_submit(r, 0);
}

/* A thread that makes TLS calls; NULL: the table is full. */
static __always_inline struct thread *thread_get(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct thread *thread = bpf_map_lookup_elem(&threads, &id);
	struct thread fresh = {};

	if (thread)
		return thread;
	if (bpf_map_update_elem(&threads, &id, &fresh, BPF_NOEXIST))
		count_loss(KLOSS_TABLE, 1);
	return bpf_map_lookup_elem(&threads, &id);
}

extern volatile __u32 aead_seen; /* has any process? */

/* The thread, known from now on as one of a process that seals and opens; NULL: the table is full. */
static __always_inline struct thread *aead_thread(void)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct thread *thread = thread_get();
	__u8 yes = 1;

	if (!thread || thread->aead)
		return thread;
	thread->aead = 1;
	if (bpf_map_update_elem(&aead_processes, &pid, &yes, BPF_ANY))
		count_loss(KLOSS_TABLE, 1);
	aead_seen = 1;
	return thread;
}

/* A thread whose receives matter, because its process opens AEAD records; NULL: none, or the table is full. */
static __always_inline struct thread *thread_receiving(struct thread *thread)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (thread && (thread->call.handle || thread->aead))
		return thread;
	if (!aead_seen || !bpf_map_lookup_elem(&aead_processes, &pid))
		return NULL;
	thread = thread_get();
	if (thread)
		thread->aead = 1;
	return thread;
}

/* The stream was encrypted into memory: the thread's next send tells the socket. Two streams before a send leave
 * open whose it is, and a guess would be worse than nothing. */
static __always_inline void await_send(struct thread *thread, __u64 handle)
{
	if (thread->pending && thread->pending != handle)
		thread->ambiguous = 1;
	thread->pending = handle;
}

/* The half stream's socket is known: the stream of that socket takes over what it moved so far, and its
 * direction from now on. */
static __always_inline void stream_join(const struct stream_key *half_key, struct stream *half,
					__u64 cookie, __u32 dir)
{
	struct stream_key key = stream_key_of(cookie);
	struct stream *stream = stream_get(&key);
	struct record_join *r;

	if (!stream)
		return;
	stream_link(&key, stream, cookie, LINK_THREAD);
	half->cookie = cookie;
	/* after a change of keys it is another one */
	if (stream->halves[dir & 1] != half_key->handle)
		stream_drop_half(key.pid, stream->halves[dir & 1]);
	stream->halves[dir & 1] = half_key->handle;
	if (reserve_record(r)) {
		fill_header(&r->header, RECORD_JOIN, 0);
		r->header.who = stream->who;
		r->half.handle = half_key->handle;
		r->half.generation = half->generation;
		r->stream.handle = key.handle;
		r->stream.generation = stream->generation;
		r->cookie = cookie;
		r->offset = stream->offset[dir & 1];
		r->bytes = half->offset[dir & 1];
		r->dir = dir;
		r->reserved = 0;
		bpf_ringbuf_submit(r, 0);
	}
	stream->offset[dir & 1] += half->offset[dir & 1];
	stream->copied += half->copied;
}

/* A word of the process's memory; 0 when it cannot be read. */
static __always_inline __u64 user_word(__u64 address)
{
	__u64 word = 0;

	bpf_probe_read_user(&word, sizeof(word), (void *)address);
	return word;
}

/* How many of the `n` bytes that a call moved are to be copied. */
static __always_inline __u64 stream_allowance(const struct stream_key *key, struct stream *stream,
					      __u32 dir, __u64 n)
{
	struct stream_verdict *verdict = bpf_map_lookup_elem(&verdicts, key);
	__u64 budget = stream->half ? HALF_STREAM_BYTES_MAX : STREAM_BUDGET_BYTES;
	__u32 action = STEER_FOLLOW;
	__u64 allowed = n;

	if (verdict && verdict->generation == stream->generation) {
		budget = verdict->budget;
		if (verdict->epoch == verdict_epoch)
			action = verdict->action;
	}
	if (dir != stream->last_dir) {
		stream->last_dir = dir;
		stream->turn_left = dir == DIR_OUT ? HEADS_OUT_BYTES : HEADS_IN_BYTES;
	}
	if (action == STEER_COUNT || action == STEER_IGNORE)
		return 0;
	if (action == STEER_HEADS) {
		if (allowed > stream->turn_left)
			allowed = stream->turn_left;
		stream->turn_left -= allowed;
		return allowed;
	}
	if (stream->copied + n > budget) {
		allowed = stream->copied < budget ? budget - stream->copied : 0;
		count_loss_of(&stream->who, KLOSS_STREAM_BUDGET, n - allowed);
	}
	return allowed;
}

/* Reserve, read, submit: bpf_probe_read_user() does not sleep, so the reservation is never held over a
 * page fault. Bytes that cannot be read show as a gap in the offsets. For
 * barrier_var() see packet.bpf.c. */
#define CHUNK_TIER(size)                                                                           \
	do {                                                                                       \
		struct record_segment *r_;                                                         \
		__u64 n_ = n;                                                                      \
		if (!share_allows(key.pid, sizeof(*r_) + (size))) {                                \
			count_loss_of(&stream->who, KLOSS_SHARE, 1);                               \
			break;                                                                     \
		}                                                                                  \
		r_ = bpf_ringbuf_reserve(&records, sizeof(*r_) + (size), 0);                       \
		if (!r_) {                                                                         \
			count_loss_of(&stream->who, KLOSS_RING, 1);                                \
			break;                                                                     \
		}                                                                                  \
		fill_header(&r_->header, RECORD_SEGMENT, n);                                       \
		r_->header.who = stream->who;                                                      \
		r_->stream.handle = handle;                                                        \
		r_->stream.generation = stream->generation;                                        \
		r_->cookie = stream->cookie;                                                       \
		r_->offset = stream->offset[dir];                                                  \
		r_->omitted = omitted;                                                             \
		r_->dir = dir;                                                                     \
		r_->half = stream->half;                                                           \
		barrier_var(n_);                                                                   \
		if (n_ > (size) || bpf_probe_read_user(r_->bytes, n_, (void *)from)) {             \
			bpf_ringbuf_discard(r_, 0);                                                \
			count_loss_of(&stream->who, KLOSS_FAULT, n);                               \
			break;                                                                     \
		}                                                                                  \
		bpf_ringbuf_submit(r_, 0);                                                         \
		stream->copied += n;                                                               \
	} while (0)

/* For tests: of so many segments one is lost, as if the ring were full. 0: none. */
extern const volatile __u32 drop_one_in;

/*
 * Copies one chunk of a call's bytes, of which `omitted` more follow uncopied. Tiers of a factor two: the
 * ring's space is what bursts run out of, and a reservation's size must be a constant. Not static, so
 * that the verifier looks at it once and not once for each turn of the caller's loop; such a function
 * takes only numbers on 5.10, so it finds the stream again.
 */
__weak __noinline int stream_emit_chunk(__u64 handle, __u64 from, __u64 omitted, __u32 len,
					__u32 direction)
{
	struct stream_key key = stream_key_of(handle);
	struct stream *stream = bpf_map_lookup_elem(&streams, &key);
	__u32 dir = direction & 1;
	__u64 n = len;

	if (!stream)
		return 0;
	if (drop_one_in && bpf_get_prandom_u32() % drop_one_in == 0)
		count_loss_of(&stream->who, KLOSS_RING, 1);
	else if (n <= 256)
		CHUNK_TIER(256);
	else if (n <= 512)
		CHUNK_TIER(512);
	else if (n <= 1024)
		CHUNK_TIER(1024);
	else if (n <= 2048)
		CHUNK_TIER(2048);
	else if (n <= 4096)
		CHUNK_TIER(4096);
	else if (n <= 8192)
		CHUNK_TIER(8192);
	else
		CHUNK_TIER(SEGMENT_BYTES_MAX);
	stream->offset[dir] += n + omitted;
	return 0;
}

/* Chunks of one call: 1 MiB, far above what TLS libraries move at once; more is counted. */
#define CHUNKS_PER_CALL 64

/* The call moved `n` bytes at `from`: copies what is allowed and advances the stream by all of them. */
static __always_inline void stream_bytes(const struct stream_key *key, struct stream *stream,
					 __u32 dir, __u64 from, __u64 n)
{
	__u64 allowed = stream_allowance(key, stream, dir, n);
	__u64 rest = n - allowed;
	__u32 chunks, tail;

	if (!allowed) {
		stream->offset[dir & 1] += n;
		return;
	}
	if (allowed > CHUNKS_PER_CALL * SEGMENT_BYTES_MAX) {
		rest += allowed - CHUNKS_PER_CALL * SEGMENT_BYTES_MAX;
		count_loss_of(&stream->who, KLOSS_STREAM_BUDGET,
			      allowed - CHUNKS_PER_CALL * SEGMENT_BYTES_MAX);
		allowed = CHUNKS_PER_CALL * SEGMENT_BYTES_MAX;
	}
	/* full chunks but the last, which carries what was not copied */
	chunks = (allowed - 1) / SEGMENT_BYTES_MAX;
	for (__u32 i = 0; i < CHUNKS_PER_CALL && i < chunks; i++) {
		stream_emit_chunk(key->handle, from, 0, SEGMENT_BYTES_MAX, dir);
		from += SEGMENT_BYTES_MAX;
	}
	tail = allowed - (__u64)chunks * SEGMENT_BYTES_MAX;
	stream_emit_chunk(key->handle, from, rest, tail, dir);
}
