/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "gnomon/kinds.h"
#include "gnomon/span.h"

/*
 * One TLS library: recognise its file among a process's executable mappings, and name the file
 * offsets of the functions to hook. One file and one row in user/tlslib/table.c.
 */

struct tls_hook {
	enum tls_function function;
	uint64_t file_offset; /* of the function's first instruction */
};

/* Reads up to `len` bytes at `offset` into `to`; returns the count, or -errno. The library code never
 * opens a path itself. */
struct tlslib_reader {
	ssize_t (*read)(void *ctx, void *to, size_t len, uint64_t offset);
	void *ctx;
};

struct tlslib_ops {
	const char *name; /* openssl */
	/* Could this file be the library, by its path alone? Cheap: called per mapping. */
	bool (*match)(struct span path);
	/* Fills hooks (cap entries at most) and returns their count; -ENOENT: not this library after
	 * all; -ENOEXEC: not a readable ELF file; -errno from the reader. */
	int (*find)(const struct tlslib_reader *reader, struct tls_hook *hooks, size_t cap);
};

extern const struct tlslib_ops *const tlslib_table[]; /* ends with NULL */
