/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "gnomon/tlslib.h"

#include <dlfcn.h>
#include <link.h>

#include "tlslib/functions.h"
#include "tlslib/rows.h"
#include "unit/tlslib/elf_file.h"

static int set_up(void **state)
{
	static struct elf_file file;
	void *library = dlopen("libssl.so.3", RTLD_NOW);
	struct link_map *map;

	if (!library || dlinfo(library, RTLD_DI_LINKMAP, &map) ||
	    !elf_file_load(&file, map->l_name))
		return -1;
	*state = &file;
	return 0;
}

static int tear_down(void **state)
{
	elf_file_free(*state);
	return 0;
}

static void names_that_match(void **state)
{
	static const char *const yes[] = {"/usr/lib/x86_64-linux-gnu/libssl.so.3",
					  "/opt/x/libssl.so",
					  "/venv/numpy.libs/libssl-3f812a.so.1.1", "libssl.so.1.1"};
	static const char *const no[] = {"/usr/lib/libssl3.so", "/usr/lib/libcrypto.so.3",
					 "/libssl/x.so",        "/usr/lib/libssl",
					 "/usr/lib/libssl-dev", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_ptr_equal(tlslib_by_path(span_str(yes[i])), &openssl_tlslib);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_ptr_not_equal(tlslib_by_path(span_str(no[i])), &openssl_tlslib);
}

/* Whether one of the first 512 bytes of `caller` begins a call of the function at `offset`. */
static bool calls(struct elf_file *file, const char *caller, uint64_t offset)
{
	uint64_t from = symbol_offset(file, caller);

	assert_true(from != 0 && from + 512 < file->len);
	/* Offsets and addresses of the code segment differ by a constant. */
	return function_calls((const uint8_t *)file->bytes + from, 512, from, offset) >= 0;
}

/* A hook is on the exported function, or on the one that both exported functions call. */
static void check_direction(struct elf_file *file, const char *const names[3],
			    const struct tls_hook *plain, const struct tls_hook *ex)
{
	if (plain) {
		assert_int_equal(plain->file_offset & ~4ull, symbol_offset(file, names[0]) & ~4ull);
		assert_non_null(ex);
		assert_int_equal(ex->file_offset & ~4ull, symbol_offset(file, names[1]) & ~4ull);
		return;
	}
	assert_non_null(ex);
	assert_true(ex->emulated);
	assert_true(calls(file, names[0], ex->file_offset));
	assert_true(calls(file, names[1], ex->file_offset));
	assert_false(calls(file, names[2], ex->file_offset));
}

static void hooks_of_the_shared_library(void **state)
{
	static const char *const reads[] = {"SSL_read", "SSL_read_ex", "SSL_peek"};
	static const char *const writes[] = {"SSL_write", "SSL_write_ex", "SSL_peek"};
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	struct elf_file *file = *state;
	int n = elf_file_find(file, hooks);

	assert_true(n >= 4);
	for (int i = 0; i < n; i++) {
		assert_ptr_equal(hooks[i].library, &openssl_tlslib);
		assert_true(hooks[i].at_entry);
	}
	check_direction(file, reads, hook_of(hooks, n, TLS_READ), hook_of(hooks, n, TLS_READ_EX));
	check_direction(file, writes, hook_of(hooks, n, TLS_WRITE),
			hook_of(hooks, n, TLS_WRITE_EX));
	assert_int_equal(hook_of(hooks, n, TLS_FREE)->file_offset & ~4ull,
			 symbol_offset(file, "SSL_free") & ~4ull);
	assert_int_equal(hook_of(hooks, n, TLS_SHUTDOWN)->file_offset & ~4ull,
			 symbol_offset(file, "SSL_shutdown") & ~4ull);
}

/* Whatever is missing of the file: an answer, never an offset. */
static void truncated_files_have_no_hooks(void **state)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	struct elf_file *file = *state;

	for (file->end = 0; file->end < file->len; file->end += file->end < 1024 ? 1 : 4099)
		assert_int_equal(elf_file_find(file, hooks), -ENOEXEC);
	file->end = file->len;
}

static void room_for_too_few(void **state)
{
	struct tls_hook hooks[2];
	struct tlslib_reader reader = {elf_file_read, *state};

	assert_int_equal(tlslib_find(&reader, hooks, 2), -ENOENT);
	assert_int_equal(tlslib_find(&reader, hooks, 0), -ENOENT);
}

/* The call that passes a fifth argument, or none that can be told, is not taken for one of four. */
static void patched_callers(void **state)
{
	struct elf_file *file = *state;
	uint64_t from = symbol_offset(file, "SSL_write");
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	char saved[512];
	int n, patched = 0;

	assert_true(from != 0);
	memcpy(saved, file->bytes + from, sizeof(saved));
	for (size_t i = 0; i + 3 < sizeof(saved); i++) {
		if (memcmp(saved + i, "\x48\x89\xe1", 3) != 0 &&
		    memcmp(saved + i, "\x48\x8d\x4c\x24", 4) != 0)
			continue;
		memset(file->bytes + from + i, 0x90, 3);
		patched++;
	}
	n = elf_file_find(file, hooks);
	assert_true(n > 0);
	if (patched) /* the exported names instead */
		assert_int_equal(hook_of(hooks, n, TLS_WRITE)->file_offset & ~4ull, from & ~4ull);
	memcpy(file->bytes + from, saved, sizeof(saved));
}

/* Bytes that no function begins with, where one was found: nothing is hooked there. */
static void corrupted_beginnings(void **state)
{
	static const char *const bad[] = {
		"\xc3\xc3\xc3\xc3", /* ret */
		"\xcc\xcc\xcc\xcc", /* int3 */
		"\x5d\xc3\x5d\xc3", /* pop: an end */
		"\x0f\x0b\x0f\x0b", /* ud2 */
		"\xc5\xf8\x77\x90", /* vzeroupper, on which the kernel puts no probe */
	};
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX], again[TLS_HOOKS_PER_FILE_MAX];
	struct elf_file *file = *state;
	int n = elf_file_find(file, hooks);

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		char *at = file->bytes + hooks[i].file_offset, saved[4];

		memcpy(saved, at, sizeof(saved));
		for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
			int found;

			memcpy(at, bad[j], sizeof(saved));
			found = elf_file_find(file, again);
			for (int k = 0; k < found; k++)
				assert_int_not_equal(again[k].file_offset, hooks[i].file_offset);
		}
		memcpy(at, saved, sizeof(saved));
	}
}

static ssize_t read_nothing(void *ctx, void *to, size_t len, uint64_t offset)
{
	(void)ctx;
	(void)to;
	(void)len;
	(void)offset;
	return -EIO;
}

static void errors_of_the_reader_come_through(void **state)
{
	struct tlslib_reader reader = {.read = read_nothing};
	struct tls_hook hooks[2];

	(void)state;
	assert_int_equal(tlslib_find(&reader, hooks, 2), -EIO);
	assert_false(tlslib_plausible(&reader));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_match),
		cmocka_unit_test(hooks_of_the_shared_library),
		cmocka_unit_test(truncated_files_have_no_hooks),
		cmocka_unit_test(room_for_too_few),
		cmocka_unit_test(patched_callers),
		cmocka_unit_test(corrupted_beginnings),
		cmocka_unit_test(errors_of_the_reader_come_through),
	};

	return cmocka_run_group_tests_name("openssl", tests, set_up, tear_down);
}
