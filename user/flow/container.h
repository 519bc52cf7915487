/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "gnomon/limits.h"
#include "gnomon/span.h"

/*
 * Which container a process runs in, by the path of its cgroup, and what the runtime's own files say of
 * that container.
 */

enum container_runtime {
	CONTAINER_OTHER, /* an id of a runtime that the path does not name */
	CONTAINER_DOCKER,
	CONTAINER_CONTAINERD,
	CONTAINER_CRIO,
	CONTAINER_PODMAN,
	CONTAINER_LXC,
	CONTAINER_NSPAWN,
};

struct container_name {
	enum container_runtime runtime;
	char id[CONTAINER_ID_MAX]; /* 64 hexadecimal digits; a name with LXC and nspawn */
};

/*
 * Finds the container in the text of /proc/PID/cgroup (cgroups(7)), of cgroup v1, v2 or both. Of containers
 * in containers the innermost. False: in none, or of a runtime that is not known. Monitors of
 * runtimes (conmon), services and sessions are no containers.
 */
bool container_from_cgroup(struct span text, struct container_name *name);

/* One container. What is not known is NULL. */
struct container {
	struct container_name name;
	char *image; /* as the user named it */
	char *pod_namespace, *pod;
};

/* The containers that somebody holds. */
struct containers;

/* `root` stands before the paths of the runtimes' files: "" on a host. NULL without memory. */
struct containers *containers_new(const char *root);
/* Nobody holds one any more. */
void containers_free(struct containers *containers);
/* The container of that name, to be given back by containers_put(). NULL without memory. */
struct container *containers_get(struct containers *containers, const struct container_name *name);
/* NULL is allowed. */
void containers_put(struct containers *containers, struct container *container);
/* Reads what the runtime's files say, the first time; they may be gone or not readable. */
void containers_describe(struct containers *containers, struct container *container);
