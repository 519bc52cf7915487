/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "source/hooks.h"

struct gnomon; /* the skeleton */
struct diag;

/*
 * Opens the kernel half, chooses by feature what this kernel can load, loads and attaches all but the
 * TLS hooks. Fills `report`. NULL with the reason in `diag` when the core (processes and
 * sockets) cannot be had; a missing optional hook is only reported. The TLS programs are loaded for
 * `probes` of the report.
 */
struct gnomon *bpf_load(struct hooks_report *report, struct diag *diag);
