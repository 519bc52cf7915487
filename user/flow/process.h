/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/observation.h"

struct container;

/* What a process has for its login uid that no login began (proc_pid_loginuid(5)). */
#define PROCESS_NO_LOGIN UINT32_MAX

/* A process that was seen. The strings live as long as the entry, until its next exec. */
struct process {
	uint32_t pid, parent_pid, uid, gid;
	uint32_t login_uid;  /* PROCESS_NO_LOGIN: none, or not known */
	uint64_t start_ns;   /* CLOCK_BOOTTIME */
	uint64_t started_ns; /* since the Unix epoch, 0: not known */
	char name[16];
	const char *executable; /* empty: not known */
	const char
		*script; /* what an interpreter runs (command_line.h); empty: not known, or none */
	/* The parent's name, its parent's and so on, as they were when this image began. */
	char ancestors[PROCESS_ANCESTORS_MAX][16];
	uint8_t ancestor_count;
	bool foreign_user; /* the uid is another user namespace's own: the host's name for it is wrong */
	bool ended;
};

/* pid and start time to process; bounded by PROCESSES_MAX, the least recently used goes first. */
struct processes;

/* `proc` is where procfs is mounted; NULL reads nothing (recorded or scripted sources). `root` stands before
 * the paths of container runtimes' files: "" on a host. NULL without memory. */
struct processes *processes_new(const char *proc, const char *root);
void processes_free(struct processes *processes);

/* A new program image: forgets what was known of the old one and reads /proc while it can be read.
 * `now_ns` is the observation's time since the Unix epoch. The parent stays who it was at the first exec
 * that was seen, even if it has ended since. */
void processes_exec(struct processes *processes, const struct process_identity *who,
		    const struct observed_process *exec, uint64_t now_ns);
/* It is still found, for streams that end later and for its children, until its place is needed. */
void processes_exit(struct processes *processes, const struct process_identity *who);
/* The process of that identity, made from /proc when it has not been seen before. NULL only without memory. */
const struct process *processes_find(struct processes *processes,
				     const struct process_identity *who);
/* The process that started this one; NULL: not known (any more). Never reads /proc. */
const struct process *processes_parent(struct processes *processes, const struct process *process);
/* The container of a process, with what its runtime's files say; NULL: none is known. */
const struct container *processes_container(struct processes *processes,
					    const struct process *process);
/* Entries that had to go for newer ones while their process still lived. */
uint64_t processes_evicted(const struct processes *processes);
