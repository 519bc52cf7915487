/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The ways of putting eBPF programs on instructions of files (uprobes). Which of them a kernel has is found out
 * by trying; a way is one file and one row in probe.c.
 */

struct bpf_program;
struct probe_dispatch;

/* One program at some places of a file, or at the returns of the functions that begin there. */
struct probe {
	const struct bpf_program *program; /* loaded with the means' attach_type */
	const unsigned long *offsets;      /* in the file, bytes */
	unsigned int count;                /* 0: nothing to do */
	bool at_return;
};

/* Probes on one file. */
struct probe_set {
	const char *path; /* of the file; /proc/self/fd/N reaches any. Without white space. */
	pid_t pid;        /* only this process; 0: every one that runs the file */
	const struct probe *probes;
	size_t count;
	/* Lets all entry probes share an event; NULL: the means has no use for it. Outlives the handle. */
	struct probe_dispatch *dispatch;
};

struct probe_means {
	const char *name; /* what GNOMON_PROBES in the environment chooses it by */
	const char *told; /* for people */
	int attach_type;  /* expected_attach_type of programs that are attached so */
	bool dispatches;  /* makes use of the set's dispatch */
	bool needs_admin; /* CAP_SYS_ADMIN, where perf_event_paranoid is 3 */

	/* Does this kernel have it, and may this process use it? May clear away what a predecessor that
	 * crashed left behind. */
	bool (*works)(void);
	/* Attaches all of the set and fills *state, or nothing and -errno. */
	int (*attach)(const struct probe_set *set, void **state);
	void (*detach)(void *state);
};

extern const struct probe_means probe_uprobe_multi, probe_tracefs, probe_perf;

/* The best means of this kernel; never NULL: the last one is taken when none seems to work, and says why when it
 * attaches. GNOMON_PROBES in the environment, for tests, names the one to take. Needs CAP_BPF and CAP_PERFMON. */
const struct probe_means *probe_means_choose(void);

/* The probes of one file, to be detached together. */
struct probe_handle;

/* Attaches all of the set in the order given, or nothing and -errno; the set is not kept. *handle is for
 * probe_detach() alone to free. */
int probe_attach(const struct probe_means *means, const struct probe_set *set,
		 struct probe_handle **handle);
/* Takes the probes off, which may take 0.1 s for each event of older kernels. NULL is allowed. */
void probe_detach(struct probe_handle *handle);
