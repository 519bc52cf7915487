/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A TLS library file that running processes have mapped. */
struct tls_library {
	char path[256];      /* as the first such process names it */
	const char *library; /* "openssl", "gnutls", "nss" ... */
	unsigned int processes;
	bool readable;      /* its plaintext can be hooked */
	const char *reason; /* why not; static */
	dev_t device;
	ino_t inode;
};

/* Looks through /proc/PID/maps of every process that may be read. Fills *libraries, to be freed by the
 * caller, with at most TLS_FILES_MAX entries and returns their count. */
size_t tls_libraries_loaded(struct tls_library **libraries);

/* The reading end of a struct tlslib_reader over an open file: ctx points to the descriptor. */
ssize_t tls_file_read(void *ctx, void *to, size_t len, uint64_t offset);

/* One executable file mapping of a process: `path` is as in maps, `open_path` reaches the file through
 * the process's own root, so also in containers. */
typedef void (*mapping_visitor)(void *ctx, uint32_t pid, const char *path, const char *open_path);
/* Visits those of one process. False: it has ended, or is not ours to read. */
bool visit_process_mappings(uint32_t pid, mapping_visitor visit, void *ctx);
/* Visits those of every process whose maps may be read. */
void visit_mappings(mapping_visitor visit, void *ctx);
