/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "emit.bpf.h"

/* What keeps one loud process from costing the others their records, and tells whose were lost. */

/* count_loss(), and whose. */
static __noinline void count_loss_of(const struct record_who *who, enum kernel_loss kind, __u64 n)
{
	struct process_loss fresh = {}, *of;
	__u32 pid = who->pid;

	count_loss(kind, n);
	if (kind >= KLOSS_COUNT)
		return;
	of = bpf_map_lookup_elem(&process_losses, &pid);
	if (!of) {
		fresh.who = *who;
		/* a full table: the sum is right, and whose it is remains open */
		bpf_map_update_elem(&process_losses, &pid, &fresh, BPF_NOEXIST);
		of = bpf_map_lookup_elem(&process_losses, &pid);
	}
	if (of)
		__sync_fetch_and_add(&of->lost[kind], n);
}

/*
 * May the process add a record of so many bytes to the ring? While user space keeps up, everybody may. Once it is
 * more than half full each process has a share, so that the loud one is dropped and counted, and the rest is still
 * seen. Two CPUs may spend the same bytes: a share is no promise.
 */
static __noinline bool share_allows(__u32 pid, __u64 bytes)
{
	__u64 now, added;
	struct share fresh = {}, *share;

	if (bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) < RING_BYTES / 2)
		return true;
	now = bpf_ktime_get_boot_ns();
	share = bpf_map_lookup_elem(&shares, &pid);
	if (!share) {
		fresh.left = SHARE_BURST_BYTES - bytes;
		fresh.at_ns = now;
		bpf_map_update_elem(&shares, &pid, &fresh, BPF_NOEXIST);
		return true;
	}
	added = (now - share->at_ns) / 1000000 * SHARE_BYTES_PER_MS;
	if (added) {
		share->left += added;
		if (share->left > SHARE_BURST_BYTES)
			share->left = SHARE_BURST_BYTES;
		share->at_ns = now;
	}
	if (share->left < bytes)
		return false;
	share->left -= bytes;
	return true;
}
