/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

struct probe_handle {
	const struct probe_means *means;
	void *state;
};

/* Best first. */
static const struct probe_means *const means_table[] = {
	&probe_uprobe_multi,
	&probe_tracefs,
	&probe_perf,
};

const struct probe_means *probe_means_choose(void)
{
	const char *wanted = getenv("GNOMON_PROBES");
	const size_t last = ARRAY_SIZE(means_table) - 1;

	for (size_t i = 0; i < ARRAY_SIZE(means_table); i++)
		if (wanted && strcmp(wanted, means_table[i]->name) == 0) {
			means_table[i]->works(); /* for what it clears away */
			return means_table[i];
		}
	for (size_t i = 0; i < last; i++)
		if (means_table[i]->works())
			return means_table[i];
	return means_table[last];
}

int probe_attach(const struct probe_means *means, const struct probe_set *set,
		 struct probe_handle **handle)
{
	struct probe_handle *h = malloc(sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->means = means;
	r = means->attach(set, &h->state);
	if (r)
		free(h);
	else
		*handle = h;
	return r;
}

void probe_detach(struct probe_handle *handle)
{
	if (!handle)
		return;
	handle->means->detach(handle->state);
	free(handle);
}
