/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "aead.bpf.h"

/* Plaintext of rustls over AWS-LC, whose AEAD functions say all that is to be known of a record. */

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

static __always_inline __u64 handle_of(const struct aead_record *record)
{
	return record->nonce_len == NONCE_LEN ? half_of(record->nonce) : 0;
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

	return inner == INNER_NO_DATA ? 0
				      : sealed(handle_of(&record), record.at, record.len, inner);
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
	return inner == INNER_NO_DATA ? 0
				      : sealed(handle_of(&record), record.at, record.len, inner);
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
	thread->opening = handle_of(record);
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
	__u64 n;

	if (!thread || !thread->opening)
		return 0;
	n = thread->opened_done ? user_word(thread->opened_done) : thread->opened_len;
	if ((int)PT_REGS_RC(ctx) == 1)
		opened(thread, n);
	else
		thread->opening = 0;
	return 0;
}
