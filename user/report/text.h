/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct event;

/* What an audit tells people: fed every event, printed once. Bounded: services, findings and servers
 * past the tables' ends (limits.h) are added up in a row "other". */
struct report;

/* NULL when out of memory. */
struct report *report_new(void);
void report_free(struct report *report);
/* Takes what it needs; the event may go afterwards. Order does not matter. */
void report_add(struct report *report, const struct event *event);

/*
 * Prints for a terminal of 100 columns: AI services, local model servers, findings, and whether
 * anything was lost. `colour` turns on ANSI colours: the caller knows about terminals and NO_COLOR.
 * Errors stay in the stream for ferror().
 */
void report_print_text(const struct report *report, FILE *to, bool colour);
