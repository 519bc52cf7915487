/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/span.h"

struct agents;
struct diag;
struct http_head;

/* gnomon.agent of a process that is known and is none. */
#define AGENT_NONE "none"

/* What an agent was recognised by: bits of agent_match.evidence, in the order of agent_evidence_names. */
enum agent_evidence {
	AGENT_BY_EXECUTABLE,
	AGENT_BY_SCRIPT,
	AGENT_BY_USER_AGENT,
	AGENT_BY_HEADER,
	AGENT_BY_ANCESTOR,
	AGENT_EVIDENCE_COUNT,
};

extern const char *const agent_evidence_names[AGENT_EVIDENCE_COUNT];

/* A process, or one of its ancestors. Empty: not known. */
struct agent_program {
	struct span name, executable, script;
};

struct agent_subject {
	const struct agent_program *programs; /* the process, then its ancestors, nearest first */
	size_t program_count;                 /* 0: the process is not known */
	const struct http_head *head;         /* of its request; NULL: not seen */
};

struct agent_match {
	const char *id; /* AGENT_NONE; NULL: cannot be told. Lives as long as the agents. */
	unsigned int confidence; /* 0..100, 0 without an agent */
	unsigned int evidence;
};

/* None. NULL when out of memory. */
struct agents *agents_new(void);
void agents_free(struct agents *agents);
/* Adds one YAML text (rules/README.md tells the format); `name` is for messages. An agent of a later file
 * replaces that of the same id and is tried first. -EINVAL with every error in `diag`, or -ENOMEM: the
 * agents are then as before. */
int agents_add(struct agents *agents, const char *name, struct span text, struct diag *diag);
/* Adds everything under agents/ that is embedded in the binary. */
int agents_add_builtin(struct agents *agents, struct diag *diag);
size_t agents_count(const struct agents *agents);
/* The i-th agent's id. */
const char *agents_id(const struct agents *agents, size_t i);

/*
 * Who called. What the process is counts before what its request says, since anybody can send a
 * User-Agent; only inside of a host of extensions the request counts first. Failing both, the nearest
 * ancestor that is an agent, up to the first host. Allocates nothing.
 */
void agents_match(const struct agents *agents, const struct agent_subject *subject,
		  struct agent_match *match);
