/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* Files for the tests of finders: read whole, with an adjustable end, and looked into a second way
 * (libelf) to compare with. Include after cmocka's own prerequisites. */

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gnomon/limits.h"
#include "gnomon/tlslib.h"

struct elf_file {
	char *bytes;
	size_t len, end;
};

static inline ssize_t elf_file_read(void *ctx, void *to, size_t len, uint64_t offset)
{
	const struct elf_file *file = ctx;

	if (offset >= file->end)
		return 0;
	if (len > file->end - offset)
		len = file->end - offset;
	memcpy(to, file->bytes + offset, len);
	return (ssize_t)len;
}

/* False: there is no such file here. */
static inline bool elf_file_load(struct elf_file *file, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	struct stat st;

	if (fd < 0)
		return false;
	assert_int_equal(fstat(fd, &st), 0);
	file->len = file->end = (size_t)st.st_size;
	file->bytes = malloc(file->len);
	assert_non_null(file->bytes);
	while (done < file->len) {
		ssize_t n = read(fd, file->bytes + done, file->len - done);

		assert_true(n > 0);
		done += (size_t)n;
	}
	close(fd);
	return true;
}

static inline void elf_file_free(struct elf_file *file)
{
	free(file->bytes);
	file->bytes = NULL;
}

static inline int elf_file_find(struct elf_file *file, struct tls_hook *hooks)
{
	struct tlslib_reader reader = {elf_file_read, file};

	return tlslib_find(&reader, hooks, TLS_HOOKS_PER_FILE_MAX);
}

/* The only hook with that role; NULL: none. */
static inline const struct tls_hook *hook_of(const struct tls_hook *hooks, int count,
					     enum tls_function function)
{
	const struct tls_hook *found = NULL;

	for (int i = 0; i < count; i++) {
		if (hooks[i].function != function)
			continue;
		assert_null(found);
		found = &hooks[i];
	}
	return found;
}

static inline uint64_t offset_in_segments(Elf *elf, uint64_t address)
{
	size_t count;

	assert_int_equal(elf_getphdrnum(elf, &count), 0);
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr p;

		assert_non_null(gelf_getphdr(elf, (int)i, &p));
		if (p.p_type == PT_LOAD && address - p.p_vaddr < p.p_filesz)
			return address - p.p_vaddr + p.p_offset;
	}
	return 0;
}

/* File offset of a function by libelf's reading of the symbol tables; 0: none. */
static inline uint64_t symbol_offset(struct elf_file *file, const char *name)
{
	Elf *elf = (elf_version(EV_CURRENT), elf_memory(file->bytes, file->len));
	uint64_t offset = 0;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	assert_non_null(elf);
	while (!offset && (section = elf_nextscn(elf, section))) {
		Elf_Data *data;

		assert_non_null(gelf_getshdr(section, &header));
		if (header.sh_type != SHT_DYNSYM && header.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(section, NULL);
		for (size_t i = 0; data && i < header.sh_size / header.sh_entsize; i++) {
			const char *text;
			GElf_Sym symbol;

			assert_non_null(gelf_getsym(data, (int)i, &symbol));
			text = elf_strptr(elf, header.sh_link, symbol.st_name);
			if (symbol.st_shndx != SHN_UNDEF && text && strcmp(text, name) == 0)
				offset = offset_in_segments(elf, symbol.st_value);
		}
	}
	elf_end(elf);
	return offset;
}

/* Runs a shell command in a fresh directory; returns its path, to be given to remove_directory(). */
static inline bool run_in(const char *directory, const char *command)
{
	char text[4096];

	snprintf(text, sizeof(text), "cd '%s' && %s", directory, command);
	return system(text) == 0;
}

static inline void remove_directory(const char *directory)
{
	assert_true(run_in(directory, "rm -rf \"$PWD\""));
}

/* A test that needs what a machine may not have. Returns why it was skipped, NULL: it has passed. A failed
 * assertion ends the program, since these do not run inside a cmocka group: cmocka has no words for why a
 * test was skipped. */
struct optional_test {
	const char *name;
	const char *(*run)(const void *argument);
	const void *argument;
};

static inline int run_optional(const struct optional_test *tests, size_t count)
{
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		const char *reason = tests[i].run(tests[i].argument);

		printf("ok %zu - %s%s%s\n", i + 1, tests[i].name, reason ? " # SKIP " : "",
		       reason ? reason : "");
		fflush(stdout);
	}
	return 0;
}
