/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/condition.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/condition_code.h"
#include "util/suggest.h"

bool value_parse_ip(struct span text, struct value *value)
{
	char address[INET6_ADDRSTRLEN + 4];
	unsigned long prefix, bits;
	char *slash, *end;

	if (!span_copy(address, sizeof(address), text) || strlen(address) != text.len)
		return false;
	slash = strchr(address, '/');
	if (slash)
		*slash++ = '\0';
	*value = (struct value){.type = FIELD_IP};
	if (inet_pton(AF_INET, address, value->ip.bytes) == 1)
		value->ip.family = 4;
	else if (inet_pton(AF_INET6, address, value->ip.bytes) == 1)
		value->ip.family = 6;
	else
		return false;
	bits = value->ip.family == 4 ? 32 : 128;
	prefix = bits;
	if (slash) {
		if (*slash < '0' || *slash > '9')
			return false;
		prefix = strtoul(slash, &end, 10);
		if (*end || prefix > bits)
			return false;
	}
	value->prefix = (uint8_t)prefix;
	return true;
}

static const struct condition_list *list_find(const struct condition_list *lists, size_t count,
					      struct span name)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = span_compare(name, lists[middle].name);

		if (order == 0)
			return &lists[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* A list's item as a value of the field's class. */
static bool item_parse(struct span item, enum value_class class, struct value *value)
{
	char digits[64], *end;

	switch (class) {
	case VALUE_IP:
		return value_parse_ip(item, value);
	case VALUE_NUMBER:
		if (!span_copy(digits, sizeof(digits), item) || digits[0] == '\0' ||
		    strspn(digits, "+-.0123456789eE") != item.len)
			return false;
		*value = (struct value){.type = FIELD_INT};
		errno = 0;
		value->integer = strtoll(digits, &end, 10);
		if (*end || errno) {
			errno = 0;
			value->type = FIELD_DOUBLE;
			value->real = strtod(digits, &end);
		}
		return *end == '\0' && errno == 0;
	default:
		*value = (struct value){.type = FIELD_STRING, .string = item};
		return true;
	}
}

__attribute__((format(printf, 3, 4))) static int bind_error(struct condition_error *error,
							    size_t offset, const char *format, ...)
{
	va_list args;

	error->offset = offset;
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	return -EINVAL;
}

static int set_bind(struct value_set *set, enum field field, struct arena *arena,
		    const struct condition_list *list, struct condition_error *error)
{
	enum value_class class = value_class_of(field_table[field].type);

	set->items = arena_array(arena, list->count, sizeof(*set->items));
	if (!set->items)
		return -ENOMEM;
	set->count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		struct span item = list->items[i];

		if (!item_parse(item, class, &set->items[i]))
			return bind_error(
				error, set->offset, "\"%.*s\" of the list \"%.*s\" is no %s for %s",
				(int)(item.len < MESSAGE_TEXT_MAX ? item.len : MESSAGE_TEXT_MAX),
				item.at, (int)list->name.len, list->name.at,
				class == VALUE_IP ? "address" : "number", field_table[field].name);
	}
	if (class == VALUE_STRING || class == VALUE_LIST)
		qsort(set->items, set->count, sizeof(*set->items), value_compare_strings);
	return 0;
}

static int unknown_list(const struct value_set *set, const struct condition_list *lists,
			size_t count, struct condition_error *error)
{
	struct suggestion near = {0};

	for (size_t i = 0; i < count; i++)
		suggest_offer(&near, set->list, lists[i].name);
	return bind_error(
		error, set->offset, "unknown list \"%.*s\"" SUGGEST_FORMAT,
		(int)(set->list.len < MESSAGE_TEXT_MAX ? set->list.len : MESSAGE_TEXT_MAX),
		set->list.at, SUGGEST_ARGS(near));
}

int condition_bind(struct condition *condition, struct arena *arena,
		   const struct condition_list *lists, size_t count, struct condition_error *error)
{
	for (uint32_t i = 0; i < condition->count; i++) {
		struct step *step = &condition->steps[i];
		const struct condition_list *list;
		int r;

		if (step->operand != OPERAND_SET || step->set->list.len == 0)
			continue;
		list = list_find(lists, count, step->set->list);
		if (!list)
			return unknown_list(step->set, lists, count, error);
		r = set_bind(step->set, step->field, arena, list, error);
		if (r < 0)
			return r;
	}
	return 0;
}
