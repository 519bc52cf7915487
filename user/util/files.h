/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

struct diag;

/* A whole file's bytes, with a NUL behind them that is not counted. */
struct file_text {
	char *at;
	size_t len;
};

/* Reads a regular file of at most `max` bytes. The caller frees text->at. -errno (-EFBIG, -EISDIR
 * ...) with the reason in `diag`. */
int file_read(const char *path, size_t max, struct file_text *text, struct diag *diag);

/* Paths in order of name. */
struct file_list {
	char **paths;
	size_t count;
};

/* The files of a directory whose names end with `suffix` and do not begin with a dot; not its
 * subdirectories. At most DIRECTORY_FILES_MAX. -errno with the reason in `diag`; *list is as
 * before. */
int file_list_directory(const char *path, const char *suffix, struct file_list *list,
			struct diag *diag);
void file_list_done(struct file_list *list);
