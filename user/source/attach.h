/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

struct attachments;
struct gnomon;
struct probe_handle;
struct probe_means;
struct tls_hook;

/* From what was found in files to the programs that run there. NULL when out of memory. */
struct attachments *attachments_new(struct gnomon *skel, const struct probe_means *means);
void attachments_free(struct attachments *attachments);
/*
 * Puts the programs on the hooks of the file at `path`, for all processes or (`pid` not 0) for one. Returns how many
 * functions are hooked; with more than 0, *probes is the caller's, for probe_detach(), before attachments_free().
 * 0: none of them can be hooked; -errno: refused.
 */
int attachments_hook(struct attachments *attachments, const char *path, uint32_t pid,
		     const struct tls_hook *hooks, int count, struct probe_handle **probes);
