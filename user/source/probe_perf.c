/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "source/probe.h"

/*
 * A perf event for each place: what every kernel has. Taking one off waits for RCU, about 0.1 s, also when
 * the process is killed.
 */

struct perf_links {
	size_t count;
	struct bpf_link *links[];
};

/* Tried last, and its errors are the ones to show. */
static bool perf_works(void)
{
	return true;
}

static void perf_detach(void *state)
{
	struct perf_links *links = state;

	for (size_t i = 0; i < links->count; i++)
		bpf_link__destroy(links->links[i]);
	free(links);
}

static int attach_probe(struct perf_links *links, const struct probe_set *set,
			const struct probe *probe)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .retprobe = probe->at_return);

	for (unsigned int i = 0; i < probe->count; i++) {
		struct bpf_link *link =
			bpf_program__attach_uprobe_opts(probe->program, set->pid ? set->pid : -1,
							set->path, probe->offsets[i], &options);

		if (!link)
			return -errno;
		links->links[links->count++] = link;
	}
	return 0;
}

static int perf_attach(const struct probe_set *set, void **state)
{
	struct perf_links *links;
	size_t places = 0;
	int r = 0;

	for (size_t i = 0; i < set->count; i++)
		places += set->probes[i].count;
	links = calloc(1, sizeof(*links) + places * sizeof(struct bpf_link *));
	if (!links)
		return -ENOMEM;
	for (size_t i = 0; i < set->count && !r; i++)
		r = attach_probe(links, set, &set->probes[i]);
	if (r)
		perf_detach(links);
	else
		*state = links;
	return r;
}

const struct probe_means probe_perf = {
	.name = "perf",
	.told = "perf uprobes, one event each",
	.needs_admin = true,
	.works = perf_works,
	.attach = perf_attach,
	.detach = perf_detach,
};
