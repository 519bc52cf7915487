/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tlslib/elf_image.h"

/* A wanted function and where it is. */
struct elf_symbol {
	const char *name;
	uint64_t address; /* 0: not there, or in two places */
	uint64_t size;    /* bytes; 0: not told */
};

/*
 * Looks up functions by name in all of the file's symbol tables, exported or not (.dynsym, .symtab).
 * A name that stands for two addresses stands for none. Fills address and size of `count` symbols; a
 * file without a symbol table leaves them 0. -ENOEXEC: a table is malformed or larger than
 * ELF_SYMBOLS_MAX; -ENOMEM; -errno from the reader.
 */
int elf_find_symbols(const struct elf_image *image, struct elf_symbol *symbols, size_t count);
