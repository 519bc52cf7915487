/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/iteration.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

void iteration_init(struct iteration *iteration, size_t item_bytes)
{
	iteration->fd = -1;
	iteration->item_bytes = item_bytes;
	iteration->count = iteration->at = 0;
}

void iteration_done(struct iteration *iteration)
{
	if (iteration->fd >= 0)
		close(iteration->fd);
	iteration->fd = -1;
	iteration->count = iteration->at = 0;
}

int iteration_start(struct iteration *iteration, int link_fd)
{
	int fd = bpf_iter_create(link_fd);

	if (fd < 0)
		return fd;
	iteration_done(iteration);
	iteration->fd = fd;
	return 0;
}

/* The kernel's buffer holds whole items, and so does what is asked of it: no item comes in two reads. */
const void *iteration_next(struct iteration *iteration)
{
	size_t whole = sizeof(iteration->batch) / iteration->item_bytes * iteration->item_bytes;
	ssize_t n;

	if (iteration->at == iteration->count) {
		if (iteration->fd < 0)
			return NULL;
		do /* the kernel pauses after a million files without an item */
			n = read(iteration->fd, iteration->batch, whole);
		while (n < 0 && (errno == EAGAIN || errno == EINTR));
		iteration->count = n > 0 ? (size_t)n / iteration->item_bytes : 0;
		iteration->at = 0;
		if (!iteration->count) {
			iteration_done(iteration);
			return NULL;
		}
	}
	return iteration->batch + iteration->at++ * iteration->item_bytes;
}
