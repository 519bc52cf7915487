/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/hook_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gnomon/limits.h"
#include "gnomon/tlslib.h"
#include "util/cleanup.h"

struct place {
	char directory[64], library[96], cache[96];
};

static void copy_file(const char *from, const char *to)
{
	char command[512];

	snprintf(command, sizeof(command), "cp '%s' '%s'", from, to);
	assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
	static const char *const paths[] = {"/usr/lib/x86_64-linux-gnu/libssl.so.3",
					    "/usr/lib/aarch64-linux-gnu/libssl.so.3",
					    "/usr/lib64/libssl.so.3"};
	static struct place place;

	strcpy(place.directory, "/tmp/gnomon-hook-cache.XXXXXX");
	if (!mkdtemp(place.directory))
		return -1;
	snprintf(place.library, sizeof(place.library), "%s/libssl.so.3", place.directory);
	snprintf(place.cache, sizeof(place.cache), "%s/tls-hooks", place.directory);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (access(paths[i], R_OK) == 0) {
			copy_file(paths[i], place.library);
			*state = &place;
			return 0;
		}
	return -1;
}

static int tear_down(void **state)
{
	struct place *place = *state;

	unlink(place->library);
	unlink(place->cache);
	return rmdir(place->directory);
}

/* One run of the sensor: how many files it had to search, and what it found. */
static uint64_t run(const struct place *place, int expected)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	uint64_t searched = 0;
	struct hook_cache *cache = hook_cache_new(place->directory, &searched);
	_cleanup_close_ int fd = open(place->library, O_RDONLY);
	struct stat st;

	assert_non_null(cache);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(hook_cache_find(cache, fd, &st, hooks, ARRAY_SIZE(hooks)), expected);
	hook_cache_save(cache);
	assert_int_equal(hook_cache_find(cache, fd, &st, hooks, ARRAY_SIZE(hooks)), expected);
	hook_cache_free(cache);
	return searched;
}

static int hooks_of(const char *path)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	_cleanup_close_ int fd = open(path, O_RDONLY);
	uint64_t searched = 0;
	struct hook_cache *cache = hook_cache_new(NULL, &searched);
	struct stat st;
	int n;

	assert_int_equal(fstat(fd, &st), 0);
	n = hook_cache_find(cache, fd, &st, hooks, ARRAY_SIZE(hooks));
	hook_cache_free(cache);
	assert_true(n > 0);
	return n;
}

static void the_second_run_searches_nothing(void **state)
{
	const struct place *place = *state;
	int n = hooks_of(place->library);

	assert_int_equal(run(place, n), 1);
	assert_int_equal(run(place, n), 0);
	/* an agent updates itself by a new file of the same build */
	copy_file(place->library, "/tmp/gnomon-hook-cache.copy");
	assert_int_equal(rename("/tmp/gnomon-hook-cache.copy", place->library), 0);
	assert_int_equal(run(place, n), 0);
}

static void a_file_that_changes_is_searched_again(void **state)
{
	const struct place *place = *state;
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	uint64_t searched = 0;
	struct hook_cache *cache = hook_cache_new(place->directory, &searched);
	_cleanup_close_ int fd = open(place->library, O_RDWR);
	int n = hooks_of(place->library);
	struct stat st;
	uint8_t code, changed;

	/* the same build id, size and owner, and other code where a hook was */
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(hook_cache_find(cache, fd, &st, hooks, ARRAY_SIZE(hooks)), n);
	assert_int_equal(pread(fd, &code, 1, (off_t)hooks[0].file_offset + 2), 1);
	changed = code ^ 1;
	assert_int_equal(pwrite(fd, &changed, 1, (off_t)hooks[0].file_offset + 2), 1);
	searched = 0;
	hook_cache_find(cache, fd, &st, hooks, ARRAY_SIZE(hooks));
	assert_int_equal(searched, 1);
	assert_int_equal(pwrite(fd, &code, 1, (off_t)hooks[0].file_offset + 2), 1);
	hook_cache_find(cache, fd, &st, hooks, ARRAY_SIZE(hooks));
	assert_int_equal(searched, 2);
	hook_cache_free(cache);
}

static void a_damaged_file_is_written_anew(void **state)
{
	const struct place *place = *state;
	int n = hooks_of(place->library);
	_cleanup_close_ int fd = -1;

	run(place, n);
	fd = open(place->cache, O_RDWR);
	assert_int_equal(pwrite(fd, "?", 1, 100), 1);
	assert_int_equal(run(place, n), 1);
	assert_int_equal(run(place, n), 0);
	assert_int_equal(truncate(place->cache, 50), 0);
	assert_int_equal(run(place, n), 1);
	assert_int_equal(run(place, n), 0);
	assert_int_equal(truncate(place->cache, TLSLIB_CACHE_BYTES_MAX + 1L), 0);
	assert_int_equal(run(place, n), 1);
	assert_int_equal(run(place, n), 0);
}

static void a_directory_that_refuses_costs_time_alone(void **state)
{
	const struct place *place = *state;
	struct place nowhere = *place;

	strcpy(nowhere.directory, "/nonexistent/gnomon");
	assert_int_equal(run(&nowhere, hooks_of(place->library)), 1);
	assert_int_equal(run(&nowhere, hooks_of(place->library)), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_second_run_searches_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_changes_is_searched_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_written_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_directory_that_refuses_costs_time_alone, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("hook cache", tests, NULL, NULL);
}
