/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct event;
struct diag;

/* How an event becomes a line. One row each in the format table. */
struct format_ops {
	const char *name; /* ecs */
	/* Renders one line with its '\n' into `to`; returns its length, at most EVENT_LINE_MAX, or
	 * -EMSGSIZE. Sheds fields as needed to fit and says so in the line. */
	ssize_t (*render)(const struct event *event, uint64_t sequence, char *to, size_t cap);
};

/* Where lines go. One row each in the sink table. */
struct sink_ops {
	const char *scheme; /* "file" in file:PATH */
	/* Opens; `argument` is what follows the colon, NULL without one. */
	int (*open)(void **state, const char *argument, struct diag *diag);
	/* Writes a whole line or nothing: 0, -EAGAIN (would block), or -errno. */
	int (*write)(void *state, const char *line, size_t len);
	/* SIGHUP: closes and opens again, for rotation; keeps the old one on error. */
	int (*reopen)(void *state, struct diag *diag);
	void (*close)(void *state);
};
