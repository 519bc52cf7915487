/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "source/mounts.h"
#include "source/probe.h"
#include "util/cleanup.h"

/*
 * Events of tracefs (Documentation/trace/uprobetracer.rst): an event may have any number of places (kernel commit
 * 60d53e2c3b75, 5.4), so that a program's places in a file cost one wait for RCU when they are taken off, not one
 * each. All places must be there before the event is armed. Events are global and outlive their maker: they
 * are in a group of the process's own, gnomon_PID.
 */

#define GROUP_PREFIX "gnomon_"

struct tracefs_event {
	unsigned int number; /* its name is e and that */
	int fd;              /* the perf event that arms it; -1: it is not armed */
};

struct tracefs_events {
	size_t count;
	struct tracefs_event events[];
};

static int open_control(int flags)
{
	char path[300], mount[256];

	/* debugfs mounts it when looked at, and has it below itself on old systems */
	if (mount_point("tracefs", mount, sizeof(mount)))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/uprobe_events", mount);
	return open(path, flags | O_CLOEXEC);
}

__attribute__((format(printf, 2, 3))) static int command(int control, const char *format, ...)
{
	char text[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n >= (int)sizeof(text))
		return -ENAMETOOLONG;
	return write(control, text, (size_t)n) < 0 ? -errno : 0;
}

/* Events of processes that are gone. Those that a living one uses are not to be deleted anyway: EBUSY. */
static void delete_stale(int control)
{
	_cleanup_close_ int fd = open_control(O_RDONLY);
	_cleanup_fclose_ FILE *events = fd < 0 ? NULL : fdopen(fd, "r");
	char line[512], event[64], last[64] = "";
	int pid;

	if (!events)
		return;
	TAKE_FD(fd);
	while (fgets(line, sizeof(line), events)) {
		/* p:gnomon_123/e4 /usr/lib/... */
		if (sscanf(line, "%*c:" GROUP_PREFIX "%d/%63s", &pid, event) != 2 ||
		    (kill(pid, 0) == 0 || errno != ESRCH) || strcmp(event, last) == 0)
			continue;
		command(control, "-:" GROUP_PREFIX "%d/%s\n", pid, event);
		snprintf(last, sizeof(last), "%s", event);
	}
}

static bool tracefs_works(void)
{
	_cleanup_close_ int control = open_control(O_WRONLY | O_APPEND);

	if (control < 0)
		return false;
	delete_stale(control);
	return true;
}

/* The perf event's number for the event; -errno. */
static int event_id(unsigned int number)
{
	_cleanup_fclose_ FILE *file = NULL;
	char path[400], mount[256];
	int r, id;

	r = mount_point("tracefs", mount, sizeof(mount));
	if (r)
		return r;
	snprintf(path, sizeof(path), "%s/events/" GROUP_PREFIX "%d/e%u/id", mount, getpid(),
		 number);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	return fscanf(file, "%d", &id) == 1 ? id : -EINVAL;
}

/* From here on it fires. */
static int arm(struct tracefs_event *event, const struct probe *probe, pid_t pid)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_TRACEPOINT,
		.sample_period = 1,
		.wakeup_events = 1,
	};
	int id = event_id(event->number);

	if (id < 0)
		return id;
	attr.config = (uint64_t)id;
	/* of a process all threads run the program, and without one all CPUs: the filter is by address space */
	event->fd = (int)syscall(SYS_perf_event_open, &attr, pid ? pid : -1, pid ? -1 : 0, -1,
				 PERF_FLAG_FD_CLOEXEC);
	if (event->fd < 0)
		return -errno;
	if (ioctl(event->fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(probe->program)) ||
	    ioctl(event->fd, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return 0;
}

/* The event is kept by the caller, who removes it, whatever this returns. */
static int make_event(int control, struct tracefs_event *event, const struct probe_set *set,
		      const struct probe *probe)
{
	for (unsigned int i = 0; i < probe->count; i++) {
		int r = command(control, "%c:" GROUP_PREFIX "%d/e%u %s:0x%lx\n",
				probe->at_return ? 'r' : 'p', getpid(), event->number, set->path,
				probe->offsets[i]);

		if (r)
			return r;
	}
	return arm(event, probe, set->pid);
}

/* All are disarmed first: an event that is armed is not to be deleted. */
static void tracefs_detach(void *state)
{
	struct tracefs_events *events = state;
	_cleanup_close_ int control = open_control(O_WRONLY | O_APPEND);

	for (size_t i = 0; i < events->count; i++) {
		if (events->events[i].fd >= 0)
			close(events->events[i].fd);
		if (control >= 0)
			command(control, "-:" GROUP_PREFIX "%d/e%u\n", getpid(),
				events->events[i].number);
	}
	free(events);
}

static int tracefs_attach(const struct probe_set *set, void **state)
{
	static atomic_uint numbers;
	_cleanup_close_ int control = open_control(O_WRONLY | O_APPEND);
	struct tracefs_events *events;
	int r = 0;

	if (control < 0)
		return -errno;
	events = calloc(1, sizeof(*events) + set->count * sizeof(events->events[0]));
	if (!events)
		return -ENOMEM;
	for (size_t i = 0; i < set->count && !r; i++) {
		struct tracefs_event *event = &events->events[events->count];

		if (!set->probes[i].count)
			continue;
		*event = (struct tracefs_event){atomic_fetch_add(&numbers, 1), -1};
		events->count++;
		r = make_event(control, event, set, &set->probes[i]);
	}
	if (r)
		tracefs_detach(events);
	else
		*state = events;
	return r;
}

const struct probe_means probe_tracefs = {
	.name = "tracefs",
	.told = "tracefs uprobe events, one a program and file",
	.needs_admin = true,
	.works = tracefs_works,
	.attach = tracefs_attach,
	.detach = tracefs_detach,
};
