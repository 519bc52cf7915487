/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "tlslib/elf_image.h"
#include "tlslib/elf_symbols.h"
#include "tlslib/functions.h"
#include "tlslib/scan.h"

/* What one look at a file found for all rows, and the questions that rows ask of it. */
struct tlslib_file {
	struct elf_image image;
	struct elf_symbol symbols[TLSLIB_SYMBOLS_MAX];
	size_t symbol_count;
	struct scan scan;
};

/* Opens and searches a file for what the rows of `table` want. On success file_done() is due. */
int file_search(struct tlslib_file *file, const struct tlslib_reader *reader,
		const struct tlslib_ops *const *table);
void file_done(struct tlslib_file *file);

/* Address of a wanted symbol's function; 0: none. */
uint64_t file_symbol(const struct tlslib_file *file, const char *name);

/* Makes a hook of the function at a wanted symbol. -ENOENT: none, or unfit. */
int file_symbol_hook(const struct tlslib_file *file, const char *name, enum tls_function function,
		     struct tls_hook *hook);

/* A function to hook by its name; lists end with a NULL name. */
struct named_hook {
	const char *name;
	enum tls_function function;
};

/* Hooks of all `data` functions and of those `ends` that there are. -ENOENT: one of the first is missing,
 * or there is no room. Returns the count. */
int file_symbol_hooks(const struct tlslib_file *file, const struct named_hook *data,
		      const struct named_hook *ends, struct tls_hook *hooks, size_t cap);

/* Is it a shared library of this name: ".../libssl.so", ".../libssl.so.3", or, as wheels carry them,
 * ".../libssl-1a2b3c4d.so.3"? */
bool path_is_library(struct span path, struct span name);

/* Were this needle's bytes found? */
bool file_has_mark(const struct tlslib_file *file, const struct tlslib_needle *needle);

/* The one function whose code refers to a string that this needle found. -ENOENT: none, or not one;
 * -errno from the reader. */
int file_function_of(const struct tlslib_file *file, const struct tlslib_needle *needle,
		     struct function *function);
