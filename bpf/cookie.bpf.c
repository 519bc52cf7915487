/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "maps.bpf.h"

/*
 * Cookies for sockets, on kernels whose tracing programs can only read them (before 5.12): a socket has none until
 * somebody asks. Loaded there alone.
 */

/* 5.7 */
SEC("?cgroup/sock_create")
int cookie_created(struct bpf_sock *ctx)
{
	bpf_get_socket_cookie(ctx);
	return 1;
}

/* Accepted sockets are not created but cloned; this comes before the state that sock_state waits for. */
SEC("?sockops")
int cookie_accepted(struct bpf_sock_ops *ctx)
{
	if (ctx->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		bpf_get_socket_cookie(ctx);
	return 1;
}
