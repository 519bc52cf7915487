/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/condition.h"

#include "policy/condition_code.h"

struct field_set {
	enum field *fields;
	size_t count, cap;
};

static void add_field(struct field_set *set, enum field field)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->fields[i] == field)
			return;
	if (set->count < set->cap)
		set->fields[set->count++] = field;
}

/* At most MACRO_DEPTH_MAX deep. */
static void collect(const struct condition *condition, struct field_set *set)
{
	for (uint32_t i = 0; i < condition->count; i++) {
		const struct step *step = &condition->steps[i];

		if (step->op == STEP_MACRO) {
			collect(step->macro->target, set);
		} else if (step->op <= STEP_HOLDS) {
			add_field(set, step->field);
			if (step->operand == OPERAND_FIELD)
				add_field(set, step->other);
		}
	}
}

size_t condition_fields(const struct condition *condition, enum field *fields, size_t cap)
{
	struct field_set set = {.fields = fields, .cap = cap};

	collect(condition, &set);
	return set.count;
}
