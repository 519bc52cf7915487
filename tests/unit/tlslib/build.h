/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Programs for the tests of finders, built on the spot: what was found after stripping is compared with
 * what the symbols said before. */

#include "unit/tlslib/elf_file.h"

#define BUILD_HOOKS_MAX 16

struct build {
	const char *command; /* makes `p` of the source */
	struct {
		const char *symbol; /* NULL: end of list */
		enum tls_function function;
		unsigned int distance; /* from the symbol, in bytes */
	} expected[BUILD_HOOKS_MAX];   /* none: -ENOENT */
};

static inline void write_source(const char *directory, const char *name, const char *source)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(source, file);
	fclose(file);
}

/* Can this machine build for x86-64 with gcc and clang? */
static inline bool have_compilers(void)
{
	return system("[ $(uname -m) = x86_64 ] && command -v gcc clang strip > /dev/null 2>&1") ==
	       0;
}

#define NO_COMPILERS "no gcc, clang and strip for x86-64"

static inline void check_hooks(const struct build *build, struct elf_file *file,
			       const struct tlslib_ops *library, const uint64_t *offsets)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	int n = elf_file_find(file, hooks), wanted = 0;

	while (build->expected[wanted].symbol)
		wanted++;
	if (n != (wanted ? wanted : -ENOENT))
		print_message("%s: %d\n", build->command, n);
	assert_int_equal(n, wanted ? wanted : -ENOENT);
	for (int i = 0; i < wanted; i++) {
		assert_ptr_equal(hooks[i].library, library);
		assert_int_equal(hooks[i].function, build->expected[i].function);
		assert_int_equal(hooks[i].file_offset & ~4ull, offsets[i] & ~4ull);
	}
}

static inline void check_build(const struct build *build, const char *directory,
			       const struct tlslib_ops *library)
{
	uint64_t offsets[BUILD_HOOKS_MAX] = {0};
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	struct elf_file file;
	char path[64];

	assert_true(run_in(directory, build->command));
	snprintf(path, sizeof(path), "%s/p", directory);
	assert_true(elf_file_load(&file, path));
	for (int i = 0; build->expected[i].symbol; i++) {
		offsets[i] = symbol_offset(&file, build->expected[i].symbol);
		assert_true(offsets[i] != 0);
		offsets[i] += build->expected[i].distance;
	}
	elf_file_free(&file);

	assert_true(run_in(directory, "strip p"));
	assert_true(elf_file_load(&file, path));
	check_hooks(build, &file, library, offsets);
	for (file.end = 0; file.end < file.len; file.end += 997)
		assert_int_equal(elf_file_find(&file, hooks), -ENOEXEC);
	elf_file_free(&file);
}

/* Programs of one source, built in several ways. */
struct builds {
	const struct build *builds;
	size_t count;
	const char *name, *source;
	const struct tlslib_ops *library;
};

/* An optional test: builds and checks all in a directory of their own. */
static inline const char *check_builds(const void *argument)
{
	const struct builds *b = argument;
	char directory[] = "/tmp/gnomon-tlslib.XXXXXX";

	if (!have_compilers())
		return NO_COMPILERS;
	assert_non_null(mkdtemp(directory));
	write_source(directory, b->name, b->source);
	for (size_t i = 0; i < b->count; i++)
		check_build(&b->builds[i], directory, b->library);
	remove_directory(directory);
	return NULL;
}
