/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/event_text.h"

#include <stdio.h>
#include <string.h>

#include "util/terminal.h"
#include "util/text.h"

/* What quoting adds and terminal_clean() needs at least. */
#define QUOTED_MIN (8 + 3)

/* In quotes; returns the length. */
static size_t quote(char *to, size_t cap, struct span text)
{
	size_t len;

	to[0] = '"';
	len = terminal_clean(to + 1, cap - 2, text);
	memcpy(to + 1 + len, "\"", 2);
	return len + 2;
}

static void list_text(char *to, size_t cap, const struct field_list *list)
{
	size_t used = 0;

	for (size_t i = 0; i < list->count; i++) {
		/* so much must be left behind an item: ", ..." */
		if (cap - used < QUOTED_MIN + 5) {
			snprintf(to + used, cap - used, "%s", i ? ", ..." : "...");
			return;
		}
		if (i) {
			to[used++] = ',';
			to[used++] = ' ';
		}
		used += quote(to + used, cap - used - 5, list->items[i]);
	}
}

void event_value_text(char to[static EVENT_VALUE_TEXT_MAX], const struct event *event,
		      enum field field)
{
	const struct field_value *value = &event->value[field];

	switch (field_table[field].type) {
	case FIELD_STRING:
		quote(to, EVENT_VALUE_TEXT_MAX, value->string);
		break;
	case FIELD_LIST:
		list_text(to, EVENT_VALUE_TEXT_MAX, &value->list);
		break;
	case FIELD_BOOL:
		snprintf(to, EVENT_VALUE_TEXT_MAX, "%s", value->boolean ? "true" : "false");
		break;
	case FIELD_INT:
		text_int(to, value->integer);
		break;
	case FIELD_DOUBLE:
		text_double(to, value->real);
		break;
	case FIELD_TIME:
		text_time(to, value->time_ns);
		break;
	case FIELD_IP:
		text_ip(to, &value->ip);
		break;
	}
}
