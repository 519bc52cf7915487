/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "flow/container.h"

struct container_facts {
	char image[CONTAINER_IMAGE_MAX];
	char pod_namespace[CONTAINER_POD_MAX], pod[CONTAINER_POD_MAX];
};

/*
 * What the files of Docker, containerd, CRI-O and podman say of a container, by their places' defaults
 * below `root`. Empty: not known. Only of runtimes whose ids are hexadecimal, so that an id is no path.
 */
void container_files_read(const char *root, const struct container_name *name,
			  struct container_facts *facts);
