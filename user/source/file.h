/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdio.h>

/* Opens a file for reading, to be closed by the caller. "-" is a copy of standard input, so that
 * closing it leaves the process's own open. NULL with errno. */
FILE *source_file_open(const char *path);
