/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gnomon/span.h"

/* Reading /proc/PID (proc(5)); `proc` is where procfs is mounted. None of it can hang: procfs answers from
 * the kernel's memory. */

/* The start of a file, with a NUL behind it: at most cap - 1 bytes. Its length, or -errno. */
ssize_t proc_read(const char *proc, uint32_t pid, const char *file, char *to, size_t cap);
/* What a link names, likewise. */
ssize_t proc_link(const char *proc, uint32_t pid, const char *link, char *to, size_t cap);
/* Parent and start, in nanoseconds of CLOCK_BOOTTIME rounded down to a clock tick. 0 or -errno. */
int proc_stat(const char *proc, uint32_t pid, uint32_t *parent, uint64_t *start_ns);
/* The length of such a tick. */
uint64_t proc_tick_ns(void);
/* "comm" without its line end. False: not there. */
bool proc_name(const char *proc, uint32_t pid, char *to, size_t cap);

/*
 * Is this uid of the host another namespace's own (user_namespaces(7)), so that the host's name for it says
 * nothing? By the text of /proc/PID/uid_map. Not where everything is mapped, as in the initial
 * namespace; nor where that uid alone is mapped: whoever has no privilege can map only himself.
 */
bool proc_uid_is_foreign(struct span uid_map, uint32_t uid);
