/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/mounts.h"

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>

#include "gnomon/span.h"

int mount_point(const char *type, char *path, size_t cap)
{
	struct mntent entry, *found;
	char buffer[4096];
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	int r = -ENOENT;

	if (!mounts)
		return -errno;
	while ((found = getmntent_r(mounts, &entry, buffer, sizeof(buffer))))
		if (strcmp(found->mnt_type, type) == 0) {
			r = span_copy(path, cap, span_str(found->mnt_dir)) ? 0 : -ENAMETOOLONG;
			break;
		}
	endmntent(mounts);
	return r;
}
