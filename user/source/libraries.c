/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/libraries.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gnomon/limits.h"
#include "gnomon/tlslib.h"
#include "util/cleanup.h"

/* proc_pid_maps(5): address, permissions, offset, device, inode, path. */
bool visit_process_mappings(uint32_t pid, mapping_visitor visit, void *ctx)
{
	_cleanup_fclose_ FILE *maps = NULL;
	char path[PATH_MAX + 64], line[PATH_MAX + 128];

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return false;
	while (fgets(line, sizeof(line), maps)) {
		char permissions[8];
		int at = 0;

		if (sscanf(line, "%*s %7s %*s %*s %*s %n", permissions, &at) != 1 || !at ||
		    line[at] != '/' || !strchr(permissions, 'x'))
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(path, sizeof(path), "/proc/%u/root%s", pid, line + at);
		visit(ctx, pid, line + at, path);
	}
	return true;
}

void visit_mappings(mapping_visitor visit, void *ctx)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			visit_process_mappings((uint32_t)strtoul(entry->d_name, NULL, 10), visit,
					       ctx);
	if (proc)
		closedir(proc);
}

/* Libraries that are known by name and have no row in tlslib_table. */
static const struct {
	const char *prefix, *library;
} unsupported[] = {
	{"libmbedtls.so", "mbedtls"},
	{"libwolfssl.so", "wolfssl"},
	{"libs2n.so", "s2n"},
};

struct search {
	struct tls_library *libraries;
	size_t count;
};

ssize_t tls_file_read(void *ctx, void *to, size_t len, uint64_t offset)
{
	ssize_t n = pread(*(const int *)ctx, to, len, (off_t)offset);

	return n < 0 ? -errno : n;
}

/* Can it be hooked? The answer is in *l. False: it is no TLS library. */
static bool examine(struct tls_library *l, const char *path, int fd)
{
	const char *name = strrchr(path, '/') + 1;
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	const struct tlslib_ops *ops = tlslib_by_path(span_str(path));
	struct tlslib_reader reader = {tls_file_read, &fd};

	if (ops) {
		int n = tlslib_find(&reader, hooks, ARRAY_SIZE(hooks));

		if (n == -ENOENT)
			return false;
		l->library = ops->name;
		l->readable = n > 0;
		l->reason = n > 0 ? NULL : "its functions are not found";
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
		if (strncmp(name, unsupported[i].prefix, strlen(unsupported[i].prefix)) != 0)
			continue;
		l->library = unsupported[i].library;
		l->reason = "this library has no hooks in this version: seen by name only";
		return true;
	}
	return false;
}

static bool maybe_tls(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	if (tlslib_by_path(span_str(path)))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++)
		if (strncmp(name, unsupported[i].prefix, strlen(unsupported[i].prefix)) == 0)
			return true;
	return false;
}

static void on_mapping(void *ctx, uint32_t pid, const char *path, const char *open_path)
{
	struct search *search = ctx;
	_cleanup_close_ int fd = -1;
	struct tls_library found = {.processes = 1};
	struct stat st;

	(void)pid;
	if (!maybe_tls(path))
		return;
	fd = open(open_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st))
		return;
	for (size_t i = 0; i < search->count; i++)
		if (search->libraries[i].device == st.st_dev &&
		    search->libraries[i].inode == st.st_ino) {
			search->libraries[i].processes++;
			return;
		}
	if (search->count == TLS_FILES_MAX || !examine(&found, path, fd))
		return;
	span_copy(found.path, sizeof(found.path), span_str(path));
	found.device = st.st_dev;
	found.inode = st.st_ino;
	search->libraries[search->count++] = found;
}

size_t tls_libraries_loaded(struct tls_library **libraries)
{
	struct search search = {.libraries = calloc(TLS_FILES_MAX, sizeof(struct tls_library))};

	if (search.libraries)
		visit_mappings(on_mapping, &search);
	*libraries = search.libraries;
	return search.count;
}
