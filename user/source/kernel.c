/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/kernel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>

#include "util/cleanup.h"

#define SET_R0_0                                                                                   \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0                          \
	}
#define EXIT                                                                                       \
	{                                                                                          \
		.code = BPF_JMP | BPF_EXIT                                                         \
	}

/* The type that a tp_btf program of that tracepoint names; negative: none. */
static int trace_type(const struct btf *btf, const char *name)
{
	char type[64];

	snprintf(type, sizeof(type), "btf_trace_%s", name);
	return btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF);
}

bool kernel_has_trace(const struct btf *btf, const char *name)
{
	return trace_type(btf, name) > 0;
}

/* A tracing program's descriptor, or negative. */
static int load_tracing(enum bpf_attach_type type, int btf_id, const struct bpf_insn *program,
			size_t len)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type,
		    .attach_btf_id = (uint32_t)btf_id);

	if (btf_id < 0)
		return -1;
	return bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", program, len, &options);
}

bool kernel_has_fentry(const struct btf *btf, const char *function)
{
	const struct bpf_insn program[] = {SET_R0_0, EXIT};
	_cleanup_close_ int fd = -1;
	_cleanup_close_ int link = -1;

	fd = load_tracing(BPF_TRACE_FENTRY, btf__find_by_name_kind(btf, function, BTF_KIND_FUNC),
			  program, ARRAY_SIZE(program));
	if (fd < 0)
		return false;
	/* some load it and refuse here */
	link = bpf_raw_tracepoint_open(NULL, fd);
	return link >= 0;
}

bool kernel_has_tracing_cookie(const struct btf *btf)
{
	/* r1 = the tracepoint's first argument, a socket */
	const struct bpf_insn program[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_1},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_socket_cookie},
		SET_R0_0,
		EXIT,
	};
	_cleanup_close_ int fd = load_tracing(BPF_TRACE_RAW_TP,
					      trace_type(btf, "inet_sock_set_state"), program,
					      ARRAY_SIZE(program));

	return fd >= 0;
}

bool kernel_has_release_storage(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SOCK, BPF_FUNC_sk_storage_get, NULL) ==
	       1;
}
