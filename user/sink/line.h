/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "gnomon/limits.h"

/*
 * Whole lines to a file descriptor, which a kernel may take in parts. No two lines ever share one,
 * whatever fails in between. The descriptor is the caller's.
 */
struct line_writer {
	int fd;
	/* What has to go out before the next line: the end of one that was interrupted, or the line
	 * end of one that broke off. */
	char rest[EVENT_LINE_MAX];
	size_t rest_len;
};

void line_writer_init(struct line_writer *writer, int fd);
/* The descriptor's text ends in the middle of a line: the next one starts on its own. */
void line_writer_torn(struct line_writer *writer);
/*
 * Writes `line`, which ends with '\n' and has at most EVENT_LINE_MAX bytes; waits where the reader is
 * slow, on a non-blocking descriptor too. 0: the line is out, or its end follows with the next call
 * because a signal came. -EINTR: a signal came before the line's first byte. Other -errno: the line is
 * not out, and what was of it has been taken back or will be ended.
 */
int line_write(struct line_writer *writer, const char *line, size_t len);
/* Writes what is left of an interrupted line as far as that needs no waiting. */
void line_writer_flush(struct line_writer *writer);
