/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

struct btf;

/* What this kernel has, found out by asking it. `btf` is its own. All need CAP_BPF and CAP_PERFMON. */

/* Is there a raw tracepoint of that name for tp_btf programs? */
bool kernel_has_trace(const struct btf *btf, const char *name);
/* Can an fentry program sit on that function? Not on arm64 before 6.4, nor where trampolines are off. */
bool kernel_has_fentry(const struct btf *btf, const char *function);
/* May tp_btf programs call bpf_get_socket_cookie() (5.12)? */
bool kernel_has_tracing_cookie(const struct btf *btf);
/* May cgroup/sock_release programs use sk storage (5.14)? */
bool kernel_has_release_storage(void);
