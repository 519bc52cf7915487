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
 * What outlives a restart, as text:
 *
 *   gnomon-state 1 SALT                      32 hex digits
 *   seen KEY LAST EXPIRES                    32 hex digits, nanoseconds since the Unix epoch
 *   throttle KEY SINCE EXPIRES SUPPRESSED    the same, and how many were held back; oldest first
 *   end COUNT
 *
 * The keys are hashes under the salt: the file does not tell what they stand for.
 */

#define FILE_NAME "policy.state"
#define NEW_NAME  "policy.state.new"
#define FILE_MODE 0640
/* A word, 32 digits, three numbers of 20, blanks, line end and NUL, rounded up. */
#define LINE_MAX_BYTES 128

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

static bool take_word(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool read_entry(struct policy_state *state, const char *line)
{
	bool is_seen = take_word(&line, "seen "), fresh;
	struct state_key key;
	struct pool_entry *entry;
	uint64_t from, expires, suppressed = 0;

	if (!is_seen && !take_word(&line, "throttle "))
		return false;
	if (!take_key(&line, &key) || !take_number(&line, ' ', &from) ||
	    !take_number(&line, ' ', &expires) ||
	    (!is_seen && !take_number(&line, ' ', &suppressed)) || *line)
		return false;
	entry = pool_get(is_seen ? &state->seen : &state->throttles, &key, 0, &fresh);
	entry->expires_ns = expires;
	if (is_seen) {
		((struct seen_entry *)entry)->last_ns = from;
	} else {
		((struct throttle_entry *)entry)->since_ns = from;
		((struct throttle_entry *)entry)->suppressed = suppressed;
	}
	return fresh;
}

static int read_state(struct policy_state *state, FILE *file)
{
	char line[LINE_MAX_BYTES];
	const char *at = line;
	uint64_t told;

	if (!read_line(file, line) || !take_word(&at, "gnomon-state 1 ") ||
	    !take_key(&at, &state->salt) || *at)
		return -EINVAL;
	while (read_line(file, line)) {
		at = line;
		if (take_word(&at, "end"))
			return take_number(&at, ' ', &told) && *at == '\0' &&
					       told == state->seen.table.count +
							       state->throttles.table.count
				       ? 0
				       : -EINVAL;
		if (!read_entry(state, line))
			return -EINVAL;
	}
	return ferror(file) ? -EIO : -EINVAL;
}

int policy_state_open(struct policy_state *state, const char *directory, struct diag *diag)
{
	_cleanup_fclose_ FILE *file = NULL;
	int fd, r;

	state->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->dir_fd < 0) {
		r = -errno;
		diag_add(diag, directory, 0, 0, "cannot keep the state of the policy: %s",
			 strerror(-r));
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
	r = read_state(state, file);
	if (r == 0)
		return 0;
	diag_add(diag, directory, 0, 0,
		 FILE_NAME " is damaged: what was seen before counts as new, and alerts may come "
			   "again");
	state_clear(state);
	return r;
}

/* The entries that still count, oldest first; returns their number. */
static size_t write_seen(const struct policy_state *state, FILE *file)
{
	const struct table_link *link = state->seen.table.oldest;
	size_t count = 0;

	for (; link; link = link->newer) {
		const struct seen_entry *entry = table_entry(link, const struct seen_entry,
							     base.link);

		if (entry->base.expires_ns < state->now_ns)
			continue;
		count++;
		fprintf(file, "seen %016" PRIx64 "%016" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
			entry->base.key.a, entry->base.key.b, entry->last_ns,
			entry->base.expires_ns);
	}
	return count;
}

static size_t write_throttles(const struct policy_state *state, FILE *file)
{
	const struct table_link *link = state->throttles.table.oldest;
	size_t count = 0;

	for (; link; link = link->newer) {
		const struct throttle_entry *entry = table_entry(link, const struct throttle_entry,
								 base.link);

		if (entry->base.expires_ns < state->now_ns)
			continue;
		count++;
		fprintf(file,
			"throttle %016" PRIx64 "%016" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64
			"\n",
			entry->base.key.a, entry->base.key.b, entry->since_ns,
			entry->base.expires_ns, entry->suppressed);
	}
	return count;
}

static bool write_state(const struct policy_state *state, FILE *file)
{
	size_t count;

	fprintf(file, "gnomon-state 1 %016" PRIx64 "%016" PRIx64 "\n", state->salt.a,
		state->salt.b);
	count = write_seen(state, file);
	count += write_throttles(state, file);
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
	if (!write_state(state, file) || fsync(fd) < 0)
		return -EIO;
	if (renameat(state->dir_fd, NEW_NAME, state->dir_fd, FILE_NAME) < 0 ||
	    fsync(state->dir_fd) < 0)
		return -errno;
	state->dirty = false;
	return 0;
}
