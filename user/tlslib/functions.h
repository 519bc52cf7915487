/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlslib/elf_image.h"

/* Where a function begins and ends, in files that have no symbols. x86-64 only. */

struct function {
	uint64_t start, end; /* addresses; end is exclusive, 0 when not known */
};

/*
 * The function around an instruction's address: by the unwind table's entry that covers it (.eh_frame_hdr,
 * Linux Standard Base 5.0 core, section 10.6.2), else the nearest frame-pointer prologue before it from
 * which instructions lead exactly to the address. -ENOENT: neither; -errno from the reader.
 */
int function_at(const struct elf_image *image, uint64_t address, struct function *function);

/* Sets the end of a function that was found by its prologue: where padding or the next prologue begins.
 * -ENOENT: neither within TLSLIB_FUNCTION_BYTES_MAX; -errno from the reader. */
int function_find_end(const struct elf_image *image, struct function *function);

/* Reads a function's bytes into `code`; returns their count, at most `cap`. Of a function without a known
 * end, as many as there are. -errno from the reader. */
ssize_t function_read(const struct elf_image *image, const struct function *function, uint8_t *code,
		      size_t cap);

/* Does the code call or jump to `target`? Returns the offset of the first such instruction in `code`
 * (which stands at `address`), or -ENOENT. */
int function_calls(const uint8_t *code, size_t len, uint64_t address, uint64_t target);

/* Makes a hook of a function's start: steps over endbr64, checks that a function may begin so, says
 * what probes it can bear. -ENOENT: that is no beginning of a function, or not in executable code. */
int function_hook(const struct elf_image *image, uint64_t start, struct tls_hook *hook);
