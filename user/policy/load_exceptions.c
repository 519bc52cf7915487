/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/load.h"

#include "policy/condition_code.h"

/*
 * {user.name: [dave, svc-*], gnomon.service: mistral, until: 2026-12-31, reason: pilot, ticket: X-1}
 *
 * becomes a condition of the kind that `when` compiles to: a test for each field, joined by `and`.
 */

/* What is no field. */
static const char *const words_about[] = {"until", "reason", "ticket"};

static bool is_about(struct span key)
{
	for (size_t i = 0; i < sizeof(words_about) / sizeof(words_about[0]); i++)
		if (span_eq(key, span_str(words_about[i])))
			return true;
	return false;
}

static void load_value(struct load *load, enum field field, const struct yaml_node *item,
		       struct value_set *set)
{
	static const char *const wanted[] = {
		[VALUE_NUMBER] = "number",
		[VALUE_BOOL] = "true or false",
		[VALUE_IP] = "address or network",
	};
	enum value_class class = value_class_of(field_table[field].type);

	if (class == VALUE_LIST)
		class = VALUE_STRING;
	if (item->kind != YAML_SCALAR || item->text.len == 0)
		load_error(load, item, "must be a value, or a list of values");
	else if (span_starts(item->text, SPAN_LITERAL("$")))
		load_error(load, item, "a $list stands alone");
	else if (!value_parse(item->text, class, &set->items[set->count]))
		load_error(load, item, "\"%.*s\" is no %s for %s", quoted_len(item->text),
			   item->text.at, wanted[class], field_table[field].name);
	else
		set->count++;
}

/* The values of one field: scalars and globs, or a $list. */
static struct value_set *load_values(struct load *load, enum field field,
				     const struct yaml_node *node)
{
	struct value_set *set = load_array(load, node, 1, sizeof(*set));

	if (!set)
		return NULL;
	if (node->kind == YAML_SCALAR && node->text.len > 1 && node->text.at[0] == '$') {
		set->list = span_skip(node->text, 1);
		return set;
	}
	set->items = load_array(load, node, node->kind == YAML_SEQUENCE ? node->count : 1,
				sizeof(*set->items));
	if (!set->items)
		return NULL;
	if (node->kind == YAML_SEQUENCE && node->count == 0)
		load_error(load, node, "the list is empty");
	for (const struct yaml_node *item = items_first(node); item; item = items_next(node, item))
		load_value(load, field, item, set);
	return set;
}

static void load_part(struct load *load, const struct yaml_node *key, struct condition *condition)
{
	struct step *step = &condition->steps[condition->count];
	enum value_class class;
	int field = load_field(load, key);

	if (field < 0)
		return;
	class = value_class_of(field_table[field].type);
	if (class == VALUE_TIME) {
		load_error(load, key, "%s is a time, which an exception cannot name",
			   field_table[field].name);
		return;
	}
	if (key->value->kind == YAML_MAPPING) {
		load_error(load, key->value, "must be a value, or a list of values");
		return;
	}
	*step = (struct step){
		.op = STEP_LIKE,
		.field = (enum field)field,
		.operand = OPERAND_SET,
		.set = load_values(load, (enum field)field, key->value),
		.text = key->text,
	};
	if (!step->set)
		return;
	if (step->set->list.len || (class != VALUE_STRING && class != VALUE_LIST))
		step->op = STEP_IN;
	if (condition->count++)
		condition->steps[condition->count++] = (struct step){.op = STEP_AND};
}

static void load_about(struct load *load, const struct yaml_node *node,
		       struct rule_exception *exception)
{
	const struct yaml_node *until = yaml_get(node, "until");

	if (until &&
	    (until->kind != YAML_SCALAR || date_parse_end(until->text, &exception->until_ns) < 0))
		load_error(load, until, "a date is written 2026-12-31");
	exception->reason = load_text(load, yaml_get(node, "reason"));
	exception->ticket = load_text(load, yaml_get(node, "ticket"));
}

static void load_exception(struct load *load, const struct yaml_node *node,
			   struct rule_exception *exception)
{
	struct condition *condition = load_array(load, node, 1, sizeof(*condition));

	exception->place = node;
	exception->condition = condition;
	if (node->kind != YAML_MAPPING) {
		load_error(load, node, "an exception must be a mapping of fields to values");
		return;
	}
	if (!condition)
		return;
	/* a step for each field and one to join each with those before */
	condition->steps = load_array(load, node, 2 * (size_t)node->count,
				      sizeof(*condition->steps));
	if (!condition->steps)
		return;
	for (const struct yaml_node *key = node->first; key; key = key->next)
		if (!is_about(key->text))
			load_part(load, key, condition);
	load_about(load, node, exception);
	if (condition->count == 0)
		load_error(load, node, "an exception needs a field, else the rule never fires");
}

struct rule_exception *load_exceptions(struct load *load, const struct yaml_node *node,
				       const struct rule_override *override)
{
	struct rule_exception *exceptions;
	size_t n = 0;

	if (!node || node->count == 0)
		return NULL;
	exceptions = load_array(load, node, node->count, sizeof(*exceptions));
	if (!exceptions)
		return NULL;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct rule_exception *exception = &exceptions[n++];

		exception->file = load->file;
		exception->override = override;
		exception->next = item->next ? &exceptions[n] : NULL;
		load_exception(load, item, exception);
	}
	return exceptions;
}
