/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "gnomon/event.h"
#include "gnomon/facts.h"
#include "gnomon/finding.h"

struct agents;
struct catalog;
struct diag;
struct policy;
struct policy_state;

/* An empty policy: everything is unsanctioned, no rule exists. NULL when out of memory. */
struct policy *policy_new(void);
void policy_free(struct policy *policy);
/* Adds one YAML text: its provider entries come before those already there, its `default` replaces
 * the old, its rules are added. -EINVAL with every error (file:line:column) in `diag`: the policy
 * is then as before. */
int policy_add(struct policy *policy, const char *name, struct span text, struct diag *diag);
/* Adds everything under policy/ that is embedded in the binary. */
int policy_add_builtin(struct policy *policy, struct diag *diag);
/* Adds a file, or the *.yaml of a directory in order of name. */
int policy_add_path(struct policy *policy, const char *path, struct diag *diag);
/* Compiles; call once after the last add. -EINVAL with every error in `diag` (a rule id twice, a
 * list twice, a $list that is nowhere defined), -ENOMEM. */
int policy_seal(struct policy *policy, struct diag *diag);
/* Checks that every service and vendor that a provider entry of a sealed policy names is in the
 * catalogue, and resolves the vendors: without this call an entry with `vendor` is undetermined.
 * Nothing of the catalogue is kept. -EINVAL with every error in `diag`, -ENOMEM. */
int policy_check_services(struct policy *policy, const struct catalog *catalog, struct diag *diag);
/* Checks that every agent that a provider entry names is known, or "none". -EINVAL with every error in
 * `diag`. */
int policy_check_agents(const struct policy *policy, const struct agents *agents,
			struct diag *diag);

/*
 * Walks the provider list with what the event holds and sets gnomon.verdict and
 * gnomon.verdict_reason on it. The event needs gnomon.service; without it nothing is set.
 *
 * A condition on a field that the event lacks is unknown, and an entry that is unknown ends the
 * walk with "undetermined". Two conditions know better: `models` looks at the request's and the
 * response's model and is unknown only without both; and the service "unknown" (a host that the
 * catalogue does not know, recognised by its API) has no kind, vendor or country to be asked for,
 * so that an entry by those does not match it.
 */
void policy_judge(const struct policy *policy, struct event *event);
/* What there is to say of this event: the rules that fire on it and that the state, which takes the
 * event into account, admits. Returns their number, at most cap. Without a state (NULL) windows never
 * fire and nothing is held back. No allocation. */
size_t policy_match(const struct policy *policy, struct policy_state *state,
		    const struct event *event, struct finding *findings, size_t cap);
size_t policy_rules(const struct policy *policy);
/* Lower-case hex SHA-256 over everything added. */
const char *policy_sha256(const struct policy *policy);

/* A rule of a sealed policy, for lists and tests. */
struct policy_rule_info {
	struct finding finding;
	const char *file;
	unsigned int line;
	size_t tests;
	const char *mode; /* "off", "observe", "alert" */
};

void policy_rule(const struct policy *policy, size_t i, struct policy_rule_info *info);

struct policy_test_result {
	const char *rule_id, *file;
	unsigned int line, column; /* of the test */
	bool expect_alert, fired;
};

enum explain_outcome {
	EXPLAIN_MATCH,
	EXPLAIN_NOT_ABOUT, /* event.action is none of those of the rule, or it was no use */
	EXPLAIN_CONDITION, /* `test` is not true */
	EXPLAIN_HOURS,
	EXPLAIN_EXCEPTION,
};

/* What a rule makes of an event. The texts belong to the policy. */
struct policy_explanation {
	enum explain_outcome outcome;
	bool has_window; /* a match is one more event in it */
	/* The test that decided the condition, as written. */
	struct span test;
	enum tristate test_truth;
	enum field field, other; /* what it compares; FIELD_COUNT: nothing */
	const char *exception_file, *exception_reason, *exception_ticket;
	unsigned int exception_line;
};

/* Of the i-th rule of a sealed policy, whatever its mode. */
void policy_explain(const struct policy *policy, size_t i, const struct event *event,
		    struct policy_explanation *why);

/* Runs the tests that the rules carry, each on its own rule alone and whatever its mode; the
 * provider list is not asked. A rule's own tests see the rule as it was written, those of an override
 * see that override's exceptions too. Calls `report` for each one; *wrong is how many went wrong.
 * -ENOMEM. */
int policy_test(const struct policy *policy,
		void (*report)(void *ctx, const struct policy_test_result *result), void *ctx,
		size_t *wrong);

/* event.severity: 21, 47, 73, 99, and gnomon.severity's word. */
int severity_number(enum severity severity);
const char *severity_name(enum severity severity);
/* -EINVAL: no such word. */
int severity_parse(struct span name);
