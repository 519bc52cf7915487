/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "stream.bpf.h"

/*
 * Plaintext of rustls over AWS-LC: TLS records as they are sealed and opened, whole ones, one key a direction. The
 * stream is that of the socket: a record is opened after its thread received it, and sealed before its thread
 * sends it. What is sealed before a first send has told the socket goes out as a half stream, to be joined.
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

struct aead_record {
	__u64 nonce, nonce_len, at, len, ad, ad_len;
};

/* Argument `n`, from 1, where the stack pointer points at the return address. */
static __always_inline __u64 argument(struct pt_regs *ctx, int n)
{
#if defined(__TARGET_ARCH_x86)
	return user_word(PT_REGS_SP(ctx) + 8 * (n - 6));
#elif defined(__TARGET_ARCH_arm64)
	return n == 7   ? ctx->regs[6]
	       : n == 8 ? ctx->regs[7]
			: user_word(PT_REGS_SP(ctx) + 8 * (n - 9));
#endif
}

#if defined(__TARGET_ARCH_x86)
#define ARGUMENT6(ctx) ((__u64)(ctx)->r9)
#elif defined(__TARGET_ARCH_arm64)
#define ARGUMENT6(ctx) ((__u64)(ctx)->regs[5])
#endif

/* Handles that no pointer and no cookie can have. */
static __always_inline __u64 half_of(const struct aead_record *record)
{
	__u64 start = record->nonce_len == NONCE_LEN ? user_word(record->nonce) : 0;

	return start ? start | 1ULL << 63 : 0;
}

/* Application data of TLS? All else that is encrypted is not looked at. */
static __always_inline enum inner_type inner_type_of(const struct aead_record *record)
{
	__u8 ad[ADDITIONAL_TLS12] = {};

	if (!record->len || record->len > RECORD_CONTENT_MAX)
		return INNER_NO_DATA;
	if (record->ad_len == ADDITIONAL_TLS13 &&
	    !bpf_probe_read_user(ad, ADDITIONAL_TLS13, (void *)record->ad) &&
	    ad[0] == CONTENT_DATA && ad[1] == 3 && ad[2] == 3)
		return INNER_LAST_BYTE;
	if (record->ad_len == ADDITIONAL_TLS12 &&
	    !bpf_probe_read_user(ad, ADDITIONAL_TLS12, (void *)record->ad) &&
	    ad[8] == CONTENT_DATA && ad[9] == 3 && ad[10] == 3)
		return INNER_NONE;
	return INNER_NO_DATA;
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

static __always_inline int sealed(const struct aead_record *record, enum inner_type inner)
{
	struct stream_key key = stream_key_of(half_of(record));
	struct thread *thread = aead_thread();
	struct stream *half;
	__u64 cookie, n;

	if (!thread)
		return 0;
	n = inner == INNER_LAST_BYTE ? data_len(record->at, record->len) : record->len;
	if (!key.handle || !n)
		return 0;
	half = bpf_map_lookup_elem(&streams, &key);
	cookie = half ? half->cookie : 0;
	if (!cookie)
		await_send(thread, key.handle);
	record_bytes(key.handle, cookie, DIR_OUT, record->at, n);
	return 0;
}

SEC("uprobe")
int tls_aead_seal(struct pt_regs *ctx)
{
	struct aead_record record = {
		.nonce = PT_REGS_PARM5(ctx),
		.nonce_len = ARGUMENT6(ctx),
		.at = argument(ctx, 7),
		.len = argument(ctx, 8),
		.ad = argument(ctx, 9),
		.ad_len = argument(ctx, 10),
	};
	enum inner_type inner = inner_type_of(&record);

	return inner == INNER_NO_DATA ? 0 : sealed(&record, inner);
}

/* Its type may come apart, as the one byte of `extra_in`. */
SEC("uprobe")
int tls_aead_seal_scatter(struct pt_regs *ctx)
{
	struct aead_record record = {
		.nonce = ARGUMENT6(ctx),
		.nonce_len = argument(ctx, 7),
		.at = argument(ctx, 8),
		.len = argument(ctx, 9),
		.ad = argument(ctx, 12),
		.ad_len = argument(ctx, 13),
	};
	enum inner_type inner = inner_type_of(&record);

	if (inner == INNER_LAST_BYTE && argument(ctx, 11) == 1) {
		__u8 type = 0;

		bpf_probe_read_user(&type, 1, (void *)argument(ctx, 10));
		inner = type == CONTENT_DATA ? INNER_NONE : INNER_NO_DATA;
	}
	return inner == INNER_NO_DATA ? 0 : sealed(&record, inner);
}

/* open() may call open_gather(): the inner call takes the outer one's place, and the first return ends both. */
static __always_inline int open_enter(const struct aead_record *record, __u64 out, __u64 done)
{
	enum inner_type inner = inner_type_of(record);
	struct thread *thread;

	if (inner == INNER_NO_DATA)
		return 0;
	thread = aead_thread();
	if (!thread)
		return 0;
	thread->inner = inner;
	thread->opening = half_of(record);
	thread->opened_at = out;
	thread->opened_len = record->len;
	thread->opened_done = done;
	return 0;
}

SEC("uprobe")
int tls_aead_open(struct pt_regs *ctx)
{
	struct aead_record record = {
		.nonce = PT_REGS_PARM5(ctx),
		.nonce_len = ARGUMENT6(ctx),
		.len = argument(ctx, 8),
		.ad = argument(ctx, 9),
		.ad_len = argument(ctx, 10),
	};

	return open_enter(&record, PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx));
}

SEC("uprobe")
int tls_aead_open_gather(struct pt_regs *ctx)
{
	struct aead_record record = {
		.nonce = PT_REGS_PARM3(ctx),
		.nonce_len = PT_REGS_PARM4(ctx),
		.len = ARGUMENT6(ctx),
		.ad = argument(ctx, 9),
		.ad_len = argument(ctx, 10),
	};

	return open_enter(&record, PT_REGS_PARM2(ctx), 0);
}

/* Of both. A record that was not authentic is none: the result is 0 then. */
SEC("uretprobe")
int tls_aead_opened(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct thread *thread = bpf_map_lookup_elem(&threads, &id);
	struct stream_key key;
	struct stream *half;
	__u64 cookie, n;

	if (!thread || !thread->opening)
		return 0;
	key = stream_key_of(thread->opening);
	thread->opening = 0;
	n = thread->opened_done ? user_word(thread->opened_done) : thread->opened_len;
	if ((int)PT_REGS_RC(ctx) != 1 || n > RECORD_CONTENT_MAX)
		return 0;
	if (thread->inner == INNER_LAST_BYTE)
		n = data_len(thread->opened_at, n);
	if (!n)
		return 0;
	cookie = thread->received;
	half = bpf_map_lookup_elem(&streams, &key);
	if (half && half->cookie)
		cookie = half->cookie;
	else if (half && cookie)
		stream_join(&key, half, cookie, DIR_IN);
	record_bytes(key.handle, cookie, DIR_IN, thread->opened_at, n);
	return 0;
}
