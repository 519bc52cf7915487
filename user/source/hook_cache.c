/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/hook_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "gnomon/limits.h"
#include "source/libraries.h"
#include "tlslib/cache.h"
#include "tlslib/elf_image.h"
#include "util/cleanup.h"

#define FILE_NAME "tls-hooks"
#define NEW_NAME  "tls-hooks.new"
#define FILE_MODE 0640

struct hook_cache {
	struct tlslib_cache *files;
	int dir_fd; /* -1: none */
	uint8_t stamp[ELF_BUILD_ID_MAX];
	size_t stamp_len;
	time_t saved_s; /* CLOCK_MONOTONIC */
	uint64_t *searched;
};

/* This program's own build id: another build's searchers may find other things. */
static size_t own_build_id(uint8_t id[static ELF_BUILD_ID_MAX])
{
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct tlslib_reader reader = {tls_file_read, &fd};
	struct elf_image image;
	int n;

	if (fd < 0 || elf_open(&image, &reader))
		return 0;
	n = elf_build_id(&image, id, ELF_BUILD_ID_MAX);
	return n > 0 ? (size_t)n : 0;
}

static struct span stamp_of(const struct hook_cache *cache)
{
	return span_of((const char *)cache->stamp, cache->stamp_len);
}

static void load(struct hook_cache *cache)
{
	_cleanup_close_ int fd = openat(cache->dir_fd, FILE_NAME,
					O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_free_ char *bytes = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    st.st_size > TLSLIB_CACHE_BYTES_MAX)
		return;
	bytes = malloc((size_t)st.st_size);
	if (!bytes)
		return;
	n = read(fd, bytes, (size_t)st.st_size);
	if (n > 0)
		tlslib_cache_read(cache->files, stamp_of(cache), span_of(bytes, (size_t)n));
}

struct hook_cache *hook_cache_new(const char *directory, uint64_t *searched)
{
	_cleanup_free_ struct hook_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return NULL;
	cache->files = tlslib_cache_new(TLSLIB_CACHE_MAX);
	if (!cache->files)
		return NULL;
	cache->searched = searched;
	cache->dir_fd = -1;
	cache->stamp_len = own_build_id(cache->stamp);
	if (directory && cache->stamp_len)
		cache->dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cache->dir_fd >= 0)
		load(cache);
	return TAKE_PTR(cache);
}

static int64_t ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

int hook_cache_find(struct hook_cache *cache, int fd, const struct stat *st, struct tls_hook *hooks,
		    size_t cap)
{
	const struct tlslib_reader reader = {tls_file_read, &fd};
	const struct tlslib_identity identity = {
		.device = st->st_dev,
		.inode = st->st_ino,
		.size_bytes = (uint64_t)st->st_size,
		.modified_ns = ns_of(&st->st_mtim),
		.changed_ns = ns_of(&st->st_ctim),
		.trust = (uint64_t)st->st_uid + 1,
	};
	bool searched;
	int n = tlslib_cache_find(cache->files, &reader, &identity, hooks, cap, &searched);

	if (searched)
		__atomic_add_fetch(cache->searched, 1, __ATOMIC_RELAXED);
	return n;
}

/* Replaces the file: after a crash at any point there is the old one or the new. */
static int save(struct hook_cache *cache)
{
	_cleanup_fclose_ FILE *file = NULL;
	int fd = openat(cache->dir_fd, NEW_NAME,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	int r;

	if (fd < 0)
		return -errno;
	file = fdopen(fd, "w");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	r = tlslib_cache_write(cache->files, stamp_of(cache), file);
	if (!r && renameat(cache->dir_fd, NEW_NAME, cache->dir_fd, FILE_NAME))
		r = -errno;
	return r;
}

static void save_changes(struct hook_cache *cache)
{
	if (cache->dir_fd >= 0 && tlslib_cache_changed(cache->files))
		save(cache);
}

void hook_cache_save(struct hook_cache *cache)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (cache->saved_s && now.tv_sec - cache->saved_s < TLSLIB_CACHE_SAVE_S)
		return;
	cache->saved_s = now.tv_sec;
	save_changes(cache);
}

void hook_cache_free(struct hook_cache *cache)
{
	if (!cache)
		return;
	save_changes(cache);
	if (cache->dir_fd >= 0)
		close(cache->dir_fd);
	tlslib_cache_free(cache->files);
	free(cache);
}
