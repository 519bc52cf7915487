/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/event_json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <time.h>

#include "gnomon/limits.h"
#include "util/diag.h"
#include "util/suggest.h"

/* The longest dotted name has 45 letters; hostile ones are cut and then unknown. */
#define NAME_MAX_BYTES 128
/* gnomon.status.lost.ring is 4 deep. */
#define DEPTH_MAX 8

struct reader {
	struct event *event;
	struct arena *arena;
	const char *name;
	unsigned int line;
	struct diag *diag;
	bool failed;
};

static bool digits(const char *at, size_t count, int *number)
{
	*number = 0;
	for (size_t i = 0; i < count; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		*number = *number * 10 + (at[i] - '0');
	}
	return true;
}

int time_parse(struct span text, uint64_t *time_ns)
{
	struct tm tm = {0}, back;
	uint64_t fraction = 0, unit = 100000000;
	const char *t = text.at;
	time_t seconds;
	size_t i = 19;

	/* 2026-08-22T10:15:02.413Z */
	if (text.len < 20 || text.len > 30 || t[4] != '-' || t[7] != '-' || t[10] != 'T' ||
	    t[13] != ':' || t[16] != ':' || !digits(t, 4, &tm.tm_year) ||
	    !digits(t + 5, 2, &tm.tm_mon) || !digits(t + 8, 2, &tm.tm_mday) ||
	    !digits(t + 11, 2, &tm.tm_hour) || !digits(t + 14, 2, &tm.tm_min) ||
	    !digits(t + 17, 2, &tm.tm_sec))
		return -EINVAL;
	/* 64 bits of nanoseconds end in 2554 */
	if (tm.tm_year < 1970 || tm.tm_year > 2500 || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 59)
		return -EINVAL;
	if (t[i] == '.') {
		for (i++; i < text.len && t[i] >= '0' && t[i] <= '9'; i++, unit /= 10)
			fraction += unit * (uint64_t)(t[i] - '0');
		if (i == 20)
			return -EINVAL;
	}
	if (i + 1 != text.len || t[i] != 'Z')
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	back = tm;
	seconds = timegm(&back);
	/* timegm() makes another day of one that there is not */
	if (back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon)
		return -EINVAL;
	*time_ns = (uint64_t)seconds * 1000000000 + fraction;
	return 0;
}

static bool string_of(struct reader *reader, struct json_object *value, struct span *text)
{
	char *copy;

	if (!json_object_is_type(value, json_type_string))
		return false;
	*text = span_of(json_object_get_string(value), (size_t)json_object_get_string_len(value));
	copy = arena_string(reader->arena, *text);
	text->at = copy;
	return copy && text->len;
}

static bool set_list(struct reader *reader, enum field field, struct json_object *value)
{
	if (!json_object_is_type(value, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct span item;

		if (!string_of(reader, json_object_array_get_idx(value, i), &item))
			return false;
		event_append(reader->event, field, item);
	}
	return true;
}

static bool set_ip(struct event *event, enum field field, const char *text)
{
	struct net_address ip = {0};

	if (inet_pton(AF_INET, text, ip.bytes) == 1)
		ip.family = 4;
	else if (inet_pton(AF_INET6, text, ip.bytes) == 1)
		ip.family = 6;
	else
		return false;
	event_set_ip(event, field, &ip);
	return true;
}

static bool set_text(struct reader *reader, enum field field, struct json_object *value)
{
	struct span text;
	uint64_t time_ns;

	if (!string_of(reader, value, &text))
		return false;
	switch (field_table[field].type) {
	case FIELD_STRING:
		event_set_string(reader->event, field, text);
		return true;
	case FIELD_TIME:
		if (time_parse(text, &time_ns) < 0)
			return false;
		event_set_time(reader->event, field, time_ns);
		return true;
	default:
		return set_ip(reader->event, field, text.at);
	}
}

static bool set_field(struct reader *reader, enum field field, struct json_object *value)
{
	bool is_int = json_object_is_type(value, json_type_int);

	switch (field_table[field].type) {
	case FIELD_INT:
		if (is_int)
			event_set_int(reader->event, field, json_object_get_int64(value));
		return is_int;
	case FIELD_DOUBLE:
		if (!is_int && !json_object_is_type(value, json_type_double))
			return false;
		event_set_double(reader->event, field, json_object_get_double(value));
		return true;
	case FIELD_BOOL:
		if (!json_object_is_type(value, json_type_boolean))
			return false;
		event_set_bool(reader->event, field, json_object_get_boolean(value));
		return true;
	case FIELD_LIST:
		return set_list(reader, field, value);
	default:
		return set_text(reader, field, value);
	}
}

static void unknown_name(struct reader *reader, struct span name)
{
	struct suggestion near = {0};

	for (int i = 0; i < FIELD_COUNT; i++)
		suggest_offer(&near, name, span_str(field_table[i].name));
	diag_add(reader->diag, reader->name, reader->line, 1,
		 "unknown field \"%.*s\" is left out" SUGGEST_FORMAT,
		 (int)(name.len < MESSAGE_TEXT_MAX ? name.len : MESSAGE_TEXT_MAX), name.at,
		 SUGGEST_ARGS(near));
}

/* The members of an object whose own name is `prefix`, without the dot. */
static void read_object(struct reader *reader, struct json_object *object, const char *prefix,
			unsigned int depth)
{
	json_object_object_foreach(object, key, value)
	{
		char name[NAME_MAX_BYTES];
		int field;

		snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", key);
		field = field_by_name(span_str(name));
		/* names that a configuration gave: nothing asks for them */
		if (depth == 0 && strcmp(name, "labels") == 0)
			continue;
		if (field < 0 && depth < DEPTH_MAX &&
		    json_object_is_type(value, json_type_object)) {
			read_object(reader, value, name, depth + 1);
			continue;
		}
		if (field < 0) {
			unknown_name(reader, span_str(name));
			continue;
		}
		if (event_has(reader->event, (enum field)field)) {
			diag_add(reader->diag, reader->name, reader->line, 1, "%s stands twice",
				 name);
			reader->failed = true;
		} else if (!set_field(reader, (enum field)field, value)) {
			diag_add(reader->diag, reader->name, reader->line, 1,
				 "%s has a value of another type", name);
			reader->failed = true;
		}
	}
}

/* Nothing but blanks from there on? */
static bool is_blank(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr(" \t\r\n", text.at[i]) || !text.at[i])
			return false;
	return true;
}

int event_from_json(struct event *event, struct span json, struct arena *arena, const char *name,
		    unsigned int line, struct diag *diag)
{
	struct reader reader = {event, arena, name, line, diag, false};
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX + 2);
	struct json_object *object = NULL;

	event_init(event);
	if (!tokener) {
		diag_add(diag, name, line, 1, "out of memory");
		return -ENOMEM;
	}
	if (json.len <= EVENT_JSON_BYTES_MAX)
		object = json_tokener_parse_ex(tokener, json.at, (int)json.len);
	if (!object || !json_object_is_type(object, json_type_object)) {
		diag_add(diag, name, line, 1, "not a JSON object");
		reader.failed = true;
	} else if (!is_blank(span_skip(json, json_tokener_get_parse_end(tokener)))) {
		diag_add(diag, name, line, 1, "more stands behind the object");
		reader.failed = true;
	} else {
		read_object(&reader, object, "", 0);
	}
	json_object_put(object);
	json_tokener_free(tokener);
	return reader.failed ? -EINVAL : 0;
}
