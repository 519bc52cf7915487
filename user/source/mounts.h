/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

/* Where a file system of that type (cgroup2, tracefs) is mounted first. -ENOENT: nowhere; -ENAMETOOLONG. */
int mount_point(const char *type, char *path, size_t cap);
