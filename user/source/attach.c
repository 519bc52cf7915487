/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gnomon.skel.h"
#include "gnomon/tlslib.h"
#include "source/bpf_load.h"
#include "source/libraries.h"
#include "util/cleanup.h"

struct attached_file {
	dev_t device;
	ino_t inode;
};

struct attachments {
	struct gnomon *skel;
	struct hooks_report *report;
	struct attached_file files[TLS_FILES_MAX];
	size_t file_count;
	/* entry and return */
	struct bpf_link *links[TLS_FILES_MAX * TLS_HOOKS_PER_FILE_MAX * 2];
	int multi_links[TLS_FILES_MAX * TLS_HOOKS_PER_FILE_MAX * 2];
	size_t link_count, multi_count;
};

struct attachments *attachments_new(struct gnomon *skel, struct hooks_report *report)
{
	struct attachments *a = calloc(1, sizeof(*a));

	if (a) {
		a->skel = skel;
		a->report = report;
	}
	return a;
}

void attachments_free(struct attachments *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->multi_count; i++)
		close(a->multi_links[i]);
	for (size_t i = 0; i < a->link_count; i++)
		bpf_link__destroy(a->links[i]);
	free(a);
}

static ssize_t read_file(void *ctx, void *to, size_t len, uint64_t offset)
{
	ssize_t n = pread(*(const int *)ctx, to, len, (off_t)offset);

	return n < 0 ? -errno : n;
}

/* One program at one or more offsets of the file. */
static int attach_program(struct attachments *a, const struct bpf_program *program,
			  const char *path, const unsigned long *offsets, unsigned int count,
			  bool at_return)
{
	if (count == 0)
		return 0;
	if (a->report->uprobe_multi) {
		int fd = bpf_uprobe_multi(bpf_program__fd(program), path, offsets, count,
					  at_return);

		if (fd < 0)
			return fd;
		a->multi_links[a->multi_count++] = fd;
		return 0;
	}
	for (unsigned int i = 0; i < count; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, options, .retprobe = at_return);
		struct bpf_link *link = bpf_program__attach_uprobe_opts(program, -1, path,
									offsets[i], &options);

		if (!link)
			return -errno;
		a->links[a->link_count++] = link;
	}
	return 0;
}

/* Entries before returns: a return without its entry is dropped in the kernel, an entry without its
 * return would leave calls behind. */
static int attach_hooks(struct attachments *a, const char *path, const struct tls_hook *hooks,
			int count)
{
	const struct bpf_program *const entry[TLS_FUNCTION_COUNT] = {
		[TLS_READ] = a->skel->progs.tls_read_enter,
		[TLS_WRITE] = a->skel->progs.tls_write_enter,
		[TLS_READ_EX] = a->skel->progs.tls_read_ex_enter,
		[TLS_WRITE_EX] = a->skel->progs.tls_write_ex_enter,
		[TLS_FREE] = a->skel->progs.tls_end,
		[TLS_SHUTDOWN] = a->skel->progs.tls_end,
	};
	unsigned long returns[TLS_HOOKS_PER_FILE_MAX];
	unsigned int return_count = 0;
	int r;

	for (int i = 0; i < count; i++)
		if (entry[hooks[i].function] && hooks[i].at_entry &&
		    entry[hooks[i].function] != a->skel->progs.tls_end)
			returns[return_count++] = hooks[i].file_offset;
	r = attach_program(a, a->skel->progs.tls_return, path, returns, return_count, true);
	for (int i = 0; i < count && !r; i++) {
		unsigned long offset = hooks[i].file_offset;

		/* Functions of another shape wait for programs of their own. */
		if (!entry[hooks[i].function])
			continue;
		r = attach_program(a, entry[hooks[i].function], path, &offset, 1, false);
	}
	return r;
}

static bool already_attached(struct attachments *a, const struct stat *st)
{
	for (size_t i = 0; i < a->file_count; i++)
		if (a->files[i].device == st->st_dev && a->files[i].inode == st->st_ino)
			return true;
	return false;
}

/* `path` is what to open, `name` what to show: /proc/PID/root/... and the path inside. */
static void attach_file(struct attachments *a, const char *path, const char *name)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	struct tls_file_report *report;
	_cleanup_close_ int fd = -1;
	struct tlslib_reader reader = {.read = read_file, .ctx = &fd};
	struct stat st;
	int n, r;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || already_attached(a, &st) ||
	    a->file_count == TLS_FILES_MAX)
		return;
	n = tlslib_find(&reader, hooks, ARRAY_SIZE(hooks));
	if (n == -ENOENT)
		return;
	r = n < 0 ? n : attach_hooks(a, path, hooks, n);

	a->files[a->file_count++] = (struct attached_file){st.st_dev, st.st_ino};
	report = &a->report->files[a->report->file_count++];
	span_copy(report->path, sizeof(report->path), span_str(name));
	report->library = (n > 0 ? hooks[0].library : tlslib_by_path(span_str(name)))->name;
	report->hooks = n > 0 ? (unsigned int)n : 0;
	report->error = r;
}

static void scan_directories(struct attachments *a)
{
	static const char *const patterns[] = {
		"/usr/lib/*/lib*ssl*.so*",       "/usr/lib/lib*ssl*.so*",
		"/usr/lib64/lib*ssl*.so*",       "/usr/local/lib/lib*ssl*.so*",
		"/usr/local/lib/*/lib*ssl*.so*", "/lib/*/lib*ssl*.so*",
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		glob_t found;

		if (glob(patterns[i], GLOB_NOSORT, NULL, &found))
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++) {
			if (tlslib_by_path(span_str(found.gl_pathv[j])))
				attach_file(a, found.gl_pathv[j], found.gl_pathv[j]);
		}
		globfree(&found);
	}
}

static void on_mapping(void *ctx, const char *path, const char *open_path)
{
	if (tlslib_by_path(span_str(path)))
		attach_file(ctx, open_path, path);
}

void attachments_scan(struct attachments *a)
{
	scan_directories(a);
	visit_mappings(on_mapping, a);
}
