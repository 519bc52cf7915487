/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "aead.bpf.h"
#include <bpf/bpf_endian.h>

/*
 * Plaintext of rustls over ring, AES-GCM on x86-64. ring's Rust is inlined beyond recognition; what stays are the
 * assembly functions that a record goes through on one thread (src/aead/aes_gcm.rs, gcm.rs of 0.16.20 and 0.17.14):
 *
 *   1. the additional data is hashed: one block of 16 bytes, zeroes behind it. It tells the outer type and the length.
 *   2. the content is encrypted or decrypted in place: buffer, and the counter block: 12 bytes of nonce and 2
 *   3. what is left of the content, as a last partial block, is hashed; when opening it was decrypted by then
 *   4. the block of the two lengths is hashed: the content lies open. Whether it is authentic is compared later; what is
 *      not ends the connection.
 *
 * ring 0.16 hashes a block by XORing it into the state and multiplying that, so that the additional data, which come
 * first, are seen as they are and later blocks can only be counted. 0.17 passes the block.
 *
 * Nothing else that uses AES-GCM is taken for TLS: the additional data must be those of a TLS record of that length.
 */

#define BLOCK_LEN     16
#define FIRST_COUNTER 2
#define TAG_LEN       16

struct block {
	__u8 bytes[BLOCK_LEN];
};

static __always_inline __u32 length_at(const __u8 *bytes)
{
	return (__u32)bytes[0] << 8 | bytes[1];
}

static __always_inline bool zero_from(const struct block *block, int from)
{
	for (int i = from; i < BLOCK_LEN; i++)
		if (block->bytes[i])
			return false;
	return true;
}

/* Is it the additional data of a record of application data? Sets the content's length. */
static __always_inline enum inner_type record_of(const struct block *block, __u32 *len)
{
	const __u8 *b = block->bytes;
	__u32 n;

	if (b[0] == CONTENT_DATA && b[1] == 3 && b[2] == 3 && zero_from(block, ADDITIONAL_TLS13)) {
		n = length_at(b + 3);
		*len = n - TAG_LEN;
		return n > TAG_LEN && *len <= RECORD_CONTENT_MAX ? INNER_LAST_BYTE : INNER_NO_DATA;
	}
	if (b[8] == CONTENT_DATA && b[9] == 3 && b[10] == 3 && zero_from(block, ADDITIONAL_TLS12)) {
		*len = length_at(b + 11);
		return *len && *len <= RECORD_CONTENT_MAX ? INNER_NONE : INNER_NO_DATA;
	}
	return INNER_NO_DATA;
}

/* The block of the lengths of additional data and content, in bits (NIST SP 800-38D section 7.1). */
static __always_inline bool is_lengths(const struct block *block, const struct thread *thread)
{
	__u64 ad = thread->inner == INNER_LAST_BYTE ? ADDITIONAL_TLS13 : ADDITIONAL_TLS12;
	__u64 words[2];

	__builtin_memcpy(words, block->bytes, sizeof(words));
	return words[0] == bpf_cpu_to_be64(ad * 8) &&
	       words[1] == bpf_cpu_to_be64(thread->opened_len * 8);
}

static __always_inline struct thread *current_thread(void)
{
	__u64 id = bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&threads, &id);
}

/* A block is hashed that may be additional data. */
static __always_inline void block_hashed(struct thread *thread, const struct block *block)
{
	enum inner_type inner;
	__u32 len = 0;

	inner = record_of(block, &len);
	if (inner == INNER_NO_DATA) {
		if (thread)
			thread->record_blocks++;
		return;
	}
	thread = aead_thread();
	if (!thread)
		return;
	thread->record_inner = inner;
	thread->record_len = len;
	thread->record_blocks = 0;
	thread->opening = 0;
}

/* 0.16, gmult(state, table) */
SEC("uprobe")
int tls_ring_multiply(struct pt_regs *ctx)
{
	struct thread *thread = current_thread();
	struct block block;

	if (thread && thread->opening && thread->blocks_left) {
		if (--thread->blocks_left == 0)
			opened(thread, thread->opened_len);
		return 0;
	}
	if (!bpf_probe_read_user(&block, sizeof(block), (void *)PT_REGS_PARM1(ctx)))
		block_hashed(thread, &block);
	return 0;
}

/* 0.17, ghash(state, table, blocks, length), of which the first block is looked at */
SEC("uprobe")
int tls_ring_hash(struct pt_regs *ctx)
{
	struct thread *thread = current_thread();
	struct block block;

	if (bpf_probe_read_user(&block, sizeof(block), (void *)PT_REGS_PARM3(ctx)))
		return 0;
	if (thread && thread->opening && is_lengths(&block, thread))
		opened(thread, thread->opened_len);
	else
		block_hashed(thread, &block);
	return 0;
}

/* The record that `len` bytes from its start are en- or decrypted of, but for a partial block; its key. 0: none. */
static __always_inline __u64 record_begins(struct thread *thread, __u64 len, __u64 counter_block)
{
	__u32 counter;

	if (!thread || thread->record_inner == INNER_NO_DATA || len > thread->record_len ||
	    thread->record_len - len >= BLOCK_LEN)
		return 0;
	if (bpf_probe_read_user(&counter, sizeof(counter), (void *)(counter_block + NONCE_LEN)) ||
	    counter != bpf_htonl(FIRST_COUNTER))
		return 0;
	return half_of(counter_block);
}

static __always_inline void open_begins(struct thread *thread, __u64 handle, __u64 at)
{
	thread->inner = thread->record_inner;
	thread->record_inner = INNER_NO_DATA;
	thread->opening = handle;
	thread->opened_at = at;
	thread->opened_len = thread->record_len;
	thread->opened_done = 0;
	thread->blocks_left = 0;
}

/* f(in, out, length, key, counter block, ...) */
SEC("uprobe")
int tls_ring_seal(struct pt_regs *ctx)
{
	struct thread *thread = current_thread();
	__u64 handle = record_begins(thread, PT_REGS_PARM3(ctx), PT_REGS_PARM5(ctx));
	enum inner_type inner;

	if (!handle || !thread)
		return 0;
	inner = thread->record_inner;
	thread->record_inner = INNER_NO_DATA;
	return sealed(handle, PT_REGS_PARM1(ctx), thread->record_len, inner);
}

SEC("uprobe")
int tls_ring_open(struct pt_regs *ctx)
{
	struct thread *thread = current_thread();
	__u64 handle = record_begins(thread, PT_REGS_PARM3(ctx), PT_REGS_PARM5(ctx));

	if (!handle || !thread)
		return 0;
	open_begins(thread, handle, PT_REGS_PARM2(ctx));
	/* of 0.16, which alone counts them */
	thread->blocks_left = thread->record_len % BLOCK_LEN ? 2 : 1;
	return 0;
}

/*
 * 0.17, ctr32(in, out, blocks, key, counter block): the only one that sees a record without a whole block, in a copy of
 * one. A block that was hashed since the additional data, the ciphertext, tells that the record is being opened.
 */
SEC("uprobe")
int tls_ring_counter(struct pt_regs *ctx)
{
	struct thread *thread = current_thread();
	enum inner_type inner;
	__u64 handle;

	if (!thread || PT_REGS_PARM3(ctx) != 1)
		return 0;
	handle = record_begins(thread, 0, PT_REGS_PARM5(ctx));
	if (handle && !thread->record_blocks) {
		inner = thread->record_inner;
		thread->record_inner = INNER_NO_DATA;
		return sealed(handle, PT_REGS_PARM1(ctx), thread->record_len, inner);
	}
	if (handle)
		open_begins(thread, handle, PT_REGS_PARM2(ctx));
	else if (thread->opening && thread->opened_len < BLOCK_LEN)
		thread->opened_at = PT_REGS_PARM2(ctx);
	return 0;
}

SEC("uretprobe")
int tls_ring_counted(struct pt_regs *ctx)
{
	struct thread *thread = current_thread();

	if (thread && thread->opening && thread->opened_len < BLOCK_LEN)
		opened(thread, thread->opened_len);
	return 0;
}
