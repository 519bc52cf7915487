/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/cache.h"

#include "unit/tlslib/elf_file.h"

/* A library, and how often it was read. */
struct counted {
	struct elf_file file;
	unsigned int reads;
	bool broken;
};

static ssize_t read_counted(void *ctx, void *to, size_t len, uint64_t offset)
{
	struct counted *counted = ctx;

	counted->reads++;
	return counted->broken ? -EIO : elf_file_read(&counted->file, to, len, offset);
}

static int set_up(void **state)
{
	static const char *const paths[] = {"/usr/lib/x86_64-linux-gnu/libssl.so.3",
					    "/usr/lib/aarch64-linux-gnu/libssl.so.3",
					    "/usr/lib64/libssl.so.3"};
	static struct counted counted;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (elf_file_load(&counted.file, paths[i])) {
			*state = &counted;
			return 0;
		}
	return -1;
}

static int tear_down(void **state)
{
	elf_file_free(&((struct counted *)*state)->file);
	return 0;
}

/* Looks the file up; returns how many reads that took. */
static unsigned int look_up(struct tlslib_cache *cache, struct counted *counted,
			    const struct tlslib_identity *identity, int expected)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX], direct[TLS_HOOKS_PER_FILE_MAX];
	struct tlslib_reader reader = {read_counted, counted};

	counted->reads = 0;
	memset(hooks, 0, sizeof(hooks));
	assert_int_equal(tlslib_cache_find(cache, &reader, identity, hooks, TLS_HOOKS_PER_FILE_MAX),
			 expected);
	if (expected > 0) {
		memset(direct, 0, sizeof(direct));
		assert_int_equal(elf_file_find(&counted->file, direct), expected);
		for (int i = 0; i < expected; i++) {
			assert_int_equal(hooks[i].file_offset, direct[i].file_offset);
			assert_int_equal(hooks[i].function, direct[i].function);
			assert_ptr_equal(hooks[i].library, direct[i].library);
		}
	}
	return counted->reads;
}

static int hooks_in(struct counted *counted)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	int n = elf_file_find(&counted->file, hooks);

	assert_true(n > 0);
	return n;
}

static void by_identity(void **state)
{
	struct tlslib_cache *cache = tlslib_cache_new(TLSLIB_CACHE_MAX);
	struct counted *counted = *state;
	struct tlslib_identity identity = {1, 2, counted->file.len, 3, 4, 0};
	int n = hooks_in(counted);

	assert_non_null(cache);
	assert_true(look_up(cache, counted, &identity, n) > 3);
	assert_int_equal(look_up(cache, counted, &identity, n), 0);
	/* Rewritten in place, with its old time set back: ctime tells. */
	identity.changed_ns++;
	assert_true(look_up(cache, counted, &identity, n) > 3);
	identity.inode++;
	assert_true(look_up(cache, counted, &identity, n) > 3);
	tlslib_cache_free(cache);
}

static void by_build_id(void **state)
{
	struct tlslib_cache *cache = tlslib_cache_new(TLSLIB_CACHE_MAX);
	struct counted *counted = *state;
	struct tlslib_identity one = {1, 2, counted->file.len, 3, 4, 1}, copy = one, foreign = one;
	int n = hooks_in(counted);

	copy.device = 7;
	copy.inode = 8;
	foreign.inode = 9;
	foreign.trust = 2;
	assert_true(look_up(cache, counted, &one, n) > 10);
	assert_in_range(look_up(cache, counted, &copy, n), 1, 10);
	/* The same claim by a party that is not trusted to tell. */
	assert_true(look_up(cache, counted, &foreign, n) > 10);
	tlslib_cache_free(cache);
}

static void nothing_is_remembered_and_errors_are_not(void **state)
{
	struct tlslib_cache *cache = tlslib_cache_new(TLSLIB_CACHE_MAX);
	struct counted *counted = *state;
	struct tlslib_identity identity = {1, 2, counted->file.len, 3, 4, 0};
	char kept = counted->file.bytes[18]; /* e_machine: of no known one, nothing is found */
	int n = hooks_in(counted);

	counted->broken = true;
	look_up(cache, counted, &identity, -EIO);
	counted->broken = false;
	counted->file.bytes[18] = 1;
	assert_true(look_up(cache, counted, &identity, -ENOENT) > 0);
	counted->file.bytes[18] = kept;
	assert_int_equal(look_up(cache, counted, &identity, -ENOENT), 0);
	identity.modified_ns++;
	look_up(cache, counted, &identity, n);
	tlslib_cache_free(cache);
}

static void the_oldest_gives_way(void **state)
{
	struct tlslib_cache *cache = tlslib_cache_new(2);
	struct counted *counted = *state;
	struct tlslib_identity a = {1, 1, 0, 0, 0, 0}, b = {1, 2, 0, 0, 0, 0},
			       c = {1, 3, 0, 0, 0, 0};
	int n = hooks_in(counted);

	look_up(cache, counted, &a, n);
	look_up(cache, counted, &b, n);
	assert_int_equal(look_up(cache, counted, &a, n), 0);
	look_up(cache, counted, &c, n); /* b goes */
	assert_int_equal(look_up(cache, counted, &a, n), 0);
	assert_int_equal(look_up(cache, counted, &c, n), 0);
	assert_true(look_up(cache, counted, &b, n) > 0);
	tlslib_cache_free(cache);
	tlslib_cache_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_identity),
		cmocka_unit_test(by_build_id),
		cmocka_unit_test(nothing_is_remembered_and_errors_are_not),
		cmocka_unit_test(the_oldest_gives_way),
	};

	return cmocka_run_group_tests_name("cache", tests, set_up, tear_down);
}
