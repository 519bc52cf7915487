/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gnomon/kinds.h"
#include "gnomon/span.h"

/*
 * Finds the functions of TLS libraries in an ELF file, whether it is the library or an executable that
 * holds a copy of one. Pure code over a reader: it opens no path and maps no file. A library is one file
 * and one row in user/tlslib/table.c.
 */

struct tlslib_ops;

/* Where a probe may sit. A hook is reported only where the bytes there are a function's beginning. */
struct tls_hook {
	enum tls_function function;
	const struct tlslib_ops *library;
	uint64_t
		file_offset; /* of the function's first instruction, past endbr64 and Go's stack check */
	bool at_entry; /* the stack pointer still points at the return address: a return probe may sit
			 * here too; without it an entry probe only */
	bool emulated; /* the kernel emulates this instruction: 0.5 us a hit, not 10 */
};

/* Reads up to `len` bytes at `offset` into `to`; returns the count, fewer only at the end of the file,
 * or -errno. */
struct tlslib_reader {
	ssize_t (*read)(void *ctx, void *to, size_t len, uint64_t offset);
	void *ctx;
};

/* Bytes to look for among a file's constants. */
enum needle_kind {
	NEEDLE_STRING, /* a whole C string, its NUL before and behind included: "\0name\0" */
	NEEDLE_PATH,   /* the end of a C string with its NUL: references go to the string's start */
	NEEDLE_MARK,   /* any bytes: only whether they are there is looked for */
};

/* At least NEEDLE_BYTES_MIN and at most NEEDLE_BYTES_MAX bytes. */
struct tlslib_needle {
	enum needle_kind kind;
	struct span bytes;
};

struct tlslib_file;

struct tlslib_ops {
	const char *name; /* openssl */
	/* Is this file known as the library by its path alone? NULL: it has no file of its own. */
	bool (*match)(struct span path);
	const char *const *symbols;          /* wanted; ends with NULL; NULL: none */
	const struct tlslib_needle *needles; /* wanted; ends with empty bytes; NULL: none */
	/* Fills hooks (cap entries at most) from what the file was searched for; returns their count.
	 * -ENOENT: the library is not here, or which function is which is in doubt; -errno from the
	 * reader. */
	int (*find)(struct tlslib_file *file, struct tls_hook *hooks, size_t cap);
};

extern const struct tlslib_ops *const tlslib_table[]; /* ends with NULL */

/* The row that knows this path as its library's; NULL: none does. Cheap: called per mapping. */
const struct tlslib_ops *tlslib_by_path(struct span path);

/* Could the file hold a library that its path does not tell of? Reads its headers only: a 64-bit
 * little-endian ELF file with enough code (TLSLIB_CODE_BYTES_MIN). */
bool tlslib_plausible(const struct tlslib_reader *reader);

/*
 * Searches the file for every row's library in one pass over its constants and one over its code; cost
 * is that of reading it. Fills hooks, of one or more libraries, and returns their count; -ENOENT: there
 * are none; -ENOEXEC: not a readable ELF file; -errno from the reader.
 */
int tlslib_find(const struct tlslib_reader *reader, struct tls_hook *hooks, size_t cap);
