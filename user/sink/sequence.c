/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/sequence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/hash.h"
#include "util/text.h"

/* 16 hex digits, ".sequence" or ".lock" or ".new" */
#define FILE_NAME_MAX 32
#define FILE_MODE     0640

struct sequence {
	uint64_t next;     /* number to give out */
	uint64_t reserved; /* end of the reserved block: numbers below it are ours */
	uint64_t failures;
	int dir_fd; /* -1: in memory only */
	int lock_fd;
	char file[FILE_NAME_MAX], fresh[FILE_NAME_MAX];
};

static int write_number(int fd, uint64_t number)
{
	char text[TEXT_VALUE_MAX];
	size_t len = text_uint(text, number);
	ssize_t n;

	text[len++] = '\n';
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	if ((size_t)n < len)
		return -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

/* Replaces the file by one that says `number`: after a crash at any point there is the old or the new. */
static int save(const struct sequence *sequence, uint64_t number)
{
	_cleanup_close_ int fd = openat(sequence->dir_fd, sequence->fresh,
					O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
					FILE_MODE);
	int r;

	if (fd < 0)
		return -errno;
	r = write_number(fd, number);
	if (r < 0)
		return r;
	if (renameat(sequence->dir_fd, sequence->fresh, sequence->dir_fd, sequence->file) < 0)
		return -errno;
	return fsync(sequence->dir_fd) < 0 ? -errno : 0;
}

/* The number the file holds, 1 without a file. */
static int load(const struct sequence *sequence, uint64_t *number)
{
	_cleanup_close_ int fd = openat(sequence->dir_fd, sequence->file,
					O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[TEXT_VALUE_MAX];
	uint64_t value = 0;
	ssize_t n;

	if (fd < 0 && errno == ENOENT) {
		*number = 1;
		return 0;
	}
	n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	if (n < 0)
		return -errno;
	/* Digits and a line end, as written; far below the end of the type. */
	if (n < 2 || n > 19 || text[n - 1] != '\n')
		return -EINVAL;
	for (ssize_t i = 0; i < n - 1; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*number = value;
	return value ? 0 : -EINVAL;
}

/* Two writers of one output would number twice. */
static int lock(struct sequence *sequence, const char *name)
{
	sequence->lock_fd = openat(sequence->dir_fd, name,
				   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (sequence->lock_fd < 0)
		return -errno;
	if (flock(sequence->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

static int open_files(struct sequence *sequence, const char *dir, struct span name,
		      struct diag *diag)
{
	uint64_t hash = hash_fnv1a(HASH_START, name);
	char lock_name[FILE_NAME_MAX];
	int r;

	snprintf(sequence->file, sizeof(sequence->file), "%016" PRIx64 ".sequence", hash);
	snprintf(sequence->fresh, sizeof(sequence->fresh), "%016" PRIx64 ".new", hash);
	snprintf(lock_name, sizeof(lock_name), "%016" PRIx64 ".lock", hash);

	sequence->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sequence->dir_fd < 0) {
		r = -errno;
		diag_add(diag, dir, 0, 0, "cannot keep sequence numbers: %s", strerror(-r));
		return r;
	}
	r = lock(sequence, lock_name);
	if (r == -EBUSY) {
		diag_add(diag, dir, 0, 0, "another process already writes to output \"%.*s\"",
			 (int)name.len, name.at);
		return r;
	}
	if (r == 0)
		r = load(sequence, &sequence->next);
	if (r == -EINVAL)
		diag_add(diag, dir, 0, 0,
			 "%s holds no sequence number; remove it to start again at 1",
			 sequence->file);
	else if (r < 0)
		diag_add(diag, dir, 0, 0, "cannot keep sequence numbers: %s", strerror(-r));
	sequence->reserved = sequence->next;
	return r;
}

static void release(struct sequence *sequence)
{
	if (sequence->lock_fd >= 0)
		close(sequence->lock_fd);
	if (sequence->dir_fd >= 0)
		close(sequence->dir_fd);
	free(sequence);
}

int sequence_open(struct sequence **sequence, const char *dir, struct span name, struct diag *diag)
{
	struct sequence *opened = calloc(1, sizeof(*opened));
	int r;

	if (!opened)
		return -ENOMEM;
	opened->next = 1;
	opened->reserved = UINT64_MAX;
	opened->dir_fd = -1;
	opened->lock_fd = -1;
	r = dir ? open_files(opened, dir, name, diag) : 0;
	if (r < 0) {
		release(opened);
		return r;
	}
	*sequence = opened;
	return 0;
}

uint64_t sequence_next(struct sequence *sequence)
{
	if (sequence->next >= sequence->reserved) {
		uint64_t end = sequence->next + SEQUENCE_BLOCK;

		/* On failure too: trying again at every event would cost more than it gains. */
		sequence->reserved = end;
		if (save(sequence, end) < 0)
			sequence->failures++;
	}
	return sequence->next++;
}

uint64_t sequence_failures(const struct sequence *sequence)
{
	return sequence->failures;
}

void sequence_close(struct sequence *sequence)
{
	if (!sequence)
		return;
	/* A failure leaves the end of the block: a gap, no repetition. */
	if (sequence->dir_fd >= 0)
		save(sequence, sequence->next);
	release(sequence);
}
