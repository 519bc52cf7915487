/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/proc_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "util/cleanup.h"

#define NS_PER_S 1000000000ULL
/* "/proc", a pid, a name. */
#define PROC_PATH_MAX 128

uint64_t proc_tick_ns(void)
{
	return NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);
}

ssize_t proc_read(const char *proc, uint32_t pid, const char *file, char *to, size_t cap)
{
	_cleanup_close_ int fd = -1;
	char path[PROC_PATH_MAX];
	size_t used = 0;

	snprintf(path, sizeof(path), "%s/%u/%s", proc, pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* the kernel gives whole records, which may be fewer bytes than there is room for */
	while (used < cap - 1) {
		ssize_t n = read(fd, to + used, cap - 1 - used);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	to[used] = '\0';
	return (ssize_t)used;
}

ssize_t proc_link(const char *proc, uint32_t pid, const char *link, char *to, size_t cap)
{
	char path[PROC_PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%u/%s", proc, pid, link);
	n = readlink(path, to, cap - 1);
	if (n < 0)
		return -errno;
	to[n] = '\0';
	return n;
}

/* Fields 4 and 22 of proc_pid_stat(5), counted behind the name's last parenthesis, since the name may hold
 * anything. */
int proc_stat(const char *proc, uint32_t pid, uint32_t *parent, uint64_t *start_ns)
{
	unsigned long long ticks = 0;
	char text[1024], *at;
	ssize_t n = proc_read(proc, pid, "stat", text, sizeof(text));

	if (n < 0)
		return (int)n;
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1,
			  " %*c %u %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			  "%*d %*d %llu",
			  parent, &ticks) != 2)
		return -EPROTO;
	*start_ns = ticks * proc_tick_ns();
	return 0;
}

bool proc_name(const char *proc, uint32_t pid, char *to, size_t cap)
{
	char text[64];

	if (proc_read(proc, pid, "comm", text, sizeof(text)) < 0)
		return false;
	span_copy(to, cap, span_of(text, strcspn(text, "\n")));
	return true;
}

/* A number up to 2^32 - 1 with blanks before it. */
static bool take_number(struct span *line, uint64_t *value)
{
	size_t i = 0, begin;

	while (i < line->len && line->at[i] == ' ')
		i++;
	*value = 0;
	for (begin = i; i < line->len && line->at[i] >= '0' && line->at[i] <= '9'; i++) {
		*value = *value * 10 + (uint64_t)(line->at[i] - '0');
		if (*value > UINT32_MAX)
			return false;
	}
	*line = span_skip(*line, i);
	return i > begin;
}

bool proc_uid_is_foreign(struct span uid_map, uint32_t uid)
{
	while (uid_map.len) {
		const char *end = memchr(uid_map.at, '\n', uid_map.len);
		struct span line = span_of(uid_map.at,
					   end ? (size_t)(end - uid_map.at) : uid_map.len);
		uint64_t inside, outside, count;

		uid_map = span_skip(uid_map, line.len + 1);
		if (!take_number(&line, &inside) || !take_number(&line, &outside) ||
		    !take_number(&line, &count))
			continue;
		if (uid < outside || uid - outside >= count)
			continue;
		return count != 1 && !(inside == 0 && outside == 0 && count == UINT32_MAX);
	}
	/* not mapped at all: it belongs to the host */
	return false;
}
