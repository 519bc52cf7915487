/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/discover.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>

#include "gnomon/abi.h"
#include "gnomon/limits.h"
#include "gnomon/tlslib.h"
#include "source/hook_cache.h"
#include "source/hooked.h"
#include "source/hooks.h"
#include "source/libraries.h"
#include "util/cleanup.h"
#include "util/table.h"

#define NS_PER_S UINT64_C(1000000000)

struct examined_key {
	uint64_t device, inode, size, changed_ns;
};

struct examined {
	struct table_link link;
	struct examined_key key;
};

enum request_kind {
	REQUEST_LOOK, /* the process has mapped something new */
	REQUEST_ARM,  /* the process is to be hooked, whatever it maps */
	REQUEST_ENDED /* it is gone */
};

struct request {
	enum request_kind kind;
	uint32_t pid;
	struct file_key key;
};

struct discovery {
	struct discovery_config config;
	struct hooked_files *hooked;
	struct hook_cache *known;
	struct table examined;
	/* whose files are being looked at; 0: the host's own */
	uint32_t pid, mount_namespace;

	pthread_t thread;
	bool started;
	int wake_fd; /* readable when something of what follows has changed */
	pthread_mutex_t lock;
	struct request queue[DISCOVERY_QUEUE_MAX];
	size_t first, waiting;
	uint32_t armed[ARMED_MAX]; /* processes that are, or are to be */
	size_t armed_count;
	bool everything; /* look through all processes */
	bool stop;
};

struct discovery *discovery_new(const struct discovery_config *config)
{
	_cleanup_free_ struct discovery *d = calloc(1, sizeof(*d));

	if (!d || table_init(&d->examined, FILES_EXAMINED_MAX))
		return NULL;
	d->config = *config;
	d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->hooked = hooked_new(config->skel, config->report, config->per_process);
	d->known = hook_cache_new(config->directory, &config->report->searched);
	pthread_mutex_init(&d->lock, NULL);
	if (!d->hooked || !d->known || d->wake_fd < 0) {
		discovery_free(TAKE_PTR(d));
		return NULL;
	}
	return TAKE_PTR(d);
}

static void wake(struct discovery *d)
{
	uint64_t one = 1;
	ssize_t n = write(d->wake_fd, &one, sizeof(one));

	(void)n; /* EAGAIN: it is awake */
}

void discovery_free(struct discovery *d)
{
	if (!d)
		return;
	if (d->started) {
		pthread_mutex_lock(&d->lock);
		d->stop = true;
		pthread_mutex_unlock(&d->lock);
		wake(d);
		pthread_join(d->thread, NULL);
	}
	while (d->examined.oldest) {
		struct examined *e = table_entry(d->examined.oldest, struct examined, link);

		table_remove(&d->examined, &e->link);
		free(e);
	}
	table_done(&d->examined);
	hook_cache_free(d->known);
	hooked_free(d->hooked);
	if (d->wake_fd >= 0)
		close(d->wake_fd);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

uint64_t discovery_armed_ns(const struct discovery *d)
{
	return hooked_armed_ns(d->hooked);
}

static bool same_file(const struct table_link *link, const void *key)
{
	const struct examined *e = table_entry(link, const struct examined, link);

	return memcmp(&e->key, key, sizeof(e->key)) == 0;
}

/* One that was rewritten is another. */
static struct examined_key key_of(const struct stat *st)
{
	return (struct examined_key){
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.changed_ns = (uint64_t)st->st_mtim.tv_sec * UINT64_C(1000000000) +
			      (uint64_t)st->st_mtim.tv_nsec,
	};
}

static void forget_look(struct discovery *d, const struct stat *st)
{
	struct examined_key key = key_of(st);
	struct table_link *link = table_find(
		&d->examined, table_hash(&d->examined, &key, sizeof(key)), same_file, &key);

	if (!link)
		return;
	table_remove(&d->examined, link);
	free(table_entry(link, struct examined, link));
}

/* True for the first call with this file as it is now. */
static bool first_look(struct discovery *d, const struct stat *st)
{
	struct examined_key key = key_of(st);
	uint64_t hash = table_hash(&d->examined, &key, sizeof(key));
	struct examined *e;

	if (table_find(&d->examined, hash, same_file, &key))
		return false;
	if (table_full(&d->examined)) {
		e = table_entry(d->examined.oldest, struct examined, link);
		table_remove(&d->examined, &e->link);
	} else {
		e = malloc(sizeof(*e));
		if (!e)
			return true;
	}
	e->key = key;
	table_add(&d->examined, &e->link, hash);
	return true;
}

/* The number of the open file among those with hooks; -ENOENT: it has none. */
static int examine(struct discovery *d, int fd, const struct stat *st, const char *name)
{
	struct tlslib_reader reader = {tls_file_read, &fd};
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	int n;

	if (!first_look(d, st))
		return hooked_find(d->hooked, st);
	if (!tlslib_by_path(span_str(name)) && !tlslib_plausible(&reader))
		return -ENOENT;
	n = hook_cache_find(d->known, fd, st, hooks, ARRAY_SIZE(hooks));
	if (n <= 0)
		return -ENOENT;
	n = hooked_add(d->hooked, fd, name, d->mount_namespace, hooks, n);
	if (n < 0)
		forget_look(d, st); /* there may be room for it the next time */
	return n;
}

/* `path` is what to open, `name` what to show. False: it could not be opened. */
static bool look_at(struct discovery *d, const char *path, const char *name)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int number;

	if (fd < 0 || fstat(fd, &st))
		return false;
	if (!S_ISREG(st.st_mode))
		return true;
	number = examine(d, fd, &st, name);
	if (number >= 0 && d->config.per_process && d->pid)
		hooked_arm(d->hooked, number, d->pid);
	return true;
}

/* What is looked at next is seen through that process. */
static void enter(struct discovery *d, uint32_t pid)
{
	char path[64];
	struct stat st;

	if (pid == d->pid)
		return;
	d->pid = pid;
	d->mount_namespace = 0;
	snprintf(path, sizeof(path), "/proc/%u/ns/mnt", pid);
	if (pid && stat(path, &st) == 0) /* namespaces(7): the inode is its number */
		d->mount_namespace = (uint32_t)st.st_ino;
}

static void look_at_named(void *ctx, uint32_t pid, const char *path, const char *open_path)
{
	if (!tlslib_by_path(span_str(path)))
		return;
	enter(ctx, pid);
	look_at(ctx, open_path, path);
}

static void look_at_any(void *ctx, uint32_t pid, const char *path, const char *open_path)
{
	enter(ctx, pid);
	look_at(ctx, open_path, path);
}

static void scan_directories(struct discovery *d)
{
	static const char *const patterns[] = {
		"/usr/lib/*-linux-gnu/lib*.so*", "/usr/lib/lib*.so*",       "/usr/lib64/lib*.so*",
		"/lib/*-linux-gnu/lib*.so*",     "/usr/local/lib/lib*.so*",
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		char path[PATH_MAX];
		glob_t found;

		if (glob(patterns[i], GLOB_NOSORT, NULL, &found))
			continue;
		for (size_t j = 0; j < found.gl_pathc; j++)
			/* the file behind the links is what people know it by */
			if (tlslib_by_path(span_str(found.gl_pathv[j])) &&
			    realpath(found.gl_pathv[j], path))
				look_at(d, path, path);
		globfree(&found);
	}
}

void discovery_scan_libraries(struct discovery *d)
{
	if (d->config.per_process)
		return;
	scan_directories(d);
	visit_mappings(look_at_named, d);
	enter(d, 0);
}

/* The executable through its own link, which outlives the file's name, and all else that it maps. False: the
 * process has ended. */
static bool look_through(struct discovery *d, uint32_t pid)
{
	char path[64], name[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	n = readlink(path, name, sizeof(name) - 1);
	if (n < 0)
		return false;
	name[n] = '\0';
	enter(d, pid);
	return look_at(d, path, name) && visit_process_mappings(pid, look_at_any, d);
}

enum work { WORK_NONE, WORK_REQUEST, WORK_EVERYTHING, WORK_STOP };

/* What just started comes before what has been running. */
static enum work take(struct discovery *d, struct request *request)
{
	enum work work = WORK_NONE;

	pthread_mutex_lock(&d->lock);
	if (d->stop) {
		work = WORK_STOP;
	} else if (d->waiting) {
		*request = d->queue[d->first];
		d->first = (d->first + 1) % DISCOVERY_QUEUE_MAX;
		d->waiting--;
		work = WORK_REQUEST;
	} else if (d->everything) {
		d->everything = false;
		work = WORK_EVERYTHING;
	}
	pthread_mutex_unlock(&d->lock);
	return work;
}

static bool stop_asked(struct discovery *d)
{
	bool stop;

	pthread_mutex_lock(&d->lock);
	stop = d->stop;
	pthread_mutex_unlock(&d->lock);
	return stop;
}

static void look_at_until_stopped(void *ctx, uint32_t pid, const char *path, const char *open_path)
{
	if (!stop_asked(ctx))
		look_at_any(ctx, pid, path, open_path);
}

static void serve(struct discovery *d, const struct request *request)
{
	if (request->kind == REQUEST_ENDED)
		hooked_disarm(d->hooked, request->pid);
	else if (!look_through(d, request->pid) && request->kind == REQUEST_LOOK)
		d->config.gone(d->config.ctx, &request->key);
	enter(d, 0);
}

/* A file was written to: what is in it now? */
static void on_changed(void *ctx, int fd, const char *name, const uint32_t *pids, size_t count)
{
	struct discovery *d = ctx;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st))
		return;
	forget_look(d, &st);
	if (!d->config.per_process)
		look_at(d, path, name);
	for (size_t i = 0; d->config.per_process && i < count; i++) {
		enter(d, pids[i]);
		look_at(d, path, name);
	}
	enter(d, 0);
}

/* Should it be mapped again after all, the kernel tells it as a new one. */
static void on_gone(void *ctx, const struct stat *st, const struct file_key *key)
{
	struct discovery *d = ctx;

	forget_look(d, st);
	d->config.gone(d->config.ctx, key);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* Sleeps until there is work, a file changes or the next check is due. */
static void wait_for_work(struct discovery *d, const struct hooked_events *events,
			  uint64_t *next_check_ns)
{
	struct pollfd fds[] = {{.fd = d->wake_fd, .events = POLLIN},
			       {.fd = hooked_changes_fd(d->hooked), .events = POLLIN}};
	uint64_t now = now_ns(), ms;
	uint64_t woken;
	ssize_t n;

	if (now >= *next_check_ns) {
		hooked_check(d->hooked, events);
		*next_check_ns = now + d->config.health_ns;
	}
	hook_cache_save(d->known);
	ms = (*next_check_ns - now) / 1000000 + 1;
	if (poll(fds, ARRAY_SIZE(fds), ms < INT_MAX ? (int)ms : INT_MAX) <= 0)
		return;
	n = read(d->wake_fd, &woken, sizeof(woken));
	(void)n; /* nothing was there: the other one woke us */
}

static void *discover(void *ctx)
{
	struct discovery *d = ctx;
	const struct hooked_events events = {on_changed, on_gone, d};
	uint64_t next_check_ns = now_ns() + d->config.health_ns;
	struct request request;

	for (;;) {
		hooked_read_changes(d->hooked, &events);
		switch (take(d, &request)) {
		case WORK_STOP:
			return NULL;
		case WORK_NONE:
			wait_for_work(d, &events, &next_check_ns);
			break;
		case WORK_REQUEST:
			serve(d, &request);
			break;
		case WORK_EVERYTHING:
			visit_mappings(look_at_until_stopped, d);
			enter(d, 0);
			break;
		}
	}
}

int discovery_start(struct discovery *d)
{
	sigset_t all, old;
	int r;

	d->everything = !d->config.per_process;
	/* signals are for the thread that runs the loop */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&d->thread, NULL, discover, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	d->started = r == 0;
	return -r;
}

/* Under the lock. */
static void ask(struct discovery *d, const struct request *request)
{
	if (d->waiting == DISCOVERY_QUEUE_MAX)
		d->everything = !d->config.per_process;
	else
		d->queue[(d->first + d->waiting++) % DISCOVERY_QUEUE_MAX] = *request;
}

/* Under the lock. The place of the process among the armed ones; armed_count: it is none. */
static size_t armed_at(const struct discovery *d, uint32_t pid)
{
	size_t i = 0;

	while (i < d->armed_count && d->armed[i] != pid)
		i++;
	return i;
}

void discovery_process(struct discovery *d, uint32_t pid, const struct file_key *key)
{
	const struct request request = {REQUEST_LOOK, pid, *key};
	bool wanted;

	pthread_mutex_lock(&d->lock);
	wanted = !d->config.per_process || armed_at(d, pid) < d->armed_count;
	if (wanted)
		ask(d, &request);
	pthread_mutex_unlock(&d->lock);
	if (wanted)
		wake(d);
}

int discovery_arm(struct discovery *d, uint32_t pid)
{
	const struct request request = {.kind = REQUEST_ARM, .pid = pid};
	int r = 0;

	if (!d->config.per_process)
		return 0;
	pthread_mutex_lock(&d->lock);
	if (armed_at(d, pid) == d->armed_count) {
		if (d->armed_count == ARMED_MAX)
			r = -ENOSPC;
		else
			d->armed[d->armed_count++] = pid;
	}
	if (!r)
		ask(d, &request);
	pthread_mutex_unlock(&d->lock);
	if (!r)
		wake(d);
	return r;
}

void discovery_ended(struct discovery *d, uint32_t pid)
{
	const struct request request = {.kind = REQUEST_ENDED, .pid = pid};
	size_t i;

	if (!d->config.per_process)
		return;
	pthread_mutex_lock(&d->lock);
	i = armed_at(d, pid);
	if (i < d->armed_count) {
		d->armed[i] = d->armed[--d->armed_count];
		ask(d, &request);
		wake(d);
	}
	pthread_mutex_unlock(&d->lock);
}
