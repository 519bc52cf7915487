/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/observation.h"

/* A process that was seen. The strings live as long as the entry. */
struct process {
	uint32_t pid, parent_pid, uid, gid;
	uint64_t start_ns;   /* CLOCK_BOOTTIME */
	uint64_t started_ns; /* since the Unix epoch, 0: not known */
	char name[16];
	char parent_name[16];
	char executable[PROCESS_PATH_MAX]; /* empty: not known */
	bool ended;
};

/* pid and start time to process; bounded by PROCESSES_MAX, the least recently used goes first. */
struct processes;

/* `proc` is where procfs is mounted; NULL reads nothing (recorded or scripted sources). */
struct processes *processes_new(const char *proc);
void processes_free(struct processes *processes);

/* A new program image: forgets what was known of the old one and reads /proc while it can be read.
 * `now_ns` is the observation's time since the Unix epoch. */
void processes_exec(struct processes *processes, const struct process_identity *who,
		    const struct observed_process *exec, uint64_t now_ns);
/* It is still found, for streams that end later, until its place is needed. */
void processes_exit(struct processes *processes, const struct process_identity *who);
/* The process of that identity, made from /proc when it has not been seen before. NULL only without memory. */
const struct process *processes_find(struct processes *processes,
				     const struct process_identity *who);
/* Entries that had to go for newer ones while their process still lived. */
uint64_t processes_evicted(const struct processes *processes);
