/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/event.h"
#include "util/arena.h"

struct diag;

/*
 * Reads an event as it is written: a JSON object with ECS's nested names, or with dotted ones, of at
 * most EVENT_JSON_BYTES_MAX. Strings are kept in the arena. What follows the object is left alone.
 * Names that are no field are told in `diag` and skipped. -EINVAL with the reason in `diag`: no JSON,
 * no object, or a value of another type than its field's. `name` and `line` (0: none) are for
 * messages.
 */
int event_from_json(struct event *event, struct span json, struct arena *arena, const char *name,
		    unsigned int line, struct diag *diag);

/* RFC 3339 section 5.6 in UTC ("Z"), from 1970 on, in nanoseconds. -EINVAL. */
int time_parse(struct span text, uint64_t *time_ns);
