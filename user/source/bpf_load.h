/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "source/hooks.h"

struct gnomon; /* the skeleton */
struct diag;

/*
 * Opens the kernel half, chooses by feature what this kernel can load, loads and attaches all but the
 * TLS hooks. Fills `report`. NULL with the reason in `diag` when the core (processes and
 * sockets) cannot be had; a missing optional hook is only reported. `uprobe_multi` tells whether the TLS
 * programs were loaded for uprobe_multi links.
 */
struct gnomon *bpf_load(struct hooks_report *report, struct diag *diag);

/* Does this kernel have uprobe_multi links (6.6)? Needs CAP_BPF and CAP_PERFMON to ask. */
bool bpf_has_uprobe_multi(void);
/* Creates a uprobe_multi link over `count` file offsets. The descriptor, or -errno. */
int bpf_uprobe_multi(int program_fd, const char *path, const unsigned long *offsets,
		     unsigned int count, bool at_return);
/* The first cgroup2 mount, wherever it is; -ENOENT. */
int cgroup2_mount_point(char *path, size_t cap);
