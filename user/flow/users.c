/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gnomon/limits.h"
#include "gnomon/span.h"
#include "util/cleanup.h"

#define NS_PER_S 1000000000ull

struct name {
	uint32_t id;
	char *text;
};

/* One file. An unreadable one leaves what was known. */
struct names {
	char *path;
	struct name *sorted; /* by id */
	size_t count;
	struct stat seen; /* of what was read last */
};

struct users {
	struct names passwd, group;
	uint64_t checked_ns;
	bool checked;
};

static void names_clear(struct name *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i].text);
	free(names);
}

/* The place of `id`, or where it belongs. */
static size_t names_find(const struct name *names, size_t count, uint32_t id)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (names[middle].id < id)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/* Up to the next ':' or the end; moves past it. */
static struct span take_field(struct span *line)
{
	const char *colon = line->len ? memchr(line->at, ':', line->len) : NULL;
	struct span field = span_of(line->at, colon ? (size_t)(colon - line->at) : line->len);

	*line = span_skip(*line, field.len + 1);
	return field;
}

/* "name:password:id:" begins a line of either file. */
static bool parse_line(struct span line, struct span *name, uint32_t *id)
{
	struct span digits;
	uint64_t value = 0;

	*name = take_field(&line);
	take_field(&line);
	digits = take_field(&line);
	if (name->len == 0 || name->at[0] == '#' || digits.len == 0 || digits.len > 10)
		return false;
	/* Without a colon the id may be the start of a longer one. */
	if (digits.at[digits.len] != ':')
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(digits.at[i] - '0');
	}
	*id = (uint32_t)value;
	return value <= UINT32_MAX;
}

/* The first entry of an id counts, as getpwuid(3) has it. */
static int add_line(struct name *names, size_t *count, struct span line)
{
	struct span name;
	uint32_t id;
	size_t at;
	char *text;

	if (!parse_line(line, &name, &id))
		return 0;
	at = names_find(names, *count, id);
	if (at < *count && names[at].id == id)
		return 0;
	text = strndup(name.at, name.len);
	if (!text)
		return -ENOMEM;
	memmove(names + at + 1, names + at, (*count - at) * sizeof(*names));
	names[at] = (struct name){id, text};
	++*count;
	return 0;
}

static int read_names(FILE *file, struct name *names, size_t *count)
{
	char buffer[USERS_LINE_MAX];
	bool begins = true;
	size_t total = 0;

	while (*count < USERS_CACHED_MAX && total < USERS_FILE_BYTES_MAX &&
	       fgets(buffer, sizeof(buffer), file)) {
		size_t len = strlen(buffer);
		bool ends = len > 0 && buffer[len - 1] == '\n';
		int r = begins ? add_line(names, count, span_of(buffer, len - ends)) : 0;

		if (r < 0)
			return r;
		/* What follows in a long line is members or a home directory. */
		begins = ends;
		total += len + 1;
	}
	return ferror(file) ? -EIO : 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int names_read(struct names *names)
{
	_cleanup_fclose_ FILE *file = fopen(names->path, "re");
	struct name *fresh;
	struct stat st;
	size_t count = 0;
	int r;

	if (!file || fstat(fileno(file), &st) < 0)
		return -errno;
	fresh = calloc(USERS_CACHED_MAX, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	r = read_names(file, fresh, &count);
	if (r < 0) {
		names_clear(fresh, count);
		return r;
	}
	names_clear(names->sorted, names->count);
	names->sorted = fresh;
	names->count = count;
	names->seen = st;
	return 0;
}

static void names_refresh(struct names *names)
{
	struct stat st;

	if (stat(names->path, &st) == 0 && !same_file(&st, &names->seen))
		names_read(names);
}

static void refresh(struct users *users, uint64_t now_ns)
{
	if (users->checked && now_ns < users->checked_ns + NS_PER_S)
		return;
	users->checked = true;
	users->checked_ns = now_ns;
	names_refresh(&users->passwd);
	names_refresh(&users->group);
}

static const char *lookup(const struct names *names, uint32_t id)
{
	size_t at = names_find(names->sorted, names->count, id);

	return at < names->count && names->sorted[at].id == id ? names->sorted[at].text : NULL;
}

struct users *users_new(const char *passwd_path, const char *group_path)
{
	struct users *users = calloc(1, sizeof(*users));

	if (!users)
		return NULL;
	users->passwd.path = strdup(passwd_path);
	users->group.path = strdup(group_path);
	if (!users->passwd.path || !users->group.path) {
		users_free(users);
		return NULL;
	}
	return users;
}

static void names_done(struct names *names)
{
	names_clear(names->sorted, names->count);
	free(names->path);
}

void users_free(struct users *users)
{
	if (!users)
		return;
	names_done(&users->passwd);
	names_done(&users->group);
	free(users);
}

const char *users_name(struct users *users, uint32_t uid, uint64_t now_ns)
{
	refresh(users, now_ns);
	return lookup(&users->passwd, uid);
}

const char *users_group(struct users *users, uint32_t gid, uint64_t now_ns)
{
	refresh(users, now_ns);
	return lookup(&users->group, gid);
}
