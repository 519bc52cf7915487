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
