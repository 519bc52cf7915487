/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct agents;
struct catalog;
struct diag;
struct policy;
struct prices;

/* Where an installation keeps policy.yaml and rules.d/. */
#define RULES_DIRECTORY "/etc/gnomon"

/* What `run` and `audit` work with, sealed. */
struct rule_set {
	struct catalog *catalog;
	struct policy *policy;
	struct prices *prices;
	struct agents *agents;
};

void rule_set_done(struct rule_set *rules);

/*
 * Loads the catalogue, the agents, the policy and the prices: what is built in, /etc/gnomon/policy.yaml and
 * /etc/gnomon/rules.d/ (each may be absent), then `paths` (the --rules of the command line, which must
 * exist). A path is a file or a directory; of a directory the *.yaml and *.json and those of its providers/,
 * agents/ and prices/ subdirectories are taken, in order of name. A file whose name ends with ".json" holds prices, one
 * with a top-level `services` extends the catalogue, one with `agents` or `hosts` the agents, any other is
 * policy.
 *
 * 0: the caller owns the set. -errno: *rules is as before, and `diag` holds every error that was found.
 */
int rules_load(struct rule_set *rules, const char *const *paths, size_t path_count,
	       struct diag *diag);

/* The same with another directory in place of /etc/gnomon; NULL: none is looked at. */
int rules_load_from(const char *directory, struct rule_set *rules, const char *const *paths,
		    size_t path_count, struct diag *diag);
