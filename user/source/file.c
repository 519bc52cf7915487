/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

FILE *source_file_open(const char *path)
{
	_cleanup_close_ int fd = -1;
	FILE *file;

	if (strcmp(path, "-") != 0)
		return fopen(path, "re");
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (file)
		TAKE_FD(fd);
	return file;
}
