/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct catalog;
struct diag;
struct policy;

/* Where an installation keeps policy.yaml and rules.d/. */
#define RULES_DIRECTORY "/etc/gnomon"

/*
 * Loads the catalogue and the policy that `run` and `audit` work with, and seals both: what is
 * built in, /etc/gnomon/policy.yaml and /etc/gnomon/rules.d/ (each may be absent), then `paths`
 * (the --rules of the command line, which must exist). A path is a file or a directory; of a
 * directory the *.yaml and those of its providers/ subdirectory are taken, in order of name. A file
 * with a top-level `services` extends the catalogue, any other is policy.
 *
 * 0: the caller owns both. -errno: neither is set, and `diag` holds every error that was found.
 */
int rules_load(struct catalog **catalog, struct policy **policy, const char *const *paths,
	       size_t path_count, struct diag *diag);

/* The same with another directory in place of /etc/gnomon; NULL: none is looked at. */
int rules_load_from(const char *directory, struct catalog **catalog, struct policy **policy,
		    const char *const *paths, size_t path_count, struct diag *diag);
