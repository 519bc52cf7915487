/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "maps.bpf.h"

/*
 * One event for all entry probes of a file, on kernels without uprobe_multi links, which wait 0.1 s for each
 * event that is taken off. The program is told where it is by the address alone, of which a page's part is the
 * same in every process and in the file. Two places that agree in it and want different programs are not both
 * given to this one.
 */

/* What runs at an address within a page; 0: nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACES_PER_PAGE);
	__type(key, __u32);
	__type(value, __u32);
} places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, DISPATCHED_PROGRAMS_MAX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} dispatched SEC(".maps");

SEC("?uprobe")
int tls_dispatch(struct pt_regs *ctx)
{
	__u32 place = PT_REGS_IP(ctx) % PLACES_PER_PAGE;
	__u32 *program = bpf_map_lookup_elem(&places, &place);

	if (program && *program)
		bpf_tail_call(ctx, &dispatched, *program);
	return 0;
}
