/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Finds the files that hold TLS functions: libraries by their names at start, then, in a thread of its own,
 * whatever running and new processes map. A scan of a large executable takes half a second, which the
 * pipeline must not wait for.
 */
struct discovery;
struct file_key;
struct gnomon;
struct hooks_report;

struct discovery_config {
	struct gnomon *skel;
	struct hooks_report *report; /* follows what is hooked; outlives the discovery */
	const char *directory; /* where what is found is kept for the next run; NULL: it is not */
	uint64_t health_ns;    /* files with probes are checked this often */
	bool per_process;      /* only the processes of discovery_arm() are hooked */
	/* Called in the thread: the kernel half should tell this file again when it is mapped the next time. */
	void (*gone)(void *ctx, const struct file_key *key);
	void *ctx;
};

/* NULL when out of memory. */
struct discovery *discovery_new(const struct discovery_config *config);
/* Ends the thread and waits for it, and takes all probes off. */
void discovery_free(struct discovery *discovery);
/* Hooks every TLS library of the system's library directories, so that a program started later is seen from
 * its first byte, and those that running processes have mapped, in this thread. */
void discovery_scan_libraries(struct discovery *discovery);
/* Starts the thread, which looks through everything that runs. -errno. */
int discovery_start(struct discovery *discovery);
/* A process has mapped a new file: has it looked at. */
void discovery_process(struct discovery *discovery, uint32_t pid, const struct file_key *key);
/* With per_process: hooks whatever TLS library the process has mapped, also for the second time. -ENOSPC: too many
 * processes are. */
int discovery_arm(struct discovery *discovery, uint32_t pid);
/* The process has ended. */
void discovery_ended(struct discovery *discovery, uint32_t pid);
/* When a file was hooked last, CLOCK_BOOTTIME; any thread. */
uint64_t discovery_armed_ns(const struct discovery *discovery);
