/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Messages for people about what is wrong with their input: collected by the library layers, which
 * never print, and shown by commands. At most DIAG_MESSAGES_MAX are kept; the rest is counted.
 */
struct diag {
	char **messages;
	size_t count, dropped;
};

/* "file:line:column: text" with a line, "file: text" with line 0, "text" with a NULL file. */
__attribute__((format(printf, 5, 6))) void diag_add(struct diag *diag, const char *file,
						    unsigned int line, unsigned int column,
						    const char *format, ...);

/* Prints every message as "gnomon: MESSAGE\n". */
void diag_print(const struct diag *diag, FILE *to);
void diag_done(struct diag *diag);

static inline bool diag_any(const struct diag *diag)
{
	return diag->count > 0;
}
