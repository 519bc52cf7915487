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
#include "source/probe_dispatch.h"
#include "util/cleanup.h"

/*
 * Events of tracefs (Documentation/trace/uprobetracer.rst): an event may have any number of places (kernel commit
 * 60d53e2c3b75, 5.4), so that a file costs as many waits for RCU as it has events when they are taken off: one
 * for the entries of all functions, by tls_dispatch, and one for all returns to a program. All places must
 * be there before an event is armed. Events are global and outlive their maker: they are in a group of the
 * process's own, gnomon_PID.
 */

#define GROUP_PREFIX "gnomon_"

struct place {
	const struct bpf_program *runs; /* what its event runs */
	unsigned long offset;
	bool at_return;
	bool shared; /* a place in the dispatch is taken */
	bool done;   /* its event is made */
};

struct event {
	unsigned int number; /* its name is e and that */
	int fd;              /* the perf event that arms it; -1: it is not armed */
};

struct file_probes {
	struct probe_dispatch *dispatch;
	struct place *places;
	size_t place_count;
	struct event *events; /* at most one a place */
	size_t event_count;
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
static int arm(struct event *event, const struct bpf_program *program, pid_t pid)
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
	if (ioctl(event->fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(program)) ||
	    ioctl(event->fd, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return 0;
}

/* One event for all places that run what `first` runs. Whatever this returns, the event is among the file's. */
static int make_event(struct file_probes *file, int control, const struct probe_set *set,
		      const struct place *first)
{
	static atomic_uint numbers;
	struct event *event = &file->events[file->event_count++];

	*event = (struct event){atomic_fetch_add(&numbers, 1), -1};
	for (size_t i = 0; i < file->place_count; i++) {
		struct place *place = &file->places[i];
		int r;

		if (place->runs != first->runs || place->at_return != first->at_return)
			continue;
		place->done = true;
		r = command(control, "%c:" GROUP_PREFIX "%d/e%u %s:0x%lx\n",
			    place->at_return ? 'r' : 'p', getpid(), event->number, set->path,
			    place->offset);
		if (r && r != -EEXIST) /* it is there already, of another role of the function */
			return r;
	}
	return arm(event, first->runs, set->pid);
}

/* The returns first, as sets have them. */
static int make_events(struct file_probes *file, const struct probe_set *set)
{
	_cleanup_close_ int control = open_control(O_WRONLY | O_APPEND);
	int r = 0;

	if (control < 0)
		return -errno;
	for (int at_return = 1; at_return >= 0; at_return--)
		for (size_t i = 0; i < file->place_count && !r; i++)
			if (!file->places[i].done && file->places[i].at_return == at_return)
				r = make_event(file, control, set, &file->places[i]);
	return r;
}

/* All are disarmed first: an event that is armed is not to be deleted. */
static void tracefs_detach(void *state)
{
	struct file_probes *file = state;
	_cleanup_close_ int control = open_control(O_WRONLY | O_APPEND);

	for (size_t i = 0; i < file->event_count; i++) {
		if (file->events[i].fd >= 0)
			close(file->events[i].fd);
		if (control >= 0)
			command(control, "-:" GROUP_PREFIX "%d/e%u\n", getpid(),
				file->events[i].number);
	}
	for (size_t i = 0; i < file->place_count; i++)
		if (file->places[i].shared)
			probe_dispatch_release(file->dispatch, file->places[i].offset);
	free(file->places);
	free(file->events);
	free(file);
}

static void add_places(struct file_probes *file, const struct probe *probe)
{
	for (unsigned int i = 0; i < probe->count; i++) {
		struct place *place = &file->places[file->place_count++];

		*place = (struct place){.runs = probe->program,
					.offset = probe->offsets[i],
					.at_return = probe->at_return};
		if (!probe->at_return && file->dispatch &&
		    probe_dispatch_take(file->dispatch, place->offset, probe->program)) {
			place->runs = file->dispatch->program;
			place->shared = true;
		}
	}
}

static int tracefs_attach(const struct probe_set *set, void **state)
{
	struct file_probes *file = calloc(1, sizeof(*file));
	size_t places = 1; /* never an allocation of nothing */
	int r = -ENOMEM;

	if (!file)
		return -ENOMEM;
	for (size_t i = 0; i < set->count; i++)
		places += set->probes[i].count;
	file->dispatch = set->dispatch;
	file->places = calloc(places, sizeof(*file->places));
	file->events = calloc(places, sizeof(*file->events));
	if (file->places && file->events) {
		for (size_t i = 0; i < set->count; i++)
			add_places(file, &set->probes[i]);
		r = make_events(file, set);
	}
	if (r)
		tracefs_detach(file);
	else
		*state = file;
	return r;
}

const struct probe_means probe_tracefs = {
	.name = "tracefs",
	.told = "tracefs uprobe events, two a file",
	.dispatches = true,
	.needs_admin = true,
	.works = tracefs_works,
	.attach = tracefs_attach,
	.detach = tracefs_detach,
};
