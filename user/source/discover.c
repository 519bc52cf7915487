/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/discover.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gnomon/abi.h"
#include "gnomon/limits.h"
#include "gnomon/tlslib.h"
#include "source/attach.h"
#include "source/hook_cache.h"
#include "source/libraries.h"
#include "util/cleanup.h"
#include "util/table.h"

struct examined_key {
	uint64_t device, inode, size, changed_ns;
};

struct examined {
	struct table_link link;
	struct examined_key key;
};

struct request {
	uint32_t pid;
	struct file_key key;
};

struct discovery {
	struct attachments *attachments;
	struct hook_cache *known;
	void (*gone)(void *ctx, const struct file_key *key);
	void *ctx;
	struct table examined;

	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	struct request queue[DISCOVERY_QUEUE_MAX];
	size_t first, waiting;
	bool everything; /* look through all processes */
	bool stop;
};

struct discovery *discovery_new(struct attachments *attachments, const char *directory,
				void (*gone)(void *ctx, const struct file_key *key), void *ctx)
{
	struct discovery *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->known = hook_cache_new(directory, attachments_searched(attachments));
	if (!d->known || table_init(&d->examined, FILES_EXAMINED_MAX)) {
		hook_cache_free(d->known);
		free(d);
		return NULL;
	}
	d->attachments = attachments;
	d->gone = gone;
	d->ctx = ctx;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wake, NULL);
	return d;
}

void discovery_free(struct discovery *d)
{
	if (!d)
		return;
	if (d->started) {
		pthread_mutex_lock(&d->lock);
		d->stop = true;
		pthread_cond_signal(&d->wake);
		pthread_mutex_unlock(&d->lock);
		pthread_join(d->thread, NULL);
	}
	while (d->examined.oldest) {
		struct examined *e = table_entry(d->examined.oldest, struct examined, link);

		table_remove(&d->examined, &e->link);
		free(e);
	}
	table_done(&d->examined);
	hook_cache_free(d->known);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static bool same_file(const struct table_link *link, const void *key)
{
	const struct examined *e = table_entry(link, const struct examined, link);

	return memcmp(&e->key, key, sizeof(e->key)) == 0;
}

/* True for the first call with this file as it is now: one that was rewritten is another. */
static bool first_look(struct discovery *d, const struct stat *st)
{
	struct examined_key key = {
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.changed_ns = (uint64_t)st->st_mtim.tv_sec * UINT64_C(1000000000) +
			      (uint64_t)st->st_mtim.tv_nsec,
	};
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

/* `path` is what to open, `name` what to show. False: it could not be opened. */
static bool look_at(struct discovery *d, const char *path, const char *name)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct tlslib_reader reader = {tls_file_read, &fd};
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	struct stat st;
	int n;

	if (fd < 0 || fstat(fd, &st))
		return false;
	if (!S_ISREG(st.st_mode) || !first_look(d, &st))
		return true;
	if (!tlslib_by_path(span_str(name)) && !tlslib_plausible(&reader))
		return true;
	n = hook_cache_find(d->known, fd, &st, hooks, ARRAY_SIZE(hooks));
	if (n > 0)
		attachments_file(d->attachments, fd, name, hooks, n);
	return true;
}

static void look_at_named(void *ctx, const char *path, const char *open_path)
{
	if (tlslib_by_path(span_str(path)))
		look_at(ctx, open_path, path);
}

static void look_at_any(void *ctx, const char *path, const char *open_path)
{
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
	scan_directories(d);
	visit_mappings(look_at_named, d);
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
	return look_at(d, path, name) && visit_process_mappings(pid, look_at_any, d);
}

/* One request, or a look at everything; false: the thread is to end. */
static bool take(struct discovery *d, struct request *request, bool *everything)
{
	bool go_on;

	pthread_mutex_lock(&d->lock);
	while (!d->stop && !d->waiting && !d->everything)
		pthread_cond_wait(&d->wake, &d->lock);
	/* what just started comes before what has been running */
	*everything = !d->waiting;
	if (d->waiting) {
		*request = d->queue[d->first];
		d->first = (d->first + 1) % DISCOVERY_QUEUE_MAX;
		d->waiting--;
	} else {
		d->everything = false;
	}
	go_on = !d->stop;
	pthread_mutex_unlock(&d->lock);
	return go_on;
}

static bool stop_asked(struct discovery *d)
{
	bool stop;

	pthread_mutex_lock(&d->lock);
	stop = d->stop;
	pthread_mutex_unlock(&d->lock);
	return stop;
}

static void look_at_until_stopped(void *ctx, const char *path, const char *open_path)
{
	if (!stop_asked(ctx))
		look_at(ctx, open_path, path);
}

static bool is_idle(struct discovery *d)
{
	bool idle;

	pthread_mutex_lock(&d->lock);
	idle = !d->waiting && !d->everything;
	pthread_mutex_unlock(&d->lock);
	return idle;
}

static void *discover(void *ctx)
{
	struct discovery *d = ctx;
	struct request request;
	bool everything;

	while (take(d, &request, &everything)) {
		if (everything)
			visit_mappings(look_at_until_stopped, d);
		else if (!look_through(d, request.pid))
			d->gone(d->ctx, &request.key);
		if (is_idle(d))
			hook_cache_save(d->known);
	}
	return NULL;
}

int discovery_start(struct discovery *d)
{
	sigset_t all, old;
	int r;

	d->everything = true;
	/* signals are for the thread that runs the loop */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&d->thread, NULL, discover, d);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	d->started = r == 0;
	return -r;
}

void discovery_process(struct discovery *d, uint32_t pid, const struct file_key *key)
{
	pthread_mutex_lock(&d->lock);
	if (d->waiting == DISCOVERY_QUEUE_MAX)
		d->everything = true;
	else
		d->queue[(d->first + d->waiting++) % DISCOVERY_QUEUE_MAX] = (struct request){pid,
											     *key};
	pthread_cond_signal(&d->wake);
	pthread_mutex_unlock(&d->lock);
}
