/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/condition.h"

#include <assert.h>

#include "policy/condition_code.h"
#include "util/glob.h"

enum value_class value_class_of(enum field_type type)
{
	static const enum value_class classes[] = {
		[FIELD_STRING] = VALUE_STRING, [FIELD_INT] = VALUE_NUMBER,
		[FIELD_DOUBLE] = VALUE_NUMBER, [FIELD_BOOL] = VALUE_BOOL,
		[FIELD_TIME] = VALUE_TIME,     [FIELD_IP] = VALUE_IP,
		[FIELD_LIST] = VALUE_LIST,
	};

	return classes[type];
}

int span_compare(struct span a, struct span b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int order = least ? memcmp(a.at, b.at, least) : 0;

	if (order)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

static struct value field_read(const struct event *event, enum field field)
{
	const struct field_value *from = &event->value[field];
	struct value value = {.type = field_table[field].type};

	switch (value.type) {
	case FIELD_STRING:
		value.string = from->string;
		break;
	case FIELD_INT:
		value.integer = from->integer;
		break;
	case FIELD_DOUBLE:
		value.real = from->real;
		break;
	case FIELD_BOOL:
		value.boolean = from->boolean;
		break;
	case FIELD_TIME:
		value.time_ns = from->time_ns;
		break;
	case FIELD_IP:
		value.ip = from->ip;
		value.prefix = from->ip.family == 4 ? 32 : 128;
		break;
	case FIELD_LIST:
		break;
	}
	return value;
}

/* Does the address lie in the network? */
static bool ip_in(const struct net_address *ip, const struct net_address *network, uint8_t prefix)
{
	size_t whole = prefix / 8;
	unsigned int rest = prefix % 8;

	if (ip->family != network->family || memcmp(ip->bytes, network->bytes, whole) != 0)
		return false;
	return rest == 0 || (ip->bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

static int order_of(double a, double b)
{
	return a < b ? -1 : a > b;
}

static int compare_numbers(const struct value *a, const struct value *b)
{
	if (a->type == FIELD_INT && b->type == FIELD_INT)
		return a->integer < b->integer ? -1 : a->integer > b->integer;
	return order_of(a->type == FIELD_INT ? (double)a->integer : a->real,
			b->type == FIELD_INT ? (double)b->integer : b->real);
}

static bool values_equal(const struct value *a, const struct value *b)
{
	switch (value_class_of(a->type)) {
	case VALUE_STRING:
		return span_eq(a->string, b->string);
	case VALUE_NUMBER:
		return compare_numbers(a, b) == 0;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_TIME:
		return a->time_ns == b->time_ns;
	case VALUE_IP:
		return ip_in(&a->ip, &b->ip, b->prefix);
	default:
		return false;
	}
}

static int values_order(const struct value *a, const struct value *b)
{
	if (a->type == FIELD_TIME)
		return a->time_ns < b->time_ns ? -1 : a->time_ns > b->time_ns;
	return compare_numbers(a, b);
}

static bool set_has(const struct value_set *set, const struct value *value)
{
	for (size_t i = 0; i < set->count; i++)
		if (values_equal(value, &set->items[i]))
			return true;
	return false;
}

static bool list_has(const struct field_list *list, struct span text)
{
	for (size_t i = 0; i < list->count; i++)
		if (span_eq(list->items[i], text))
			return true;
	return false;
}

static bool set_like(const struct value_set *globs, struct span text)
{
	for (size_t i = 0; i < globs->count; i++)
		if (glob_matches(globs->items[i].string, text))
			return true;
	return false;
}

static bool test_like(const struct step *step, const struct event *event)
{
	const struct field_list *list = &event->value[step->field].list;

	if (field_table[step->field].type == FIELD_STRING)
		return set_like(step->set, event->value[step->field].string);
	for (size_t i = 0; i < list->count; i++)
		if (set_like(step->set, list->items[i]))
			return true;
	return false;
}

static bool test_in(const struct step *step, const struct event *event)
{
	const struct field_list *list = &event->value[step->field].list;
	struct value value;

	if (step->operand == OPERAND_FIELD)
		return list_has(&event->value[step->other].list, event->value[step->field].string);
	if (field_table[step->field].type == FIELD_LIST) {
		for (size_t i = 0; i < list->count; i++)
			if (value_set_has_string(step->set, list->items[i]))
				return true;
		return false;
	}
	if (field_table[step->field].type == FIELD_STRING)
		return value_set_has_string(step->set, event->value[step->field].string);
	value = field_read(event, step->field);
	return set_has(step->set, &value);
}

static bool span_contains(struct span text, struct span part)
{
	return part.len == 0 || (text.len && memmem(text.at, text.len, part.at, part.len));
}

static bool test_values(const struct step *step, const struct event *event,
			const struct value *left, const struct value *right)
{
	switch (step->op) {
	case STEP_EQ:
		return values_equal(left, right);
	case STEP_NE:
		return !values_equal(left, right);
	case STEP_LT:
		return values_order(left, right) < 0;
	case STEP_LE:
		return values_order(left, right) <= 0;
	case STEP_GT:
		return values_order(left, right) > 0;
	case STEP_GE:
		return values_order(left, right) >= 0;
	case STEP_CONTAINS:
		if (left->type == FIELD_LIST)
			return list_has(&event->value[step->field].list, right->string);
		return span_contains(left->string, right->string);
	case STEP_STARTS:
		return span_starts(left->string, right->string);
	case STEP_ENDS:
		return span_ends(left->string, right->string);
	case STEP_MATCHES:
		return glob_matches(right->string, left->string);
	default:
		return false;
	}
}

/* What most tests are: a field against a text. */
static bool test_text(const struct step *step, const struct event *event)
{
	struct span left = event->value[step->field].string, right = step->value.string;

	switch (step->op) {
	case STEP_EQ:
		return span_eq(left, right);
	case STEP_NE:
		return !span_eq(left, right);
	case STEP_CONTAINS:
		if (field_table[step->field].type == FIELD_LIST)
			return list_has(&event->value[step->field].list, right);
		return span_contains(left, right);
	case STEP_STARTS:
		return span_starts(left, right);
	case STEP_ENDS:
		/* most differ in the last byte, which is quicker than a call */
		if (left.len && right.len && left.at[left.len - 1] != right.at[right.len - 1])
			return false;
		return span_ends(left, right);
	default:
		return glob_matches(right, left);
	}
}

static bool test_integer(enum step_op op, int64_t left, int64_t right)
{
	switch (op) {
	case STEP_EQ:
		return left == right;
	case STEP_NE:
		return left != right;
	case STEP_LT:
		return left < right;
	case STEP_LE:
		return left <= right;
	case STEP_GT:
		return left > right;
	default:
		return left >= right;
	}
}

/* The common types by themselves: no values are copied together for them. */
static bool test_literal(const struct step *step, const struct event *event)
{
	const struct field_value *field = &event->value[step->field];
	struct value left;

	switch (step->value.type) {
	case FIELD_STRING:
		return test_text(step, event);
	case FIELD_IP:
		return ip_in(&field->ip, &step->value.ip, step->value.prefix) ==
		       (step->op == STEP_EQ);
	case FIELD_INT:
		if (field_table[step->field].type == FIELD_INT)
			return test_integer(step->op, field->integer, step->value.integer);
		break;
	default:
		break;
	}
	left = field_read(event, step->field);
	return test_values(step, event, &left, &step->value);
}

enum tristate step_eval(const struct step *step, const struct event *event)
{
	struct value left, right;

	if (step->operand == OPERAND_VALUE) {
		if (!event_has(event, step->field))
			return TRI_UNKNOWN;
		return test_literal(step, event) ? TRI_TRUE : TRI_FALSE;
	}
	if (step->op == STEP_MACRO)
		return condition_eval(step->macro->target, event); /* at most MACRO_DEPTH_MAX */
	if (step->op == STEP_EXISTS)
		return event_has(event, step->field) ? TRI_TRUE : TRI_FALSE;
	if (!event_has(event, step->field) ||
	    (step->operand == OPERAND_FIELD && !event_has(event, step->other)))
		return TRI_UNKNOWN;
	if (step->op == STEP_HOLDS)
		return event->value[step->field].boolean ? TRI_TRUE : TRI_FALSE;
	if (step->op == STEP_IN)
		return test_in(step, event) ? TRI_TRUE : TRI_FALSE;
	if (step->op == STEP_LIKE)
		return test_like(step, event) ? TRI_TRUE : TRI_FALSE;
	left = field_read(event, step->field);
	right = field_read(event, step->other);
	return test_values(step, event, &left, &right) ? TRI_TRUE : TRI_FALSE;
}

enum tristate truth_and(enum tristate a, enum tristate b)
{
	if (a == TRI_FALSE || b == TRI_FALSE)
		return TRI_FALSE;
	return a == TRI_TRUE && b == TRI_TRUE ? TRI_TRUE : TRI_UNKNOWN;
}

enum tristate truth_not(enum tristate a)
{
	return a == TRI_UNKNOWN ? TRI_UNKNOWN : a == TRI_TRUE ? TRI_FALSE : TRI_TRUE;
}

enum tristate condition_eval(const struct condition *condition, const struct event *event)
{
	enum tristate stack[CONDITION_STACK_MAX];
	size_t depth = 0;

	for (uint32_t i = 0; i < condition->count; i++) {
		const struct step *step = &condition->steps[i];

		switch (step->op) {
		case STEP_NOT:
			assert(depth >= 1);
			stack[depth - 1] = truth_not(stack[depth - 1]);
			break;
		case STEP_AND:
			assert(depth >= 2);
			depth--;
			stack[depth - 1] = truth_and(stack[depth - 1], stack[depth]);
			break;
		case STEP_OR:
			/* De Morgan. */
			assert(depth >= 2);
			depth--;
			stack[depth - 1] = truth_not(
				truth_and(truth_not(stack[depth - 1]), truth_not(stack[depth])));
			break;
		case STEP_SKIP_FALSE:
		case STEP_SKIP_TRUE:
			assert(depth >= 1);
			if (stack[depth - 1] == (step->op == STEP_SKIP_TRUE ? TRI_TRUE : TRI_FALSE))
				i = step->jump - 1;
			break;
		default:
			assert(depth < CONDITION_STACK_MAX);
			stack[depth++] = step_eval(step, event);
		}
	}
	assert(depth == 1);
	return stack[0];
}
