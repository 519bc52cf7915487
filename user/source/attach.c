/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/attach.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon.skel.h"
#include "gnomon/tlslib.h"
#include "source/bpf_load.h"
#include "util/cleanup.h"

/* What one hooked file holds: an entry probe a function, and with uprobe_multi one link for all returns. */
#define LINKS_PER_FILE_MAX (2 * TLS_HOOKS_PER_FILE_MAX)

struct attachments {
	struct gnomon *skel;
	struct hooks_report *report;
	struct bpf_link *links[TLS_FILES_MAX * LINKS_PER_FILE_MAX];
	int multi_links[TLS_FILES_MAX * LINKS_PER_FILE_MAX];
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

/* A return probe corrupts its caller anywhere but at a function's entry, and without one a read or a
 * write tells nothing. */
static bool is_hookable(const struct tls_hook *hook, const struct bpf_program *entry,
			bool has_return)
{
	return entry && (!has_return || hook->at_entry);
}

/* The returns first: a return without its entry is dropped in the kernel, an entry without its return
 * would leave calls behind. */
static int attach_hooks(struct attachments *a, const char *path, const struct tls_hook *hooks,
			int count)
{
	const struct bpf_program *const entry[TLS_FUNCTION_COUNT] = {
		[TLS_READ] = a->skel->progs.tls_read_enter,
		[TLS_WRITE] = a->skel->progs.tls_write_enter,
		[TLS_READ_EX] = a->skel->progs.tls_read_ex_enter,
		[TLS_WRITE_EX] = a->skel->progs.tls_write_ex_enter,
		[TLS_WRITE_EX2] = a->skel->progs.tls_write_ex2_enter,
		[TLS_FREE] = a->skel->progs.tls_end,
		[TLS_SHUTDOWN] = a->skel->progs.tls_end,
	};
	unsigned long returns[TLS_HOOKS_PER_FILE_MAX];
	unsigned int return_count = 0;
	int r, hooked = 0;

	for (int i = 0; i < count; i++)
		if (is_hookable(&hooks[i], entry[hooks[i].function], true) &&
		    entry[hooks[i].function] != a->skel->progs.tls_end)
			returns[return_count++] = hooks[i].file_offset;
	r = attach_program(a, a->skel->progs.tls_return, path, returns, return_count, true);
	for (int i = 0; i < count && !r; i++) {
		const struct bpf_program *program = entry[hooks[i].function];
		unsigned long offset = hooks[i].file_offset;

		if (!is_hookable(&hooks[i], program, program != a->skel->progs.tls_end))
			continue;
		r = attach_program(a, program, path, &offset, 1, false);
		hooked++;
	}
	return r ?: hooked;
}

/* What was found and cannot be hooked yet is told too: it is why a program is seen by name only. */
static void report_file(struct attachments *a, const char *name, const char *library, int result)
{
	struct tls_file_report *report = &a->report->files[a->report->file_count];

	span_copy(report->path, sizeof(report->path), span_str(name));
	report->library = library;
	report->hooks = result > 0 ? (unsigned int)result : 0;
	report->error = result > 0 ? 0 : result < 0 ? result : -EOPNOTSUPP;
	/* readers look at the count first */
	__atomic_store_n(&a->report->file_count, a->report->file_count + 1, __ATOMIC_RELEASE);
}

int attachments_file(struct attachments *a, int fd, const char *name)
{
	struct tlslib_reader reader = {.read = read_file, .ctx = &fd};
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	char path[64];
	int n, r;

	n = tlslib_find(&reader, hooks, ARRAY_SIZE(hooks));
	if (n <= 0)
		return -ENOENT;
	if (a->report->file_count == TLS_FILES_MAX)
		return -ENOSPC;
	/* the descriptor's own name: it reaches files of other roots, and deleted ones */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = attach_hooks(a, path, hooks, n);
	report_file(a, name, hooks[0].library->name, r);
	return r;
}
