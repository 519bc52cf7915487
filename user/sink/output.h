/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/event.h"
#include "gnomon/sink.h"

struct diag;

/* One output of the command line: a sink, a format, and its own sequence of events. */
struct output;

struct output_stats {
	uint64_t written, refused;
	uint64_t
		unsaved; /* times the sequence number could not be kept: it might repeat after a crash */
};

/* "stdout", "file:PATH". NULL with the reason in `diag`. `sequence_dir` is where the sequence number is
 * kept across restarts, NULL: it starts at 1 each time. */
struct output *output_open(const char *spec, const char *format, const char *sequence_dir,
			   struct diag *diag);
/* Renders and writes. The sequence number rises whether or not the write succeeds, so that a gap
 * shows a loss. 0 or -errno. */
int output_write(struct output *output, const struct event *event);
int output_reopen(struct output *output, struct diag *diag);
void output_stats(const struct output *output, struct output_stats *stats);
/* Keeps the sequence and closes. */
void output_close(struct output *output);
