/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/container.h"

#include <stdint.h>
#include <stdlib.h>

/* The text of /proc/PID/cgroup: whoever may make a cgroup chooses its name. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct container_name name;

	if (!container_from_cgroup(span_of((const char *)data, size), &name))
		return 0;
	if (!name.id[0])
		abort();
	/* what becomes part of a path must not leave it */
	if (name.runtime < CONTAINER_LXC && strspn(name.id, "0123456789abcdef") != 64)
		abort();
	return 0;
}
