/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "catalog/catalog.h"
#include "catalog/index.h"
#include "util/arena.h"

/* What one catalogue file holds, checked, in the order of the file. */
struct service_list {
	struct service *services;
	size_t service_count, service_cap;
	struct host_rule *rules; /* `service` counts within `services`; `order` is not set */
	size_t rule_count, rule_cap;
};

/* Reads a file into *list, its strings into `arena`. What it overrides is taken from `earlier`, whose
 * strings must live as long. -EINVAL with every error in `diag`, -ENOMEM; the list is then to be
 * released all the same. */
int service_list_load(struct service_list *list, struct arena *arena,
		      const struct service_list *earlier, const char *name, struct span text,
		      struct diag *diag);
void service_list_done(struct service_list *list);
/* Is it an id as rules write them: a-z, 0-9, '-', '.' and '_', shorter than SHORT_NAME_MAX? */
bool service_id_valid(struct span text);
/* Room for one more item of an array that doubles. 0 or -ENOMEM. */
int array_reserve(void **items, size_t *cap, size_t count, size_t size);
