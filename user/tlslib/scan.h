/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "tlslib/elf_image.h"

/*
 * The one look at a file that serves all rows: constants that they want (needles) in the read-only
 * segments, and then the instructions that take such a constant's address in the executable ones.
 */

struct scan_hit {
	const struct tlslib_needle *needle;
	uint64_t address; /* of the string's first byte, past its leading NUL */
};

struct scan_xref {
	uint64_t address; /* of the instruction */
	uint32_t hit;     /* index */
};

struct scan {
	struct scan_hit hits[TLSLIB_HITS_MAX];
	size_t hit_count;
	struct scan_xref *xrefs; /* in order of address within a segment */
	size_t xref_count;
	const struct tlslib_needle *marks[TLSLIB_MARKS_MAX]; /* that were found */
	size_t mark_count;
	bool incomplete; /* there were more hits or references than fit: nothing may rest on them */
};

/* Finds needles; fills hits. -ENOMEM; -ENOEXEC: the file is shorter than its headers say; -errno from the
 * reader. */
int scan_needles(struct scan *scan, const struct elf_image *image,
		 const struct tlslib_needle *const *needles, size_t count);

/* Finds references to the hits: on x86-64 `lea r64, [rip + d32]`, and in files with a fixed address
 * `mov r32, imm32` and `mov r64, simm32`. Errors as above. */
int scan_xrefs(struct scan *scan, const struct elf_image *image);

/* A function that is known by the bytes that it begins with, behind endbr64 where that is. */
struct code_pattern {
	const uint16_t *
		code; /* a byte each, the first four of them as they are; CODE_ANY: whatever it is */
	size_t len;   /* at least 4, at most 124 */
};

#define CODE_ANY 0x100

struct code_found {
	uint64_t address[2]; /* of the first two, in the order of the file */
	unsigned int count;
};

/* Finds functions, each at a multiple of 16 as assembly code is, in the executable segments; fills one `found` a
 * pattern. Errors as above; -E2BIG: more than CODE_PATTERNS_MAX. */
int scan_code(const struct elf_image *image, const struct code_pattern *patterns, size_t count,
	      struct code_found *found);

void scan_done(struct scan *scan);
