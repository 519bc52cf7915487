/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/guard.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/model.h"
#include "util/cleanup.h"

/*
 * A guard is a test without which a rule's condition cannot be true: one operand of its outermost
 * `and`. Many rules have the same one, which is then asked once an event, and most rules of most
 * events end there, without a look at the rule itself.
 */

/* The better guard has the higher rank: equality with something rules out more than a verdict does. */
static int rank_of(const struct step *step)
{
	if (step->op == STEP_MACRO)
		return 0;
	if (step->field == F_VERDICT)
		return 1;
	if (step->operand == OPERAND_FIELD)
		return 2;
	return step->op == STEP_EQ ? 4 : step->op == STEP_IN ? 3 : 2;
}

static const struct step *better(const struct step *a, const struct step *b)
{
	if (!a || !b)
		return a ? a : b;
	return rank_of(b) > rank_of(a) ? b : a;
}

/* The best test that has to hold; NULL: there is none. */
static const struct step *find_guard(const struct condition *condition)
{
	const struct step *stack[CONDITION_STACK_MAX] = {NULL};
	size_t depth = 0;

	for (uint32_t i = 0; i < condition->count; i++) {
		const struct step *step = &condition->steps[i];

		switch (step->op) {
		case STEP_NOT:
			stack[depth - 1] = NULL;
			break;
		case STEP_AND:
			depth--;
			stack[depth - 1] = better(stack[depth - 1], stack[depth]);
			break;
		case STEP_OR:
			depth--;
			stack[depth - 1] = NULL;
			break;
		case STEP_SKIP_FALSE:
		case STEP_SKIP_TRUE:
			break;
		default:
			stack[depth++] = step;
		}
	}
	return stack[0];
}

struct wanted {
	const struct step *step;
	struct watched_rule *rule;
};

static int compare_numbers(uintptr_t a, uintptr_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_values(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return compare_numbers(a->type, b->type);
	if (a->type == FIELD_STRING)
		return span_compare(a->string, b->string);
	if (a->type == FIELD_INT)
		return compare_numbers((uintptr_t)a->integer, (uintptr_t)b->integer);
	/* seldom the same in two rules */
	return compare_numbers((uintptr_t)a, (uintptr_t)b);
}

static int compare_sets(const struct value_set *a, const struct value_set *b)
{
	int order = compare_numbers(a->count, b->count);

	/* one $list, bound once */
	if (order || a->items == b->items)
		return order;
	for (size_t i = 0; i < a->count && !order; i++)
		order = compare_values(&a->items[i], &b->items[i]);
	return order;
}

/* Any order in which the same tests stand together. */
static int compare_wanted(const void *x, const void *y)
{
	const struct step *a = ((const struct wanted *)x)->step;
	const struct step *b = ((const struct wanted *)y)->step;
	int order = compare_numbers(a->op, b->op);

	if (!order)
		order = compare_numbers(a->field, b->field);
	if (!order)
		order = compare_numbers(a->operand, b->operand);
	if (order)
		return order;
	switch (a->operand) {
	case OPERAND_VALUE:
		return compare_values(&a->value, &b->value);
	case OPERAND_FIELD:
		return compare_numbers(a->other, b->other);
	case OPERAND_SET:
		return compare_sets(a->set, b->set);
	default:
		return a->op == STEP_MACRO ? compare_numbers((uintptr_t)a->macro->target,
							     (uintptr_t)b->macro->target)
					   : 0;
	}
}

static int intern(struct guards *guards, struct wanted *wanted, size_t count, struct arena *arena)
{
	qsort(wanted, count, sizeof(*wanted), compare_wanted);
	guards->steps = arena_array(arena, count, sizeof(*guards->steps));
	if (!guards->steps)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || compare_wanted(&wanted[i - 1], &wanted[i]) != 0) {
			if (guards->count == GUARDS_MAX)
				break;
			guards->steps[guards->count++] = *wanted[i].step;
		}
		wanted[i].rule->guard = (uint32_t)guards->count - 1;
	}
	return 0;
}

static bool is_text_equality(const struct step *step)
{
	return step->op == STEP_EQ && step->operand == OPERAND_VALUE &&
	       step->value.type == FIELD_STRING;
}

/* The guards from `first` on that compare the same field with a text; they stand together. */
static uint32_t group_size(const struct guards *guards, uint32_t first)
{
	uint32_t end = first;

	while (end < guards->count && is_text_equality(&guards->steps[end]) &&
	       guards->steps[end].field == guards->steps[first].field)
		end++;
	return end - first;
}

static int make_group(struct guards *guards, uint32_t first, uint32_t count, struct arena *arena)
{
	struct guard_group *group = arena_alloc(arena, sizeof(*group));

	if (!group)
		return -ENOMEM;
	*group = (struct guard_group){guards->steps[first].field, first, count, {0}};
	group->texts.count = count;
	group->texts.items = arena_array(arena, count, sizeof(*group->texts.items));
	if (!group->texts.items)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		group->texts.items[i] = guards->steps[first + i].value;
		guards->group_of[first + i] = group;
	}
	return value_set_index(&group->texts, arena);
}

static int make_groups(struct guards *guards, struct arena *arena)
{
	uint32_t count;
	int r = 0;

	guards->group_of = arena_array(arena, guards->count, sizeof(struct guard_group *));
	if (!guards->group_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < guards->count && r == 0; i += count ? count : 1) {
		count = group_size(guards, i);
		if (count > 1)
			r = make_group(guards, i, count, arena);
	}
	return r;
}

void guard_ask(const struct guards *guards, uint32_t guard, struct guard_answers *answers,
	       const struct event *event)
{
	const struct guard_group *group = guards->group_of[guard];
	size_t found = SIZE_MAX;

	if (!group) {
		answers->known[guard] = step_eval(&guards->steps[guard], event) == TRI_TRUE ? 2 : 1;
		return;
	}
	memset(answers->known + group->first, 1, group->count);
	if (event_has(event, group->field))
		found = value_set_find(&group->texts, event->value[group->field].string);
	if (found != SIZE_MAX)
		answers->known[group->first + found] = 2;
}

int guards_make(struct guards *guards, struct rule *const *rules, size_t count, struct arena *arena)
{
	_cleanup_free_ struct wanted *wanted = calloc(count + 1, sizeof(*wanted));
	size_t n = 0;

	guards->rules = arena_array(arena, count, sizeof(*guards->rules));
	if (!wanted || !guards->rules)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct watched_rule *watched = &guards->rules[i];
		const struct step *step = find_guard(rules[i]->condition);

		*watched = (struct watched_rule){rules[i], rules[i]->condition, rules[i]->actions,
						 GUARDS_MAX};
		if (step)
			wanted[n++] = (struct wanted){step, watched};
	}
	guards->rule_count = count;
	if (intern(guards, wanted, n, arena))
		return -ENOMEM;
	return make_groups(guards, arena);
}
