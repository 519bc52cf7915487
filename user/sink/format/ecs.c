/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/format/ecs.h"

#include <errno.h>

#include "gnomon/event.h"
#include "util/cleanup.h"
#include "util/json_writer.h"
#include "util/text.h"

#define PRESENT_WORDS ((FIELD_COUNT + 63) / 64)

/* It tells what happened to all the others, so it must come after them. */
_Static_assert(F_TRUNCATED == FIELD_COUNT - 1, "gnomon.truncated is the last field");

/* What goes first when a line is too long: what other fields repeat, then what is long. */
static const enum field shed_order[] = {
	F_RELATED_IP, F_RELATED_USER,        F_RELATED_HOSTS, F_ANCESTORS,
	F_EVIDENCE,   F_USER_AGENT_ORIGINAL, F_URL_PATH,
};

struct shedding {
	uint8_t dropped;     /* so many of shed_order */
	uint16_t string_max; /* bytes of each string */
};

/* The last fits every possible event; a test renders the largest. */
static const struct shedding sheddings[] = {
	{0, EVENT_STRING_MAX},
	{3, EVENT_STRING_MAX},
	{4, EVENT_STRING_MAX},
	{5, EVENT_STRING_MAX},
	{6, EVENT_STRING_MAX},
	{7, EVENT_STRING_MAX},
	{7, 512},
	{7, 256},
	{7, 128},
	{7, 64},
	{7, 32},
	{7, 16},
	{7, 8},
	{7, 4},
	{7, 1},
};

struct rendering {
	struct json_writer json;
	const struct field_info *last; /* whose objects are open; NULL at the start */
	size_t string_max;
	bool cut;
};

/* Closes the objects that only the last field was in, opens those of the next, and names it. */
static void move_to(struct rendering *to, const struct field_info *field)
{
	size_t common = 0, begin;

	if (to->last) {
		const char *last = to->last->name;
		size_t i = 0;

		/* Neither name is a prefix of the other, by the test of the field table. */
		for (; last[i] == field->name[i] && last[i]; i++)
			if (last[i] == '.')
				common = i + 1;
		for (i = common; last[i]; i++)
			if (last[i] == '.')
				json_close(&to->json, '}');
	}
	begin = common;
	for (size_t i = common; i < field->name_len; i++) {
		if (field->name[i] != '.')
			continue;
		json_name(&to->json, span_of(field->name + begin, i - begin));
		json_open(&to->json, '{');
		begin = i + 1;
	}
	json_name(&to->json, span_of(field->name + begin, field->name_len - begin));
	to->last = field;
}

static void render_raw(struct rendering *to, const struct field_info *field, struct span text)
{
	move_to(to, field);
	json_raw(&to->json, text);
}

/* A value without text (not a number, no address) is left out like an absent one. */
static void render_text(struct rendering *to, const struct field_info *field, const char *text,
			size_t len)
{
	char quoted[TEXT_VALUE_MAX + 2];

	if (len == 0)
		return;
	quoted[0] = '"';
	memcpy(quoted + 1, text, len);
	quoted[len + 1] = '"';
	render_raw(to, field, span_of(quoted, len + 2));
}

static void render_string(struct rendering *to, struct span text)
{
	if (!json_string(&to->json, text, to->string_max))
		to->cut = true;
}

static void render_list(struct rendering *to, const struct field_info *field,
			const struct field_list *list)
{
	if (list->count == 0)
		return;
	move_to(to, field);
	json_open(&to->json, '[');
	for (size_t i = 0; i < list->count && !to->json.full; i++)
		render_string(to, list->items[i]);
	json_close(&to->json, ']');
}

static void render_bool(struct rendering *to, const struct field_info *field, bool value)
{
	render_raw(to, field, value ? SPAN_LITERAL("true") : SPAN_LITERAL("false"));
}

static void render_value(struct rendering *to, enum field id, const struct field_value *value)
{
	const struct field_info *field = &field_table[id];
	char text[TEXT_VALUE_MAX];
	size_t len;

	switch (field->type) {
	case FIELD_STRING:
		if (value->string.len == 0)
			return;
		move_to(to, field);
		render_string(to, value->string);
		return;
	case FIELD_INT:
		len = text_int(text, value->integer);
		render_raw(to, field, span_of(text, len));
		return;
	case FIELD_DOUBLE:
		len = text_double(text, value->real);
		if (len)
			render_raw(to, field, span_of(text, len));
		return;
	case FIELD_BOOL:
		render_bool(to, field, value->boolean);
		return;
	case FIELD_TIME:
		render_text(to, field, text, text_time(text, value->time_ns));
		return;
	case FIELD_IP:
		render_text(to, field, text, text_ip(text, &value->ip));
		return;
	case FIELD_LIST:
		render_list(to, field, &value->list);
		return;
	}
}

static void render_fields(struct rendering *to, const struct event *event,
			  const uint64_t present[PRESENT_WORDS], uint64_t sequence)
{
	for (size_t word = 0; word < PRESENT_WORDS; word++) {
		uint64_t bits = to->json.full ? 0 : present[word];

		for (; bits; bits &= bits - 1) {
			size_t id = word * 64 + (size_t)__builtin_ctzll(bits);

			if (id == F_EVENT_SEQUENCE) {
				char text[TEXT_VALUE_MAX];
				size_t len = text_uint(text, sequence);

				render_raw(to, &field_table[id], span_of(text, len));
			} else if (id != F_TRUNCATED) {
				render_value(to, (enum field)id, &event->value[id]);
			}
		}
	}
}

/* Returns the line's length, or -EMSGSIZE when this much shedding is not enough. */
static ssize_t render_shed(const struct event *event, uint64_t sequence,
			   const struct shedding *shedding, char *line, size_t cap)
{
	struct rendering to = {.string_max = shedding->string_max};
	uint64_t present[PRESENT_WORDS];

	memcpy(present, event->present, sizeof(present));
	present[F_EVENT_SEQUENCE / 64] |= 1ull << (F_EVENT_SEQUENCE % 64);
	for (size_t i = 0; i < shedding->dropped; i++) {
		if (!event_has(event, shed_order[i]))
			continue;
		present[shed_order[i] / 64] &= ~(1ull << (shed_order[i] % 64));
		to.cut = true;
	}

	json_init(&to.json, line, cap);
	json_open(&to.json, '{');
	render_fields(&to, event, present, sequence);
	if (to.json.full)
		return -EMSGSIZE;
	if (to.cut || event_has(event, F_TRUNCATED))
		render_bool(&to, &field_table[F_TRUNCATED],
			    to.cut || event->value[F_TRUNCATED].boolean);
	for (const char *c = to.last->name; *c; c++)
		if (*c == '.')
			json_close(&to.json, '}');
	if (event->labels.len) {
		json_name(&to.json, SPAN_LITERAL("labels"));
		json_raw(&to.json, event->labels);
	}
	json_close(&to.json, '}');
	json_tail(&to.json, '\n');
	return to.json.full ? -EMSGSIZE : (ssize_t)to.json.len;
}

/* Would sheddings[step] leave out or cut anything that the step before did not? */
static bool sheds_more(const struct event *event, size_t step)
{
	const struct shedding *before = &sheddings[step - 1], *now = &sheddings[step];
	bool more = now->string_max < before->string_max;

	for (size_t i = before->dropped; i < now->dropped; i++)
		more |= event_has(event, shed_order[i]);
	return more;
}

static ssize_t ecs_render(const struct event *event, uint64_t sequence, char *to, size_t cap)
{
	ssize_t len;

	if (cap > EVENT_LINE_MAX)
		cap = EVENT_LINE_MAX;
	len = render_shed(event, sequence, &sheddings[0], to, cap);
	for (size_t i = 1; len < 0 && i < ARRAY_SIZE(sheddings); i++)
		if (sheds_more(event, i))
			len = render_shed(event, sequence, &sheddings[i], to, cap);
	return len;
}

const struct format_ops ecs_format = {
	.name = "ecs",
	.render = ecs_render,
};
