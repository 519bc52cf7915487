/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct diag;

/*
 * What a policy remembers from event to event: which alerts were given and how many were held back,
 * how far windows have filled, and which values were seen before. It is apart from the compiled
 * policy and goes by the rules' ids, so that a reload keeps it. All memory is taken at the start;
 * when a table is full its oldest entry makes room, which is counted.
 */
struct policy_state;

/* `lasting`: it goes on for as long as the host is watched, so that windows of what is new can speak. In
 * a look at one capture all is new, and they are silent. NULL when out of memory. */
struct policy_state *policy_state_new(bool lasting);
void policy_state_free(struct policy_state *state);

struct policy_state_stats {
	uint64_t suppressed; /* alerts held back by throttles */
	uint64_t evicted;    /* entries that made room before their time */
	uint64_t dropped;    /* findings beyond FINDINGS_PER_EVENT_MAX */
};

void policy_state_stats(const struct policy_state *state, struct policy_state_stats *stats);

/* Reads what outlives a restart (what was seen before, and which alerts are held back) from a file in
 * `directory`, which is also where policy_state_save() will write it. Windows begin anew. Call before the
 * first event. 0, also when there is no file yet; -errno with the reason in `diag`: nothing is known, and a
 * file that could not be read will be replaced. */
int policy_state_open(struct policy_state *state, const char *directory, struct diag *diag);
/* Replaces the file, if there is anything new to write: after a crash there is the old or the new
 * one. 0 without policy_state_open(). -errno: it will be tried again with the next call. */
int policy_state_save(struct policy_state *state);
