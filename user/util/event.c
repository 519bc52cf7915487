/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "gnomon/event.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "util/utf8.h"

const struct field_info field_table[FIELD_COUNT] = {
#define X(id, name, type) [F_##id] = {name, sizeof(name) - 1, FIELD_##type},
#include "gnomon/event_fields.h"
#undef X
};

void event_init(struct event *event)
{
	/* The values need no clearing: nobody reads one whose presence bit is unset. */
	memset(event->present, 0, sizeof(event->present));
	event->text_used = 0;
	event->list_used = 0;
	event->labels = (struct span){0};
}

int field_by_name(struct span name)
{
	for (int i = 0; i < FIELD_COUNT; i++)
		if (name.len == field_table[i].name_len &&
		    memcmp(name.at, field_table[i].name, name.len) == 0)
			return i;
	return -ENOENT;
}

static struct field_value *event_put(struct event *event, enum field field, enum field_type type)
{
	assert(field_table[field].type == type);
	event->present[field / 64] |= 1ULL << (field % 64);
	return &event->value[field];
}

void event_set_string(struct event *event, enum field field, struct span value)
{
	if (value.len)
		event_put(event, field, FIELD_STRING)->string = value;
}

void event_set_text(struct event *event, enum field field, const char *value)
{
	event_set_string(event, field, span_str(value));
}

void event_set_int(struct event *event, enum field field, int64_t value)
{
	event_put(event, field, FIELD_INT)->integer = value;
}

void event_set_double(struct event *event, enum field field, double value)
{
	event_put(event, field, FIELD_DOUBLE)->real = value;
}

void event_set_bool(struct event *event, enum field field, bool value)
{
	event_put(event, field, FIELD_BOOL)->boolean = value;
}

void event_set_time(struct event *event, enum field field, uint64_t time_ns)
{
	event_put(event, field, FIELD_TIME)->time_ns = time_ns;
}

void event_set_ip(struct event *event, enum field field, const struct net_address *ip)
{
	if (ip->family)
		event_put(event, field, FIELD_IP)->ip = *ip;
}

void event_format(struct event *event, enum field field, const char *format, ...)
{
	size_t room = sizeof(event->text) - event->text_used;
	char *to = event->text + event->text_used;
	size_t len;
	va_list args;
	int n;

	if (room < 2)
		return;
	va_start(args, format);
	n = vsnprintf(to, room, format, args);
	va_end(args);
	if (n <= 0)
		return;
	len = (size_t)n < room ? (size_t)n : utf8_whole(span_of(to, room - 1));
	event->text_used += (uint16_t)len;
	event_set_string(event, field, span_of(to, len));
}

bool event_append(struct event *event, enum field field, struct span item)
{
	struct span *slot = &event->list[event->list_used];
	struct field_value *value;

	if (item.len == 0 || event->list_used == EVENT_LIST_MAX)
		return false;
	if (!event_has(event, field)) {
		value = event_put(event, field, FIELD_LIST);
		value->list = (struct field_list){slot, 0};
	}
	value = &event->value[field];
	assert(value->list.items + value->list.count == slot);
	*slot = item;
	value->list.count++;
	event->list_used++;
	return true;
}

bool event_append_copy(struct event *event, enum field field, struct span item)
{
	char *to = event->text + event->text_used;

	if (item.len > sizeof(event->text) - event->text_used)
		return false;
	if (item.len)
		memcpy(to, item.at, item.len);
	event->text_used += (uint16_t)item.len;
	return event_append(event, field, span_of(to, item.len));
}
