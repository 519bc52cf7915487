/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/samples.h"

#include <stdbool.h>

void samples_init(struct samples *samples, int link_fd, uint64_t interval_ns)
{
	iteration_init(&samples->walk, sizeof(struct socket_sample));
	samples->link_fd = link_fd;
	samples->interval_ns = interval_ns;
	samples->next_ns = 0;
}

void samples_done(struct samples *samples)
{
	iteration_done(&samples->walk);
}

const struct socket_sample *samples_next(struct samples *samples, uint64_t now_ns)
{
	bool first = samples->next_ns == 0;

	if (samples->walk.fd < 0) {
		if (samples->link_fd < 0 || now_ns < samples->next_ns)
			return NULL;
		samples->next_ns = now_ns + samples->interval_ns;
		if (first) /* nothing is open yet that would be due */
			return NULL;
		iteration_start(&samples->walk, samples->link_fd);
	}
	return iteration_next(&samples->walk);
}
