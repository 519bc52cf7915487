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

static struct condition_list *list_find(const struct condition_names *names, struct span name)
{
	size_t low = 0, high = names->list_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = span_compare(name, names->lists[middle].name);

		if (order == 0)
			return &names->lists[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static const struct condition_macro *macro_find(const struct condition_names *names,
						struct span name)
{
	size_t low = 0, high = names->macro_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = span_compare(name, names->macros[middle].name);

		if (order == 0)
			return &names->macros[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool value_parse(struct span item, enum value_class class, struct value *value)
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
	case VALUE_BOOL:
		*value = (struct value){.type = FIELD_BOOL};
		value->boolean = span_eq(item, SPAN_LITERAL("true"));
		return value->boolean || span_eq(item, SPAN_LITERAL("false"));
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

/* The list's items as values of the class; errors name the field that wants them. */
static int make_set(struct value_set *set, enum value_class class, enum field field,
		    struct arena *arena, const struct condition_list *list,
		    struct condition_error *error)
{
	set->items = arena_array(arena, list->count, sizeof(*set->items));
	if (!set->items)
		return -ENOMEM;
	set->count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		struct span item = list->items[i];

		if (!value_parse(item, class, &set->items[i]))
			return bind_error(
				error, set->offset, "\"%.*s\" of the list \"%.*s\" is no %s for %s",
				(int)(item.len < MESSAGE_TEXT_MAX ? item.len : MESSAGE_TEXT_MAX),
				item.at, (int)list->name.len, list->name.at,
				class == VALUE_IP     ? "address"
				: class == VALUE_BOOL ? "true or false"
						      : "number",
				field_table[field].name);
	}
	return class == VALUE_STRING ? value_set_index(set, arena) : 0;
}

static int bind_set(struct value_set *set, enum field field, struct arena *arena,
		    const struct condition_names *names, bool globs, struct condition_error *error)
{
	static const unsigned int slots[] = {
		[VALUE_STRING] = 0, [VALUE_LIST] = 0, [VALUE_NUMBER] = 1,
		[VALUE_BOOL] = 2,   [VALUE_IP] = 3,
	};
	enum value_class class = value_class_of(field_table[field].type);
	struct condition_list *list = list_find(names, set->list);
	struct suggestion near = {0};
	int r;

	if (!list) {
		for (size_t i = 0; i < names->list_count; i++)
			suggest_offer(&near, set->list, names->lists[i].name);
		return bind_error(
			error, set->offset, "unknown list \"%.*s\"" SUGGEST_FORMAT,
			(int)(set->list.len < MESSAGE_TEXT_MAX ? set->list.len : MESSAGE_TEXT_MAX),
			set->list.at, SUGGEST_ARGS(near));
	}
	if (globs && list->count > GLOBS_PER_TEST_MAX)
		return bind_error(error, set->offset,
				  "the list \"%.*s\" has %zu items, \"matches\" takes at most %d",
				  (int)set->list.len, set->list.at, list->count,
				  GLOBS_PER_TEST_MAX);
	if (class == VALUE_LIST)
		class = VALUE_STRING;
	if (!list->sets[slots[class]]) {
		r = make_set(set, class, field, arena, list, error);
		if (r < 0)
			return r;
		list->sets[slots[class]] = set;
		return 0;
	}
	set->items = list->sets[slots[class]]->items;
	set->count = list->sets[slots[class]]->count;
	set->slots = list->sets[slots[class]]->slots;
	set->mask = list->sets[slots[class]]->mask;
	return 0;
}

static int bind_macro(struct macro_ref *ref, const struct condition_names *names,
		      struct condition_error *error)
{
	const struct condition_macro *macro = macro_find(names, ref->name);
	struct suggestion near = {0};

	if (macro) {
		ref->target = macro->condition;
		return 0;
	}
	for (size_t i = 0; i < names->macro_count; i++)
		suggest_offer(&near, ref->name, names->macros[i].name);
	for (int i = 0; i < FIELD_COUNT; i++)
		suggest_offer(&near, ref->name, span_str(field_table[i].name));
	return bind_error(
		error, ref->offset, "unknown field or macro \"%.*s\"" SUGGEST_FORMAT,
		(int)(ref->name.len < MESSAGE_TEXT_MAX ? ref->name.len : MESSAGE_TEXT_MAX),
		ref->name.at, SUGGEST_ARGS(near));
}

int condition_bind(struct condition *condition, struct arena *arena,
		   const struct condition_names *names, struct condition_error *error)
{
	int r = 0;

	for (uint32_t i = 0; i < condition->count && r == 0; i++) {
		struct step *step = &condition->steps[i];

		if (step->op == STEP_MACRO)
			r = bind_macro(step->macro, names, error);
		else if (step->operand == OPERAND_SET && step->set->list.len)
			r = bind_set(step->set, step->field, arena, names, step->op == STEP_LIKE,
				     error);
	}
	condition->broken = r < 0;
	return r;
}

static int settle(struct condition *condition, unsigned int level, struct condition_error *error);

static int settle_macro(struct condition *condition, const struct macro_ref *ref,
			unsigned int level, struct condition_error *error)
{
	struct condition *target = ref->target;
	int r;

	if (target->settling)
		return bind_error(error, ref->offset, "the macro \"%.*s\" leads back to itself",
				  (int)ref->name.len, ref->name.at);
	if (level == MACRO_DEPTH_MAX)
		return bind_error(error, ref->offset, "macros are nested too deeply");
	r = settle(target, level + 1, error);
	if (r < 0) {
		error->offset = ref->offset;
		return r;
	}
	if (target->depth >= MACRO_DEPTH_MAX)
		return bind_error(error, ref->offset, "macros are nested too deeply");
	if (target->depth >= condition->depth)
		condition->depth = (uint8_t)(target->depth + 1);
	condition->weight += target->weight;
	if (condition->weight > MACRO_STEPS_MAX)
		return bind_error(error, ref->offset, "the condition is too long with its macros");
	return 0;
}

static int settle(struct condition *condition, unsigned int level, struct condition_error *error)
{
	int r = 0;

	if (condition->weight || condition->broken)
		return 0;
	condition->settling = true;
	condition->weight = condition->count;
	for (uint32_t i = 0; i < condition->count && r == 0; i++)
		if (condition->steps[i].op == STEP_MACRO)
			r = settle_macro(condition, condition->steps[i].macro, level, error);
	condition->settling = false;
	condition->broken |= r < 0;
	return r;
}

int condition_settle(struct condition *condition, struct condition_error *error)
{
	return settle(condition, 0, error);
}
