/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "gnomon/event.h"
#include "gnomon/finding.h"

struct diag;
struct policy;

/* An empty policy: everything is unsanctioned, no rule exists. NULL when out of memory. */
struct policy *policy_new(void);
void policy_free(struct policy *policy);
/* Adds one YAML text: its provider entries come before those already there, its `default` replaces
 * the old, its rules are added. -EINVAL with every error (file:line:column) in `diag`. */
int policy_add(struct policy *policy, const char *name, struct span text, struct diag *diag);
int policy_add_builtin(struct policy *policy, struct diag *diag);
/* Adds a file, or the *.yaml of a directory in order of name. */
int policy_add_path(struct policy *policy, const char *path, struct diag *diag);
/* Compiles; call once after the last add. */
int policy_seal(struct policy *policy, struct diag *diag);

/* Walks the provider list with what the event holds and sets gnomon.verdict and
 * gnomon.verdict_reason on it. The event needs gnomon.service. */
void policy_judge(const struct policy *policy, struct event *event);
/* The rules that fire on this event; returns their number, at most cap. No allocation. */
size_t policy_match(const struct policy *policy, const struct event *event, struct finding *findings,
		    size_t cap);
size_t policy_rules(const struct policy *policy);
const char *policy_sha256(const struct policy *policy);

/* event.severity: 21, 47, 73, 99, and gnomon.severity's word. */
int severity_number(enum severity severity);
const char *severity_name(enum severity severity);
/* -EINVAL: no such word. */
int severity_parse(struct span name);
