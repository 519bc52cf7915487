/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "gnomon/limits.h"
#include "gnomon/span.h"
#include "util/cleanup.h"
#include "util/diag.h"

static int read_all(int fd, size_t max, struct file_text *text)
{
	_cleanup_free_ char *bytes = NULL;
	size_t len = 0, cap = 0;

	for (;;) {
		ssize_t n;

		if (len + 1 >= cap) {
			size_t want = cap ? cap * 2 : 4096;
			char *more = realloc(bytes, want);

			if (!more)
				return -ENOMEM;
			bytes = more;
			cap = want;
		}
		n = read(fd, bytes + len, cap - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > max)
			return -EFBIG;
	}
	bytes[len] = '\0';
	text->len = len;
	text->at = TAKE_PTR(bytes);
	return 0;
}

int file_read(const char *path, size_t max, struct file_text *text, struct diag *diag)
{
	/* Non-blocking: a FIFO must not hold the caller up before it is refused. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else
		r = read_all(fd, max, text);
	if (r == -EINVAL)
		diag_add(diag, path, 0, 0, "not a regular file");
	else if (r < 0)
		diag_add(diag, path, 0, 0, "%s", strerror(-r));
	return r;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_add(struct file_list *list, const char *directory, const char *name)
{
	char **more;

	if (list->count == DIRECTORY_FILES_MAX)
		return -E2BIG;
	more = realloc(list->paths, (list->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->paths = more;
	if (asprintf(&list->paths[list->count], "%s/%s", directory, name) < 0)
		return -ENOMEM;
	list->count++;
	return 0;
}

static bool is_directory(int at, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
		return entry->d_type == DT_DIR;
	return fstatat(at, entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static int list_directory(const char *path, const char *suffix, struct file_list *list)
{
	struct dirent *entry;
	DIR *directory = opendir(path);
	int r = 0;

	if (!directory)
		return -errno;
	while (r == 0 && (errno = 0, entry = readdir(directory)))
		if (entry->d_name[0] != '.' &&
		    span_ends(span_str(entry->d_name), span_str(suffix)) &&
		    !is_directory(dirfd(directory), entry))
			r = list_add(list, path, entry->d_name);
	if (r == 0 && errno)
		r = -errno;
	closedir(directory);
	return r;
}

int file_list_directory(const char *path, const char *suffix, struct file_list *list,
			struct diag *diag)
{
	struct file_list found = {0};
	int r = list_directory(path, suffix, &found);

	if (r < 0) {
		diag_add(diag, path, 0, 0, "%s", r == -E2BIG ? "too many files" : strerror(-r));
		file_list_done(&found);
		return r;
	}
	if (found.count)
		qsort(found.paths, found.count, sizeof(*found.paths), compare_paths);
	*list = found;
	return 0;
}

void file_list_done(struct file_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->paths[i]);
	free(list->paths);
	*list = (struct file_list){0};
}
