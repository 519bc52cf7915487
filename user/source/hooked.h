/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The files that have probes: at most TLS_FILES_MAX, kept open, so that they can be told from what stands in their
 * place later. A file that is written to loses its probes at once, before they can hit other code; one that is
 * gone and that nobody maps any more loses them at the next check. One thread at a time.
 */
struct attachments;
struct file_key;
struct gnomon;
struct hooked_files;
struct hooks_report;
struct stat;
struct tls_hook;

/* `report` follows the files, and must outlive them. `per_process`: probes are for the processes of hooked_arm()
 * alone. NULL without memory. */
struct hooked_files *hooked_new(struct gnomon *skel, struct hooks_report *report, bool per_process);
/* Takes all probes off. */
void hooked_free(struct hooked_files *files);

/* The number of that file, which stays until it is released; -ENOENT. */
int hooked_find(const struct hooked_files *files, const struct stat *st);
/*
 * Hooks what was found in an open file, and keeps a copy of the descriptor; `name` is for people, and where it is
 * looked for later. `mount_namespace` is that of the process it was opened through, 0: our own. Returns the file's
 * number, also when the probes were refused (it is reported, and tried again); -ENOSPC: too many files; -ENOMEM.
 */
int hooked_add(struct hooked_files *files, int fd, const char *name, uint32_t mount_namespace,
	       const struct tls_hook *hooks, int count);
/* Probes for one process; once for each file. -ENOSPC, -errno of attaching. */
int hooked_arm(struct hooked_files *files, int number, uint32_t pid);
/* The process has ended. */
void hooked_disarm(struct hooked_files *files, uint32_t pid);
/* Takes the probes off and forgets the file. */
void hooked_release(struct hooked_files *files, int number);

/* What a file's owner is told when it must be looked at, or goes. */
struct hooked_events {
	/* It was written to, and has no probes any more: look at it again. `fd` and `name` are lent; `pids` are
	 * those it was hooked for. It is released already. */
	void (*changed)(void *ctx, int fd, const char *name, const uint32_t *pids, size_t count);
	/* It is of no use any more. `key` is what the kernel half knows it by. It is released already. */
	void (*gone)(void *ctx, const struct stat *st, const struct file_key *key);
	void *ctx;
};

/* Readable when a file was written to; -1: that cannot be watched. */
int hooked_changes_fd(const struct hooked_files *files);
void hooked_read_changes(struct hooked_files *files, const struct hooked_events *events);
/* Are all still of use, and hooked? */
void hooked_check(struct hooked_files *files, const struct hooked_events *events);

/* When a file was hooked last, CLOCK_BOOTTIME; any thread. A process that is older may have streams that began
 * unseen. */
uint64_t hooked_armed_ns(const struct hooked_files *files);
