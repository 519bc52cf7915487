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
	assert_int_equal(
		tlslib_cache_find(cache, &reader, identity, hooks, TLS_HOOKS_PER_FILE_MAX, NULL),
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
	/* one read a hook, of the code there */
	assert_int_equal(look_up(cache, counted, &identity, n), n);
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
	assert_in_range(look_up(cache, counted, &copy, n), 1, 10 + n);
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
	assert_int_equal(look_up(cache, counted, &a, n), n);
	look_up(cache, counted, &c, n); /* b goes */
	assert_int_equal(look_up(cache, counted, &a, n), n);
	assert_int_equal(look_up(cache, counted, &c, n), n);
	assert_true(look_up(cache, counted, &b, n) > (unsigned int)n);
	tlslib_cache_free(cache);
	tlslib_cache_free(NULL);
}

/* What the cache gives for a file whose code has changed under its name is what is there now. */
static void changed_code_is_searched_again(void **state)
{
	struct tlslib_cache *cache = tlslib_cache_new(TLSLIB_CACHE_MAX);
	struct counted *counted = *state;
	struct tlslib_identity identity = {1, 2, counted->file.len, 3, 4, 0};
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	int n = elf_file_find(&counted->file, hooks);
	char *code = counted->file.bytes + hooks[0].file_offset + 3, kept = *code;

	look_up(cache, counted, &identity, n);
	*code = (char)(kept ^ 1);
	assert_true(look_up(cache, counted, &identity, hooks_in(counted)) > (unsigned int)n);
	*code = kept;
	tlslib_cache_free(cache);
}

/* Written, and read by the next run. The caller frees it. */
static char *written(struct tlslib_cache *cache, struct span stamp, size_t *len)
{
	char *bytes = NULL;
	FILE *file = open_memstream(&bytes, len);

	assert_non_null(file);
	assert_int_equal(tlslib_cache_write(cache, stamp, file), 0);
	fclose(file);
	return bytes;
}

static void the_next_run_knows(void **state)
{
	struct tlslib_cache *cache = tlslib_cache_new(TLSLIB_CACHE_MAX);
	struct counted *counted = *state;
	struct tlslib_identity found = {1, 2, counted->file.len, 3, 4, 9};
	struct tlslib_identity nothing = {1, 3, counted->file.len, 3, 4, 0};
	char kept = counted->file.bytes[18];
	int n = hooks_in(counted);
	size_t len;
	char *bytes;

	look_up(cache, counted, &found, n);
	counted->file.bytes[18] = 1;
	look_up(cache, counted, &nothing, -ENOENT);
	counted->file.bytes[18] = kept;
	assert_true(tlslib_cache_changed(cache));
	bytes = written(cache, SPAN_LITERAL("build 1"), &len);
	assert_false(tlslib_cache_changed(cache));
	tlslib_cache_free(cache);

	cache = tlslib_cache_new(TLSLIB_CACHE_MAX);
	assert_int_equal(tlslib_cache_read(cache, SPAN_LITERAL("build 1"), span_of(bytes, len)), 0);
	assert_in_range(look_up(cache, counted, &found, n), 1, 10 + n);
	assert_int_equal(look_up(cache, counted, &nothing, -ENOENT), 0);
	assert_int_equal(tlslib_cache_read(cache, SPAN_LITERAL("build 2"), span_of(bytes, len)),
			 -EBADMSG);
	assert_true(look_up(cache, counted, &found, n) > 10 + (unsigned int)n);
	tlslib_cache_free(cache);
	free(bytes);
}

static void what_is_damaged_is_ignored(void **state)
{
	struct tlslib_cache *cache = tlslib_cache_new(TLSLIB_CACHE_MAX);
	struct counted *counted = *state;
	struct tlslib_identity identity = {1, 2, counted->file.len, 3, 4, 9};
	struct span stamp = SPAN_LITERAL("build 1");
	int n = hooks_in(counted);
	size_t len;
	char *bytes;

	look_up(cache, counted, &identity, n);
	bytes = written(cache, stamp, &len);
	for (size_t cut = 0; cut < len; cut += 1 + cut / 50) {
		char *part = malloc(cut ? cut : 1); /* of its own size, so that reading on shows */

		memcpy(part, bytes, cut);
		/* without any entry it would be whole, but its sum is of more */
		assert_int_equal(tlslib_cache_read(cache, stamp, span_of(part, cut)), -EBADMSG);
		free(part);
	}
	for (size_t at = 0; at < len; at += 1 + at / 50) {
		bytes[at] ^= 0x10;
		assert_int_equal(tlslib_cache_read(cache, stamp, span_of(bytes, len)), -EBADMSG);
		bytes[at] ^= 0x10;
	}
	assert_int_equal(tlslib_cache_read(cache, stamp, span_of(bytes, len)), 0);
	tlslib_cache_free(cache);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_identity),
		cmocka_unit_test(by_build_id),
		cmocka_unit_test(nothing_is_remembered_and_errors_are_not),
		cmocka_unit_test(the_oldest_gives_way),
		cmocka_unit_test(changed_code_is_searched_again),
		cmocka_unit_test(the_next_run_knows),
		cmocka_unit_test(what_is_damaged_is_ignored),
	};

	return cmocka_run_group_tests_name("cache", tests, set_up, tear_down);
}
