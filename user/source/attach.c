/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gnomon.skel.h"
#include "gnomon/tlslib.h"
#include "source/libraries.h"
#include "source/probe.h"
#include "util/cleanup.h"

struct attachments {
	struct gnomon *skel;
	struct hooks_report *report;
	struct probe_handle *files[TLS_FILES_MAX]; /* beside report->files; NULL: not hooked */
	uint64_t armed_ns;                         /* CLOCK_BOOTTIME of the latest file */
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
	for (size_t i = 0; i < a->report->file_count; i++)
		probe_detach(a->files[i]);
	free(a);
}

/* What a role's probes run. */
struct role {
	enum tls_function function;
	const struct bpf_program *at_entry;
	const struct bpf_program *at_return; /* a return probe; NULL: the role needs none */
};

/* A return probe corrupts its caller anywhere but at a function's entry, and without one a read or a
 * write tells nothing. */
static bool is_hookable(const struct tls_hook *hook, const struct role *role)
{
	return hook->function == role->function && (!role->at_return || hook->at_entry);
}

/* All places of the file that play the role, into `offsets`. Returns their count. */
static unsigned int places_of(const struct role *role, const struct tls_hook *hooks, int count,
			      unsigned long *offsets)
{
	unsigned int n = 0;

	for (int i = 0; i < count; i++)
		if (is_hookable(&hooks[i], role))
			offsets[n++] = hooks[i].file_offset;
	return n;
}

/* The returns first: a return without its entry is dropped in the kernel, an entry without its return
 * would leave calls behind. Returns how many functions are hooked, or -errno. */
static int attach_hooks(struct attachments *a, const char *path, const struct tls_hook *hooks,
			int count, struct probe_handle **handle)
{
	const struct bpf_program *const returned = a->skel->progs.tls_return;
	const struct bpf_program *const opened = a->skel->progs.tls_aead_opened;
	const struct role roles[] = {
		{TLS_READ, a->skel->progs.tls_read_enter, returned},
		{TLS_WRITE, a->skel->progs.tls_write_enter, returned},
		{TLS_READ_EX, a->skel->progs.tls_read_ex_enter, returned},
		{TLS_WRITE_EX, a->skel->progs.tls_write_ex_enter, returned},
		{TLS_WRITE_EX2, a->skel->progs.tls_write_ex2_enter, returned},
		{TLS_FREE, a->skel->progs.tls_end, NULL},
		{TLS_SHUTDOWN, a->skel->progs.tls_end, NULL},
		{TLS_GO_READ_RETURN, a->skel->progs.tls_go_read_return, NULL},
		{TLS_GO_READ, a->skel->progs.tls_go_read, NULL},
		{TLS_GO_WRITE, a->skel->progs.tls_go_write, NULL},
		{TLS_GO_CLOSE, a->skel->progs.tls_go_close, NULL},
		{TLS_AEAD_SEAL, a->skel->progs.tls_aead_seal, NULL},
		{TLS_AEAD_SEAL_SCATTER, a->skel->progs.tls_aead_seal_scatter, NULL},
		{TLS_AEAD_OPEN, a->skel->progs.tls_aead_open, opened},
		{TLS_AEAD_OPEN_GATHER, a->skel->progs.tls_aead_open_gather, opened},
	};
	unsigned long offsets[TLS_HOOKS_PER_FILE_MAX];
	struct probe probes[2 * ARRAY_SIZE(roles)];
	struct probe_set set = {.path = path, .probes = probes};
	unsigned int hooked = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		const unsigned long *at = offsets + hooked;
		unsigned int n = places_of(&roles[i], hooks, count, offsets + hooked);

		if (roles[i].at_return)
			probes[set.count++] = (struct probe){roles[i].at_return, at, n, true};
		probes[set.count++] = (struct probe){roles[i].at_entry, at, n, false};
		hooked += n;
	}
	if (!hooked)
		return 0;
	r = probe_attach(a->report->probes, &set, handle);
	return r ? r : (int)hooked;
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

uint64_t *attachments_searched(struct attachments *a)
{
	return &a->report->searched;
}

uint64_t attachments_armed_ns(const struct attachments *a)
{
	return __atomic_load_n(&a->armed_ns, __ATOMIC_ACQUIRE);
}

/* Streams of processes that are older may be in the middle of a message. */
static void note_armed(struct attachments *a)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	__atomic_store_n(&a->armed_ns,
			 (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec,
			 __ATOMIC_RELEASE);
}

int attachments_file(struct attachments *a, int fd, const char *name, const struct tls_hook *hooks,
		     int count)
{
	char path[64];
	int r;

	if (a->report->file_count == TLS_FILES_MAX)
		return -ENOSPC;
	/* the descriptor's own name: it reaches files of other roots, and deleted ones */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	note_armed(a); /* and again: it takes a while, and streams are read meanwhile */
	r = attach_hooks(a, path, hooks, count, &a->files[a->report->file_count]);
	note_armed(a);
	report_file(a, name, hooks[0].library->name, r);
	return r;
}
