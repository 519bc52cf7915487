/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/state_internal.h"
#include "util/cleanup.h"
#include "util/diag.h"

/*
 * What was seen before, as text:
 *
 *   gnomon-seen 1 SALT              32 hex digits
 *   KEY LAST EXPIRES                32 hex digits, nanoseconds since the Unix epoch; oldest first
 *   end COUNT
 *
 * The keys are hashes under the salt: the file does not tell what they stand for.
 */

#define FILE_NAME "policy.seen"
#define NEW_NAME  "policy.seen.new"
#define FILE_MODE 0640
/* 32 digits, two numbers of 20, blanks, line end and NUL, rounded up. */
#define LINE_MAX_BYTES 96

static bool take_key(const char **at, struct state_key *key)
{
	uint64_t part[2] = {0};

	for (size_t i = 0; i < 32; i++) {
		char c = *(*at)++;
		unsigned int digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned int)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned int)(c - 'a') + 10;
		else
			return false;
		part[i / 16] = part[i / 16] << 4 | digit;
	}
	*key = (struct state_key){part[0], part[1]};
	return true;
}

static bool take_number(const char **at, char before, uint64_t *number)
{
	const char *from;

	if (*(*at)++ != before)
		return false;
	from = *at;
	for (*number = 0; **at >= '0' && **at <= '9' && *at - from < 19; (*at)++)
		*number = *number * 10 + (uint64_t)(**at - '0');
	return *at > from;
}

/* One line; false at the end of the file, and for one that is cut or too long. */
static bool read_line(FILE *file, char line[static LINE_MAX_BYTES])
{
	char *end;

	if (!fgets(line, LINE_MAX_BYTES, file))
		return false;
	end = strchr(line, '\n');
	if (!end)
		return false;
	*end = '\0';
	return true;
}

static bool read_entry(struct policy_state *state, const char *line)
{
	struct seen_entry *entry;
	struct state_key key;
	uint64_t last, expires;
	bool fresh;

	if (!take_key(&line, &key) || !take_number(&line, ' ', &last) ||
	    !take_number(&line, ' ', &expires) || *line)
		return false;
	entry = (struct seen_entry *)pool_get(&state->seen, &key, 0, &fresh);
	entry->last_ns = last;
	entry->base.expires_ns = expires;
	return fresh;
}

static int read_seen(struct policy_state *state, FILE *file)
{
	static const char head[] = "gnomon-seen 1 ";
	char line[LINE_MAX_BYTES];
	const char *at = line;
	uint64_t told;

	if (!read_line(file, line) || strncmp(line, head, sizeof(head) - 1) != 0)
		return -EINVAL;
	at += sizeof(head) - 1;
	if (!take_key(&at, &state->salt) || *at)
		return -EINVAL;
	while (read_line(file, line)) {
		at = line + 3;
		if (strncmp(line, "end", 3) == 0)
			return take_number(&at, ' ', &told) && *at == '\0' &&
					       told == state->seen.table.count
				       ? 0
				       : -EINVAL;
		if (!read_entry(state, line))
			return -EINVAL;
	}
	return ferror(file) ? -EIO : -EINVAL;
}

/* Empties what a file that turned out wrong has left. */
static int forget(struct policy_state *state)
{
	pool_done(&state->seen);
	return pool_init(&state->seen, STATE_SEEN_MAX, sizeof(struct seen_entry));
}

int policy_state_open(struct policy_state *state, const char *directory, struct diag *diag)
{
	_cleanup_fclose_ FILE *file = NULL;
	int fd, r;

	state->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->dir_fd < 0) {
		r = -errno;
		diag_add(diag, directory, 0, 0, "cannot keep what was seen: %s", strerror(-r));
		return r;
	}
	fd = openat(state->dir_fd, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return 0;
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file) {
		r = -errno;
		diag_add(diag, directory, 0, 0, "cannot read " FILE_NAME ": %s", strerror(-r));
		if (fd >= 0)
			close(fd);
		return r;
	}
	r = read_seen(state, file);
	if (r == 0)
		return 0;
	diag_add(diag, directory, 0, 0,
		 FILE_NAME " is damaged: what was seen before counts as new");
	return forget(state) ? -ENOMEM : r;
}

static bool write_seen(const struct policy_state *state, FILE *file)
{
	const struct table_link *link = state->seen.table.oldest;
	size_t count = 0;

	fprintf(file, "gnomon-seen 1 %016" PRIx64 "%016" PRIx64 "\n", state->salt.a, state->salt.b);
	for (; link; link = link->newer) {
		const struct seen_entry *entry = table_entry(link, const struct seen_entry,
							     base.link);

		if (entry->base.expires_ns < state->now_ns)
			continue;
		count++;
		fprintf(file, "%016" PRIx64 "%016" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
			entry->base.key.a, entry->base.key.b, entry->last_ns,
			entry->base.expires_ns);
	}
	fprintf(file, "end %zu\n", count);
	return !ferror(file) && fflush(file) == 0;
}

int policy_state_save(struct policy_state *state)
{
	_cleanup_fclose_ FILE *file = NULL;
	int fd;

	if (state->dir_fd < 0 || !state->dirty)
		return 0;
	fd = openat(state->dir_fd, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		    FILE_MODE);
	if (fd < 0)
		return -errno;
	file = fdopen(fd, "w");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	if (!write_seen(state, file) || fsync(fd) < 0)
		return -EIO;
	if (renameat(state->dir_fd, NEW_NAME, state->dir_fd, FILE_NAME) < 0 ||
	    fsync(state->dir_fd) < 0)
		return -errno;
	state->dirty = false;
	return 0;
}
