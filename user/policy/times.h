/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/span.h"

/* Durations, dates and hours of the week, as a policy writes them. */

/* "90s", "15m", "24h", "30d", "2w": a whole number above 0 and a unit, at most DURATION_MAX_S. In
 * nanoseconds. -EINVAL. */
int duration_parse(struct span text, uint64_t *ns);

/* "2026-12-31": the end of that day in UTC, since the Unix epoch. -EINVAL: there is no such day. */
int date_parse_end(struct span text, uint64_t *ns);

/* "mon-fri 08:00-18:00", "sat,sun 00:00-24:00 utc": days, from, and up to but not with the end. An end
 * that is not after the start lies in the next day, and the span belongs to the day in which it
 * starts. Without "utc" it is the time of the host that evaluates, TZ and /etc/localtime. */
struct hours {
	uint8_t days;      /* bit 0: Sunday */
	uint16_t from, to; /* minutes since midnight */
	bool utc;
};

/* NULL, or what is wrong. */
const char *hours_parse(struct span text, struct hours *hours);
/* Does the moment lie in one of the spans? */
bool hours_hold(const struct hours *hours, size_t count, uint64_t time_ns);

/* "mon 22:15", "sun 09:00 utc": a moment of the week of 1 June 2026, which no time zone changes its
 * clocks in. For tests of rules. NULL, or what is wrong. */
const char *moment_parse(struct span text, uint64_t *ns);
