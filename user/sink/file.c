/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/line.h"
#include "util/cleanup.h"
#include "util/diag.h"

/*
 * A file that lines are appended to, made for "create, then SIGHUP" rotation. Lines are handed to the
 * kernel and not synced: a power cut may lose the last seconds, never the order.
 */

/* The group reads: that is where forwarders are put. */
#define FILE_MODE 0640

struct file_sink {
	struct line_writer writer;
	char *path;
};

/* A previous writer may have died, or the disk filled up, in the middle of a line. */
static bool ends_torn(int fd, const struct stat *st)
{
	char last;

	return S_ISREG(st->st_mode) && st->st_size > 0 &&
	       pread(fd, &last, 1, st->st_size - 1) == 1 && last != '\n';
}

/*
 * Returns a descriptor or -errno. O_NOFOLLOW: the sensor may run as root, and a symbolic link in its
 * place would let whoever can write to the directory choose the file that gets appended to. O_NONBLOCK
 * because opening a FIFO would wait for its reader; it does nothing to files.
 */
static int open_log(const char *path, bool *torn, struct diag *diag)
{
	_cleanup_close_ int fd = open(
		path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK,
		FILE_MODE);
	struct stat st;
	int r = 0;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = -errno;
		diag_add(diag, path, 0, 0, "cannot open for appending: %s",
			 r == -ELOOP ? "it is a symbolic link; name its target" : strerror(-r));
		return r;
	}
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)) {
		diag_add(diag, path, 0, 0, "cannot open for appending: not a file");
		return -EINVAL;
	}
	*torn = ends_torn(fd, &st);
	return TAKE_FD(fd);
}

static void file_close(void *state)
{
	struct file_sink *file = state;

	if (file->writer.fd >= 0) {
		line_writer_flush(&file->writer);
		close(file->writer.fd);
	}
	free(file->path);
	free(file);
}

static int file_reopen(void *state, struct diag *diag)
{
	struct file_sink *file = state;
	bool torn = false;
	int fd = open_log(file->path, &torn, diag);

	if (fd < 0)
		return fd;
	if (file->writer.fd >= 0) {
		line_writer_flush(&file->writer);
		close(file->writer.fd);
	}
	line_writer_init(&file->writer, fd);
	if (torn)
		line_writer_torn(&file->writer);
	return 0;
}

static int file_open(void **state, const char *argument, struct diag *diag)
{
	struct file_sink *file;
	int r;

	if (!argument || !*argument) {
		diag_add(diag, NULL, 0, 0, "output \"file\" needs a path: file:PATH");
		return -EINVAL;
	}
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->writer.fd = -1;
	file->path = strdup(argument);
	r = file->path ? file_reopen(file, diag) : -ENOMEM;
	if (r < 0) {
		file_close(file);
		return r;
	}
	*state = file;
	return 0;
}

static int file_write(void *state, const char *line, size_t len)
{
	struct file_sink *file = state;

	return line_write(&file->writer, line, len);
}

const struct sink_ops file_sink = {
	.scheme = "file",
	.open = file_open,
	.write = file_write,
	.reopen = file_reopen,
	.close = file_close,
};
