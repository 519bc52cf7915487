/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gnomon/tlslib.h"

/*
 * Looks up exported functions of an ELF64 little-endian file by name, through a reader, by bounded
 * reads (System V gABI, chapters 4 and 5). libelf would want the whole file in memory or a descriptor of
 * its own, and a file that its owner truncates while mapped is a SIGBUS.
 *
 * offsets[i] is the file offset of names[i]'s first instruction, 0 where there is none. Returns how many
 * were found; -ENOEXEC: not such a file, or a malformed one; -errno from the reader.
 */
int elf_find_functions(const struct tlslib_reader *reader, const char *const *names,
		       uint64_t *offsets, size_t count);
