/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/line.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void line_writer_init(struct line_writer *writer, int fd)
{
	writer->fd = fd;
	writer->rest_len = 0;
}

void line_writer_torn(struct line_writer *writer)
{
	writer->rest[0] = '\n';
	writer->rest_len = 1;
}

/* Writes all of `text` and returns 0, or -errno; *done tells how much is out either way. */
static int write_all(int fd, const char *text, size_t len, size_t *done)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};

	*done = 0;
	while (*done < len) {
		ssize_t n = write(fd, text + *done, len - *done);

		if (n > 0)
			*done += (size_t)n;
		else if (n == 0)
			return -EIO;
		else if (errno != EAGAIN || poll(&room, 1, -1) < 0)
			return -errno;
	}
	return 0;
}

/* Removes the last `done` bytes of a regular file, if nobody has appended since. */
static int take_back(int fd, size_t done)
{
	struct stat st;
	off_t end = lseek(fd, 0, SEEK_CUR), begin = end - (off_t)done;

	if (end < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size != end || begin < 0)
		return -EINVAL;
	if (ftruncate(fd, begin) < 0 || lseek(fd, begin, SEEK_SET) < 0)
		return -errno;
	return 0;
}

static int write_rest(struct line_writer *writer)
{
	size_t done;
	int r = write_all(writer->fd, writer->rest, writer->rest_len, &done);

	memmove(writer->rest, writer->rest + done, writer->rest_len - done);
	writer->rest_len -= done;
	return r;
}

int line_write(struct line_writer *writer, const char *line, size_t len)
{
	size_t done;
	int r = write_rest(writer);

	assert(len <= sizeof(writer->rest));
	if (r < 0)
		return r;
	r = write_all(writer->fd, line, len, &done);
	if (r == 0 || done == 0)
		return r;
	if (r == -EINTR) {
		memcpy(writer->rest, line + done, len - done);
		writer->rest_len = len - done;
		return 0;
	}
	if (take_back(writer->fd, done) < 0)
		line_writer_torn(writer);
	return r;
}

void line_writer_flush(struct line_writer *writer)
{
	struct pollfd room = {.fd = writer->fd, .events = POLLOUT};

	while (writer->rest_len && poll(&room, 1, 0) == 1 && room.revents & POLLOUT) {
		/* Where there is room at all a pipe has room for this much: it cannot block. */
		size_t len = writer->rest_len < PIPE_BUF ? writer->rest_len : PIPE_BUF;
		ssize_t n = write(writer->fd, writer->rest, len);

		if (n <= 0)
			return;
		memmove(writer->rest, writer->rest + n, writer->rest_len - (size_t)n);
		writer->rest_len -= (size_t)n;
	}
}
