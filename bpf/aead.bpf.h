/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "stream.bpf.h"

/*
 * What hooks on the sealing and opening of TLS records share (AWS-LC and ring, both below rustls): whole records, one
 * key a direction. The stream is that of the socket: a record is opened after its thread received it, and sealed
 * before its thread sends it. What is sealed before a first send has told the socket goes out as a half stream, to be
 * joined.
 *
 * A key is known by the start of its nonces: TLS 1.3 XORs a 12-byte secret with the record's number (RFC 8446
 * section 5.3), TLS 1.2 begins with 4 secret bytes (RFC 5288 section 3), so that 8 bytes stay the same until record
 * 2^32. Unlike the context's address they are never those of another connection.
 */

#define CONTENT_DATA       0x17
#define NONCE_LEN          12
#define ADDITIONAL_TLS13   5  /* the record's header */
#define ADDITIONAL_TLS12   13 /* sequence number, type, version, length */
#define RECORD_CONTENT_MAX (16384 + 1 + 255)

/* Where a record's real type stands. */
enum inner_type { INNER_NO_DATA, INNER_NONE, INNER_LAST_BYTE };

/* The handle of a key, by the nonce at this address: one that no pointer and no cookie can have. 0: unreadable. */
static __always_inline __u64 half_of(__u64 nonce)
{
	__u64 start = user_word(nonce);

	return start ? start | 1ULL << 63 : 0;
}

/* TLS 1.3: bytes of the content, which its type and then zeroes follow (RFC 8446 section 5.2); 0: it is no
 * application data. */
__weak __noinline long data_len(__u64 at, __u32 len)
{
	__u8 last;

	for (int i = 0; i < TLS_PADDING_MAX && len; i++) {
		len--;
		if (bpf_probe_read_user(&last, 1, (void *)(at + len))) {
			count_loss(KLOSS_FAULT, len);
			return 0;
		}
		if (last)
			return last == CONTENT_DATA ? len : 0;
	}
	return 0;
}

/* The record's bytes, to the stream of the socket, or while that is not known to the half stream. */
static __always_inline void record_bytes(__u64 half, __u64 cookie, __u32 dir, __u64 at, __u64 n)
{
	struct stream_key key = stream_key_of(cookie ? cookie : half);
	struct stream *stream;

	if (cookie && stream_ignored(cookie))
		return;
	stream = stream_get(&key);
	if (!stream)
		return;
	if (cookie)
		stream_link(&key, stream, cookie, LINK_THREAD);
	else
		stream->half = 1;
	stream_bytes(&key, stream, dir, at, n);
}

/* A record is about to be sealed under the key `handle`: `len` bytes at `at`, its type included where `inner` says so. */
static __always_inline int sealed(__u64 handle, __u64 at, __u64 len, enum inner_type inner)
{
	struct stream_key key = stream_key_of(handle);
	struct thread *thread = aead_thread();
	struct stream *half;
	__u64 cookie, n;

	if (!thread)
		return 0;
	n = inner == INNER_LAST_BYTE ? data_len(at, len) : len;
	if (!key.handle || !n)
		return 0;
	half = bpf_map_lookup_elem(&streams, &key);
	cookie = half ? half->cookie : 0;
	if (!cookie)
		await_send(thread, key.handle);
	record_bytes(key.handle, cookie, DIR_OUT, at, n);
	return 0;
}

/* The thread's record is open: its content, of `n` bytes, to its stream. */
static __always_inline void opened(struct thread *thread, __u64 n)
{
	struct stream_key key = stream_key_of(thread->opening);
	struct stream *half;
	__u64 cookie;

	thread->opening = 0;
	if (n > RECORD_CONTENT_MAX)
		return;
	if (thread->inner == INNER_LAST_BYTE)
		n = data_len(thread->opened_at, n);
	if (!n)
		return;
	cookie = thread->received;
	half = bpf_map_lookup_elem(&streams, &key);
	if (half && half->cookie)
		cookie = half->cookie;
	else if (half && cookie)
		stream_join(&key, half, cookie, DIR_IN);
	record_bytes(key.handle, cookie, DIR_IN, thread->opened_at, n);
}
