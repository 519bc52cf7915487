/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/state_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/condition_code.h"

static const char *set_list(struct event *event, enum field field, const struct yaml_node *value)
{
	if (value->kind != YAML_SEQUENCE)
		return "is a list";
	for (const struct yaml_node *item = value->first; item; item = item->next) {
		if (item->kind != YAML_SCALAR || item->text.len == 0)
			return "is a list of strings";
		if (!event_append(event, field, item->text))
			return "has too many items";
	}
	return NULL;
}

static const char *set_number(struct event *event, enum field field, const struct yaml_node *value)
{
	int64_t integer;
	double real;
	char *end;

	if (yaml_int(value, &integer) == 0) {
		if (field_table[field].type == FIELD_INT)
			event_set_int(event, field, integer);
		else
			event_set_double(event, field, (double)integer);
		return NULL;
	}
	if (field_table[field].type == FIELD_INT)
		return "is a whole number";
	errno = 0;
	real = strtod(value->text.at, &end);
	if (value->text.len == 0 || errno || *end ||
	    strspn(value->text.at, "+-.0123456789eE") != value->text.len)
		return "is a number";
	event_set_double(event, field, real);
	return NULL;
}

const char *test_set_field(struct event *event, enum field field, const struct yaml_node *value)
{
	enum field_type type = field_table[field].type;
	struct value address;
	bool boolean;

	if (type == FIELD_LIST)
		return set_list(event, field, value);
	if (value->kind != YAML_SCALAR || value->text.len == 0)
		return "needs a scalar; leave out what is absent";
	switch (type) {
	case FIELD_STRING:
		event_set_string(event, field, value->text);
		return NULL;
	case FIELD_INT:
	case FIELD_DOUBLE:
		return set_number(event, field, value);
	case FIELD_BOOL:
		if (yaml_bool(value, &boolean) < 0)
			return "is true or false";
		event_set_bool(event, field, boolean);
		return NULL;
	case FIELD_IP:
		if (memchr(value->text.at, '/', value->text.len) ||
		    !value_parse_ip(value->text, &address))
			return "is an address";
		event_set_ip(event, field, &address.ip);
		return NULL;
	default:
		return "is a time, which a test cannot set";
	}
}

/* Prepares an event of a test; its strings stay in the file. */
static void test_event(const struct rule *rule, const struct yaml_node *fields, uint64_t time_ns,
		       struct event *event)
{
	event_init(event);
	event_set_time(event, F_TIMESTAMP, time_ns);
	for (const struct yaml_node *key = fields->first; key; key = key->next)
		test_set_field(event, (enum field)field_by_name(key->text), key->value);
	if (event_has(event, F_EVENT_ACTION))
		return;
	/* What the rule is about: people write tests to say when it fires, not on what. */
	for (const char *const *action = action_names; *action; action++) {
		if (rule->actions && !(rule->actions & action_bit(span_str(*action))))
			continue;
		event_set_text(event, F_EVENT_ACTION, *action);
		return;
	}
}

struct test_run {
	void (*report)(void *ctx, const struct policy_test_result *result);
	void *ctx;
	struct policy_state *state;
	size_t wrong;
};

/* One event: does the rule alert? Throttles are not asked, they hold back what has been said. */
static bool test_fires(struct test_run *run, const struct rule *rule, const struct event *event,
		       const struct rule_override *override)
{
	struct finding finding = rule->finding;

	if (!rule_fires_for(rule, event, override))
		return false;
	if (rule->window.kind == WINDOW_NONE)
		return true;
	return state_window(run->state, rule, event, event_time(event), &finding);
}

/* All events of a test, as often as it says: does any alert? */
static bool test_run(struct test_run *run, const struct rule *rule, const struct rule_test *test,
		     const struct rule_override *override)
{
	uint64_t time_ns = test->time_ns;
	struct event event;
	bool fired = false;

	state_clear(run->state);
	for (unsigned int i = 0; i < test->repeat; i++) {
		const struct yaml_node *fields = test->event ? test->event : test->events->first;

		for (; fields; fields = test->event ? NULL : fields->next) {
			test_event(rule, fields, time_ns, &event);
			fired |= test_fires(run, rule, &event, override);
			time_ns += test->step_ns;
		}
	}
	return fired;
}

static void run_tests(struct test_run *run, const struct rule *rule, const struct rule_tests *tests)
{
	for (size_t i = 0; i < tests->count; i++) {
		const struct rule_test *test = &tests->items[i];
		struct policy_test_result result = {
			.rule_id = rule->finding.rule_id,
			.file = yaml_name(tests->file->document),
			.line = test->place->line,
			.column = test->place->column,
			.expect_alert = test->expect_alert,
		};

		result.fired = test_run(run, rule, test, tests->override);
		run->wrong += result.fired != result.expect_alert;
		run->report(run->ctx, &result);
	}
}

int policy_test(const struct policy *policy,
		void (*report)(void *ctx, const struct policy_test_result *result), void *ctx,
		size_t *wrong)
{
	struct test_run run = {.report = report, .ctx = ctx, .state = policy_state_new(true)};

	if (!run.state)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rule_count; i++)
		for (const struct rule_tests *t = policy->rules[i]->tests; t; t = t->next)
			run_tests(&run, policy->rules[i], t);
	policy_state_free(run.state);
	*wrong = run.wrong;
	return 0;
}
