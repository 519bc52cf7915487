/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "source/hooks.h"

struct gnomon;
struct attachments;

/* Hooks on TLS libraries. NULL when out of memory. `report` is written to as files are found and must
 * outlive it. */
struct attachments *attachments_new(struct gnomon *skel, struct hooks_report *report);
void attachments_free(struct attachments *attachments);
/* Hooks every TLS library in the system's library directories, so that a program started later is
 * seen from its first byte, and every one that a running process has mapped. A file is hooked once,
 * whatever names it has. */
void attachments_scan(struct attachments *attachments);
