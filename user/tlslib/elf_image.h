/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/tlslib.h"

/*
 * An ELF64 little-endian file behind a reader, by bounded reads (System V gABI, chapters 4 and 5). libelf
 * would want the whole file in memory or a descriptor of its own, and a file that its owner truncates
 * while mapped is a SIGBUS. Lends nothing and owns nothing; the reader must outlive it.
 */
struct elf_image {
	const struct tlslib_reader *reader;
	Elf64_Ehdr header;
	Elf64_Phdr segments[ELF_SEGMENTS_MAX];
};

/* Reads the headers. -ENOEXEC: not such a file, or a malformed one; -errno from the reader. The
 * following functions return the same errors. */
int elf_open(struct elf_image *image, const struct tlslib_reader *reader);

/* Reads all of `len` bytes at a file offset: the headers promise more than the file has otherwise. */
int elf_read(const struct elf_image *image, void *to, size_t len, uint64_t offset);

/* Reads up to `len` bytes at a virtual address, within one loaded segment's file bytes; returns the
 * count, 0: nothing is loaded there. */
ssize_t elf_read_address(const struct elf_image *image, void *to, size_t len, uint64_t address);

/* A loaded segment that holds the address, with file bytes behind it; NULL: none. */
const Elf64_Phdr *elf_segment_at(const struct elf_image *image, uint64_t address);

/* Address to file offset by the executable segments; 0: in none. */
uint64_t elf_code_offset(const struct elf_image *image, uint64_t address);

/* Bytes of executable segments in the file. */
uint64_t elf_code_bytes(const struct elf_image *image);

/* The section of that index. -ENOEXEC when there is none. */
int elf_section(const struct elf_image *image, uint32_t index, Elf64_Shdr *section);

/* The first section of that name (shorter than 32 bytes). -ENOENT: none. */
int elf_section_named(const struct elf_image *image, const char *name, Elf64_Shdr *section);

/* The GNU build id (a note of type NT_GNU_BUILD_ID); returns its length, at most `cap` bytes of it copied;
 * 0: the file has none. -errno from the reader. */
int elf_build_id(const struct elf_image *image, uint8_t *id, size_t cap);
