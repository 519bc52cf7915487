/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "emit.bpf.h"

#include <bpf/bpf_endian.h>

/*
 * Datagrams: QUIC to port 443 is counted by its socket, and its first long-header packets are for copying (they
 * hold the ClientHello); DNS answers are for copying. All else is let go after its ports.
 */

#define PORT_DNS   53
#define PORT_HTTPS 443

/* RFC 9000 section 17.2: the form bit and the fixed bit */
#define QUIC_LONG_HEADER 0xc0

enum datagram { DATAGRAM_OTHER, DATAGRAM_DNS, DATAGRAM_QUIC };

/* Sent from a process's own call: `current` is who sends. Not every helper that says so may be used here. */
static __always_inline void who_sends(struct __sk_buff *skb, struct record_who *who)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	who->pid = BPF_CORE_READ(task, tgid);
	who->uid = BPF_CORE_READ(task, cred, uid.val);
	who->gid = BPF_CORE_READ(task, cred, gid.val);
	who->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	who->cgroup_id = bpf_skb_cgroup_id(skb);
	BPF_CORE_READ_INTO(&who->comm, task, comm);
}

/* RFC 768. `at`: where the UDP header is. */
static __always_inline enum datagram datagram_kind(struct __sk_buff *skb, __u32 at, __u32 dir)
{
	__be16 ports[2], remote;

	if (bpf_skb_load_bytes(skb, at, ports, sizeof(ports)))
		return DATAGRAM_OTHER;
	remote = dir == DIR_OUT ? ports[1] : ports[0];
	if (remote == bpf_htons(PORT_HTTPS))
		return DATAGRAM_QUIC;
	return dir == DIR_IN && remote == bpf_htons(PORT_DNS) ? DATAGRAM_DNS : DATAGRAM_OTHER;
}

/* Counts, and says whether to copy. */
static __always_inline bool quic_wants(struct __sk_buff *skb, struct flow_head *head, __u32 dir,
				       __u32 payload_at)
{
	__u8 first;

	head->bytes[dir & 1] += skb->len - payload_at;
	if (dir != DIR_OUT || head->packets[DIR_OUT] >= QUIC_PACKETS_PER_FLOW)
		return false;
	if (bpf_skb_load_bytes(skb, payload_at, &first, 1) ||
	    (first & QUIC_LONG_HEADER) != QUIC_LONG_HEADER)
		return false;
	head->packets[DIR_OUT]++;
	return true;
}
