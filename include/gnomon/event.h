/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/observation.h"
#include "gnomon/span.h"

/*
 * One event: a value or nothing for each row of event_fields.h. The policy reads it by field id,
 * the writers render what is present. Strings are lent by whoever set them and must outlive the
 * event; composed text lives in the event itself. Lives on the stack: about 6 KB.
 */

enum field_type {
	FIELD_STRING,
	FIELD_INT,
	FIELD_DOUBLE,
	FIELD_BOOL,
	FIELD_TIME,
	FIELD_IP,
	FIELD_LIST
};

enum field {
#define X(id, name, type) F_##id,
#include "gnomon/event_fields.h"
#undef X
	FIELD_COUNT,
};

struct field_info {
	const char *name; /* dotted */
	uint16_t name_len;
	enum field_type type;
};

extern const struct field_info field_table[FIELD_COUNT];

struct field_list {
	const struct span *items;
	size_t count;
};

struct field_value {
	union {
		struct span string;
		int64_t integer;
		double real;
		bool boolean;
		uint64_t time_ns; /* since the Unix epoch */
		struct net_address ip;
		struct field_list list;
	};
};

struct event {
	uint64_t present[(FIELD_COUNT + 63) / 64];
	struct field_value value[FIELD_COUNT];
	char text[EVENT_TEXT_MAX];
	uint16_t text_used;
	struct span list[EVENT_LIST_MAX];
	uint16_t list_used;
	struct span labels; /* the configuration's, a JSON object; lent; empty: none */
};

void event_init(struct event *event);

static inline bool event_has(const struct event *event, enum field field)
{
	return event->present[field / 64] >> (field % 64) & 1;
}

static inline void event_clear(struct event *event, enum field field)
{
	event->present[field / 64] &= ~(1ULL << (field % 64));
}

/* The field of that dotted name, or -ENOENT. */
int field_by_name(struct span name);

/* Setters. The type must be the field's (asserted). Empty strings, NULL, unknown addresses and
 * empty lists leave the field absent. */
void event_set_string(struct event *event, enum field field, struct span value);
void event_set_text(struct event *event, enum field field, const char *value);
void event_set_int(struct event *event, enum field field, int64_t value);
void event_set_double(struct event *event, enum field field, double value);
void event_set_bool(struct event *event, enum field field, bool value);
void event_set_time(struct event *event, enum field field, uint64_t time_ns);
void event_set_ip(struct event *event, enum field field, const struct net_address *ip);
/* Composes into the event's own text; cut (at a UTF-8 boundary) when that is full. */
__attribute__((format(printf, 3, 4))) void event_format(struct event *event, enum field field,
							const char *format, ...);
/* Appends one item to a list field. All items of one list must be appended together, before those of
 * the next. Dropped when EVENT_LIST_MAX is reached: false then. */
bool event_append(struct event *event, enum field field, struct span item);
/* Appends a copy kept in the event's own text. */
bool event_append_copy(struct event *event, enum field field, struct span item);
