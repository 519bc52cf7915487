/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/hooked.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gnomon.skel.h"
#include "gnomon/abi.h"
#include "gnomon/limits.h"
#include "gnomon/tlslib.h"
#include "source/attach.h"
#include "source/hooks.h"
#include "source/iteration.h"
#include "source/probe.h"
#include "util/cleanup.h"

struct hooked {
	int fd; /* -1: a free place */
	int watch;
	dev_t device;
	ino_t inode;
	uint32_t mount_namespace;
	unsigned int idle, changes; /* checks that found nobody; writes since the last check */
	bool changed, in_use;
	struct file_key key;
	struct tls_hook *hooks;
	int hook_count;
	struct probe_handle *probes; /* for every process; NULL: none, or not to be */
};

struct armed {
	uint32_t pid;
	int number;
	struct probe_handle *probes; /* NULL: refused, and not tried again */
};

struct hooked_files {
	struct gnomon *skel;
	struct attachments *attachments;
	struct hooks_report *report;
	bool per_process;
	int changes_fd;
	uint64_t armed_ns;
	struct hooked files[TLS_FILES_MAX];
	struct armed armed[ARMED_MAX];
	size_t armed_count;
};

struct hooked_files *hooked_new(struct gnomon *skel, struct hooks_report *report, bool per_process)
{
	_cleanup_free_ struct hooked_files *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	files->attachments = attachments_new(skel, report->probes);
	if (!files->attachments)
		return NULL;
	files->skel = skel;
	files->report = report;
	files->per_process = per_process;
	files->changes_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (int i = 0; i < TLS_FILES_MAX; i++)
		files->files[i].fd = -1;
	return TAKE_PTR(files);
}

void hooked_free(struct hooked_files *files)
{
	if (!files)
		return;
	for (int i = 0; i < TLS_FILES_MAX; i++)
		hooked_release(files, i);
	if (files->changes_fd >= 0)
		close(files->changes_fd);
	attachments_free(files->attachments);
	free(files);
}

int hooked_changes_fd(const struct hooked_files *files)
{
	return files->changes_fd;
}

uint64_t hooked_armed_ns(const struct hooked_files *files)
{
	return __atomic_load_n(&files->armed_ns, __ATOMIC_ACQUIRE);
}

static void note_armed(struct hooked_files *files)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	__atomic_store_n(&files->armed_ns,
			 (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec,
			 __ATOMIC_RELEASE);
}

int hooked_find(const struct hooked_files *files, const struct stat *st)
{
	for (int i = 0; i < TLS_FILES_MAX; i++)
		if (files->files[i].fd >= 0 && files->files[i].device == st->st_dev &&
		    files->files[i].inode == st->st_ino)
			return i;
	return -ENOENT;
}

/* The descriptor's own name reaches files of other roots, and deleted ones. */
static int hook(struct hooked_files *files, const struct hooked *file, uint32_t pid,
		struct probe_handle **probes)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	note_armed(files); /* and again: it takes a while, and streams are read meanwhile */
	r = attachments_hook(files->attachments, path, pid, file->hooks, file->hook_count, probes);
	note_armed(files);
	return r;
}

/* What was found and cannot be hooked is told too: it is why a program is seen by name only. */
static void report_result(struct hooked_files *files, int number, int result)
{
	struct tls_file_report *report = &files->report->files[number];

	report->hooks = result > 0 ? (unsigned int)result : 0;
	report->error = result > 0 ? 0 : result < 0 ? result : -EOPNOTSUPP;
}

static void report_file(struct hooked_files *files, int number, const char *name)
{
	struct tls_file_report *report = &files->report->files[number];

	span_copy(report->path, sizeof(report->path), span_str(name));
	report->library = files->files[number].hooks[0].library->name;
	/* readers look at the count first */
	if (files->report->file_count <= (size_t)number)
		__atomic_store_n(&files->report->file_count, (size_t)number + 1, __ATOMIC_RELEASE);
}

static int free_place(const struct hooked_files *files)
{
	for (int i = 0; i < TLS_FILES_MAX; i++)
		if (files->files[i].fd < 0)
			return i;
	return -ENOSPC;
}

static void watch(struct hooked_files *files, struct hooked *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	file->watch = files->changes_fd < 0 ? -1
					    : inotify_add_watch(files->changes_fd, path,
								IN_MODIFY | IN_CLOSE_WRITE);
}

int hooked_add(struct hooked_files *files, int fd, const char *name, uint32_t mount_namespace,
	       const struct tls_hook *hooks, int count)
{
	struct hooked file = {.mount_namespace = mount_namespace, .hook_count = count};
	struct stat st;
	int number;

	if (fstat(fd, &st))
		return -errno;
	number = hooked_find(files, &st);
	if (number >= 0)
		hooked_release(files, number); /* it was written to, unseen */
	number = free_place(files);
	if (number < 0)
		return number;
	file.device = st.st_dev;
	file.inode = st.st_ino;
	file.hooks = calloc((size_t)count, sizeof(*hooks));
	if (!file.hooks)
		return -ENOMEM;
	memcpy(file.hooks, hooks, (size_t)count * sizeof(*hooks));
	file.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (file.fd < 0) {
		free(file.hooks);
		return -errno;
	}
	watch(files, &file);
	files->files[number] = file;
	report_result(files, number,
		      files->per_process ? count
					 : hook(files, &file, 0, &files->files[number].probes));
	report_file(files, number, name);
	return number;
}

int hooked_arm(struct hooked_files *files, int number, uint32_t pid)
{
	struct armed *armed = &files->armed[files->armed_count];
	int r;

	for (size_t i = 0; i < files->armed_count; i++)
		if (files->armed[i].pid == pid && files->armed[i].number == number)
			return 0;
	if (files->armed_count == ARMED_MAX)
		return -ENOSPC;
	*armed = (struct armed){.pid = pid, .number = number};
	files->armed_count++;
	r = hook(files, &files->files[number], pid, &armed->probes);
	return r < 0 ? r : 0;
}

static void disarm(struct hooked_files *files, size_t i)
{
	probe_detach(files->armed[i].probes);
	files->armed[i] = files->armed[--files->armed_count];
}

void hooked_disarm(struct hooked_files *files, uint32_t pid)
{
	for (size_t i = files->armed_count; i-- > 0;)
		if (files->armed[i].pid == pid)
			disarm(files, i);
}

static void take_probes_off(struct hooked_files *files, int number)
{
	probe_detach(files->files[number].probes);
	files->files[number].probes = NULL;
	for (size_t i = files->armed_count; i-- > 0;)
		if (files->armed[i].number == number) {
			probe_detach(files->armed[i].probes);
			files->armed[i].probes = NULL;
		}
}

void hooked_release(struct hooked_files *files, int number)
{
	struct hooked *file = &files->files[number];

	if (file->fd < 0)
		return;
	take_probes_off(files, number);
	for (size_t i = files->armed_count; i-- > 0;)
		if (files->armed[i].number == number)
			disarm(files, i);
	if (file->watch >= 0)
		inotify_rm_watch(files->changes_fd, file->watch);
	close(file->fd);
	free(file->hooks);
	*file = (struct hooked){.fd = -1};
	files->report->files[number] = (struct tls_file_report){.error = -ENOENT};
}

/* ---- files that are written to ---- */

static void look_again(struct hooked_files *files, int number, const struct hooked_events *events)
{
	_cleanup_close_ int fd = fcntl(files->files[number].fd, F_DUPFD_CLOEXEC, 0);
	char name[sizeof(files->report->files[0].path)];
	uint32_t pids[ARMED_MAX];
	size_t count = 0;

	for (size_t i = 0; i < files->armed_count; i++)
		if (files->armed[i].number == number)
			pids[count++] = files->armed[i].pid;
	span_copy(name, sizeof(name), span_str(files->report->files[number].path));
	hooked_release(files, number);
	if (fd >= 0)
		events->changed(events->ctx, fd, name, pids, count);
}

static int watched(const struct hooked_files *files, int watch)
{
	for (int i = 0; i < TLS_FILES_MAX; i++)
		if (files->files[i].fd >= 0 && files->files[i].watch == watch)
			return i;
	return -ENOENT;
}

static void on_change(struct hooked_files *files, const struct inotify_event *event,
		      const struct hooked_events *events)
{
	int number = watched(files, event->wd);
	struct hooked *file;

	if (number < 0)
		return;
	file = &files->files[number];
	if (event->mask & IN_MODIFY) {
		if (!file->changed) {
			take_probes_off(files, number);
			file->changes++;
		}
		file->changed = true;
	}
	if (event->mask & IN_CLOSE_WRITE && file->changed && file->changes < FILE_CHANGES_MAX)
		look_again(files, number, events);
}

void hooked_read_changes(struct hooked_files *files, const struct hooked_events *events)
{
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t n;

	while ((n = read(files->changes_fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			on_change(files, event, events);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
}

/* ---- files that are gone ---- */

/* Is it what its name leads to, so that the next process to run it may need the probes? */
static bool is_at_home(const struct hooked_files *files, int number)
{
	const struct hooked *file = &files->files[number];
	struct stat st;

	return stat(files->report->files[number].path, &st) == 0 && st.st_dev == file->device &&
	       st.st_ino == file->inode;
}

/* Who lives in a mount namespace uses what was opened through it. */
static void see_namespaces(struct hooked_files *files)
{
	struct iteration walk;
	const uint32_t *number;

	iteration_init(&walk, sizeof(*number));
	if (!files->skel->links.mount_namespaces ||
	    iteration_start(&walk, bpf_link__fd(files->skel->links.mount_namespaces)))
		return;
	while ((number = iteration_next(&walk)))
		for (int i = 0; i < TLS_FILES_MAX; i++)
			if (files->files[i].mount_namespace == *number)
				files->files[i].in_use = true;
	iteration_done(&walk);
}

/* False: it cannot be known who uses the files. */
static bool see_use(struct hooked_files *files)
{
	bool overlay[TLS_FILES_MAX] = {false}, any = false;
	const struct held_file *held;
	struct iteration walk;

	iteration_init(&walk, sizeof(*held));
	if (!files->skel->links.held_files ||
	    iteration_start(&walk, bpf_link__fd(files->skel->links.held_files)))
		return false;
	for (int i = 0; i < TLS_FILES_MAX; i++)
		files->files[i].in_use = false;
	while ((held = iteration_next(&walk)))
		for (int i = 0; i < TLS_FILES_MAX; i++) {
			if (files->files[i].fd != (int)held->fd)
				continue;
			files->files[i].key = held->key;
			files->files[i].in_use = held->use == HELD_MAPPED;
			overlay[i] = held->use == HELD_OVERLAY;
			any |= overlay[i];
		}
	iteration_done(&walk);
	for (int i = 0; i < TLS_FILES_MAX; i++) /* without a namespace nobody can say */
		if (overlay[i] && !files->files[i].mount_namespace)
			files->files[i].in_use = true;
	if (any)
		see_namespaces(files);
	return true;
}

static void give_up(struct hooked_files *files, int number, const struct hooked_events *events)
{
	struct file_key key = files->files[number].key;
	struct stat st = {0};

	fstat(files->files[number].fd, &st);
	hooked_release(files, number);
	events->gone(events->ctx, &st, &key);
}

static void check(struct hooked_files *files, int number, const struct hooked_events *events)
{
	struct hooked *file = &files->files[number];

	if (file->in_use || is_at_home(files, number))
		file->idle = 0;
	else if (++file->idle >= HEALTH_IDLE_CHECKS) {
		give_up(files, number, events);
		return;
	}
	file->changes = 0;
	if (file->changed)
		look_again(files, number, events);
	else if (!files->per_process && !file->probes)
		report_result(files, number, hook(files, file, 0, &file->probes));
}

void hooked_check(struct hooked_files *files, const struct hooked_events *events)
{
	bool known = see_use(files);

	for (int i = 0; i < TLS_FILES_MAX; i++) {
		if (files->files[i].fd < 0)
			continue;
		if (!known)
			files->files[i].in_use = true;
		check(files, i, events);
	}
}
