/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "command/settings.h"
#include "gnomon/event.h"

struct diag;
struct output;

/* The outputs of one run, and which events they get. */
struct outputs {
	struct output *output[OUTPUTS_MAX];
	size_t count;
	unsigned int classes;
};

/* Opens the settings' outputs, or `fallback` when there is none. -errno with the reason in `diag`. */
int outputs_open(struct outputs *outputs, const struct settings *settings, const char *fallback,
		 struct diag *diag);
/* Writes to each, if the event's class is wanted. -EPIPE when nobody reads the only output; other failures are
 * counted. */
int outputs_write(struct outputs *outputs, const struct event *event);
void outputs_reopen(struct outputs *outputs, struct diag *diag);
uint64_t outputs_refused(const struct outputs *outputs);
void outputs_close(struct outputs *outputs);
