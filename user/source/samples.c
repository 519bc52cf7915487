/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/samples.h"

#include <bpf/bpf.h>
#include <unistd.h>

void samples_init(struct samples *samples, int link_fd, uint64_t interval_ns)
{
	samples->link_fd = link_fd;
	samples->walk_fd = -1;
	samples->interval_ns = interval_ns;
	samples->next_ns = 0;
	samples->count = samples->at = 0;
}

static void walk_end(struct samples *samples)
{
	if (samples->walk_fd >= 0)
		close(samples->walk_fd);
	samples->walk_fd = -1;
}

void samples_done(struct samples *samples)
{
	walk_end(samples);
}

static void walk_start(struct samples *samples, uint64_t now_ns)
{
	bool first = samples->next_ns == 0;

	samples->next_ns = now_ns + samples->interval_ns;
	if (!first) /* nothing is open yet that would be due */
		samples->walk_fd = bpf_iter_create(samples->link_fd);
}

const struct socket_sample *samples_next(struct samples *samples, uint64_t now_ns)
{
	ssize_t n;

	if (samples->at < samples->count)
		return &samples->batch[samples->at++];
	if (samples->walk_fd < 0) {
		if (samples->link_fd < 0 || now_ns < samples->next_ns)
			return NULL;
		walk_start(samples, now_ns);
		if (samples->walk_fd < 0)
			return NULL;
	}
	/* the kernel gives whole samples only: its buffer holds a multiple of them or stops before */
	n = read(samples->walk_fd, samples->batch, sizeof(samples->batch));
	samples->count = n > 0 ? (size_t)n / sizeof(samples->batch[0]) : 0;
	samples->at = 0;
	if (!samples->count) {
		walk_end(samples);
		return NULL;
	}
	return &samples->batch[samples->at++];
}
