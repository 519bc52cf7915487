/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "gnomon/span.h"
#include "util/arena.h"

struct diag;

struct agent_globs {
	const struct span *items;
	size_t count;
};

struct agent_header {
	struct span name;  /* a glob in lower case */
	struct span value; /* a glob; empty: any */
};

struct agent {
	const char *id, *vendor;
	struct agent_globs executables, scripts, user_agents;
	const struct agent_header *headers;
	size_t header_count;
};

/* What one file holds, checked, in its order; all of it lives in the arena. */
struct agent_list {
	struct agent *agents;
	size_t agent_count;
	struct agent_globs hosts;
};

/* Reads a file into *list. -EINVAL with every error in `diag`, or -ENOMEM. */
int agent_list_load(struct agent_list *list, struct arena *arena, const char *name,
		    struct span text, struct diag *diag);
