/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "source/hooks.h"

struct gnomon;
struct attachments;
struct tls_hook;

/* Probes on TLS libraries. NULL when out of memory. `report` is written to as files are hooked, and must
 * outlive it. One thread at a time. */
struct attachments *attachments_new(struct gnomon *skel, struct hooks_report *report);
/* Removes every probe. */
void attachments_free(struct attachments *attachments);
/* The report's counter of files that had to be searched. */
uint64_t *attachments_searched(struct attachments *attachments);
/* When a file was hooked last, CLOCK_BOOTTIME; any thread. A process that is older may have streams that began
 * unseen. */
uint64_t attachments_armed_ns(const struct attachments *attachments);
/* Hooks what was found in the open file; `name` is for people. Not more than once for a file. Returns how many
 * functions are hooked; -ENOSPC: too many files are hooked already; other -errno: found, and not to be hooked
 * (it is reported). */
int attachments_file(struct attachments *attachments, int fd, const char *name,
		     const struct tls_hook *hooks, int count);
