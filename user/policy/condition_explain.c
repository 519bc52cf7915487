/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/condition.h"

#include <assert.h>

#include "policy/condition_code.h"

/* The evaluator's stack with the step that decided each value. It is apart from condition_eval() because
 * that one runs for every rule and event, and this one when a person asks. */
struct decided {
	enum tristate truth;
	struct condition_blame by;
};

static struct decided decided_and(const struct decided *a, const struct decided *b)
{
	struct decided result = *a;

	result.truth = truth_and(a->truth, b->truth);
	/* the first operand that is what the whole is; of all true ones the first */
	if (a->truth != result.truth)
		result.by = b->by;
	return result;
}

static struct decided decided_not(const struct decided *a)
{
	struct decided result = *a;

	result.truth = truth_not(a->truth);
	return result;
}

/* De Morgan. */
static struct decided decided_or(const struct decided *a, const struct decided *b)
{
	struct decided x = decided_not(a), y = decided_not(b), both = decided_and(&x, &y);

	return decided_not(&both);
}

static struct decided decided_test(const struct step *step, const struct event *event)
{
	struct decided result = {.by = {.field = FIELD_COUNT, .other = FIELD_COUNT}};

	if (step->op == STEP_MACRO) {
		/* at most MACRO_DEPTH_MAX deep */
		result.truth = condition_explain(step->macro->target, event, &result.by);
		return result;
	}
	result.truth = step_eval(step, event);
	result.by.text = step->text;
	result.by.truth = result.truth;
	result.by.field = step->field;
	if (step->operand == OPERAND_FIELD)
		result.by.other = step->other;
	return result;
}

enum tristate condition_explain(const struct condition *condition, const struct event *event,
				struct condition_blame *blame)
{
	struct decided stack[CONDITION_STACK_MAX];
	size_t depth = 0;

	for (uint32_t i = 0; i < condition->count; i++) {
		const struct step *step = &condition->steps[i];

		switch (step->op) {
		case STEP_NOT:
			assert(depth >= 1);
			stack[depth - 1] = decided_not(&stack[depth - 1]);
			break;
		case STEP_AND:
			assert(depth >= 2);
			depth--;
			stack[depth - 1] = decided_and(&stack[depth - 1], &stack[depth]);
			break;
		case STEP_OR:
			assert(depth >= 2);
			depth--;
			stack[depth - 1] = decided_or(&stack[depth - 1], &stack[depth]);
			break;
		case STEP_SKIP_FALSE:
		case STEP_SKIP_TRUE:
			assert(depth >= 1);
			if (stack[depth - 1].truth ==
			    (step->op == STEP_SKIP_TRUE ? TRI_TRUE : TRI_FALSE))
				i = step->jump - 1;
			break;
		default:
			assert(depth < CONDITION_STACK_MAX);
			stack[depth++] = decided_test(step, event);
		}
	}
	assert(depth == 1);
	*blame = stack[0].by;
	return stack[0].truth;
}
