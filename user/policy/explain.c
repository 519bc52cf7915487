/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/condition_code.h"
#include "policy/model.h"

static void explain_condition(const struct condition *condition, const struct event *event,
			      struct policy_explanation *why)
{
	struct condition_blame blame;

	why->outcome = condition_explain(condition, event, &blame) == TRI_TRUE ? EXPLAIN_MATCH
									       : EXPLAIN_CONDITION;
	why->test = blame.text;
	why->test_truth = blame.truth;
	why->field = blame.field;
	why->other = blame.other;
}

static void explain_rule(const struct rule *rule, const struct event *event,
			 struct policy_explanation *why)
{
	const struct rule_exception *exception;

	explain_condition(rule->condition, event, why);
	if (!rule_is_about(rule, event)) {
		why->outcome = EXPLAIN_NOT_ABOUT;
		return;
	}
	if (why->outcome != EXPLAIN_MATCH)
		return;
	if (!hours_fit(&rule->hours, event)) {
		why->outcome = EXPLAIN_HOURS;
		return;
	}
	exception = rule_exception(rule, event, NULL, true);
	if (!exception)
		return;
	why->outcome = EXPLAIN_EXCEPTION;
	why->exception_file = yaml_name(exception->file->document);
	why->exception_line = exception->place->line;
	why->exception_reason = exception->reason;
	why->exception_ticket = exception->ticket;
}

void policy_explain(const struct policy *policy, size_t i, const struct event *event,
		    struct policy_explanation *why)
{
	const struct rule *rule = policy->rules[i];

	*why = (struct policy_explanation){.has_window = rule->window.kind != WINDOW_NONE};
	explain_rule(rule, event, why);
}
