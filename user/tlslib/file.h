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

/* The one function whose code refers to a string that this needle found. -ENOENT: none, or not one;
 * -errno from the reader. */
int file_function_of(const struct tlslib_file *file, const struct tlslib_needle *needle,
		     struct function *function);
