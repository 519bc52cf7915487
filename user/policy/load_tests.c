/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/load.h"

static const struct yaml_key test_keys[] = {
	{"event", YAML_MAPPING},
	{"events", YAML_SEQUENCE},
	{"expect", YAML_SCALAR, .required = true},
	{"at", YAML_SCALAR},
	{"repeat", YAML_SCALAR},
	{"every", YAML_SCALAR},
	{0},
};

/* One field of a test's event; `scratch` takes it, so that a bad value is found when loading. */
static void check_test_field(struct load *load, const struct yaml_node *key, struct event *scratch)
{
	int field = load_field(load, key);
	const char *wrong;

	if (field < 0)
		return;
	wrong = test_set_field(scratch, (enum field)field, key->value);
	if (wrong)
		load_error(load, key->value, "%s %s", field_table[field].name, wrong);
}

static void check_test_event(struct load *load, const struct yaml_node *node)
{
	struct event scratch;

	if (node->kind != YAML_MAPPING) {
		load_error(load, node, "an event is a mapping of fields to values");
		return;
	}
	event_init(&scratch);
	for (const struct yaml_node *key = node->first; key; key = key->next)
		check_test_field(load, key, &scratch);
}

/* How often, how far apart and from when on the events come. */
static void load_course(struct load *load, const struct yaml_node *node, struct rule_test *test)
{
	const struct yaml_node *at = yaml_get(node, "at"), *repeat = yaml_get(node, "repeat");
	const char *wrong = moment_parse(at ? at->text : SPAN_LITERAL("wed 12:00"), &test->time_ns);
	int64_t times = 1;

	if (wrong)
		load_error(load, at, "%s", wrong);
	if (repeat && (yaml_int(repeat, &times) < 0 || times < 1 || times > TEST_REPEAT_MAX))
		load_error(load, repeat, "must be a number from 1 to %d", TEST_REPEAT_MAX);
	test->repeat = (unsigned int)times;
	test->step_ns = 1000000000;
	load_duration(load, yaml_get(node, "every"), &test->step_ns);
}

static void load_test(struct load *load, const struct yaml_node *node, struct rule_test *test)
{
	static const char *const expectations[] = {"alert", "none", NULL};

	*test = (struct rule_test){.place = node};
	if (!load_check(load, node, "a test", test_keys))
		return;
	test->event = yaml_get(node, "event");
	test->events = yaml_get(node, "events");
	test->expect_alert = load_word(load, yaml_get(node, "expect"), "expectation",
				       expectations) == 0;
	load_course(load, node, test);
	if (!test->event == !test->events)
		load_error(load, node, "a test needs either \"event\" or \"events\"");
	if (test->event)
		check_test_event(load, test->event);
	for (const struct yaml_node *e = test->events ? test->events->first : NULL; e; e = e->next)
		check_test_event(load, e);
}

struct rule_tests *load_tests(struct load *load, const struct yaml_node *node,
			      const struct rule_override *override)
{
	struct rule_tests *tests;

	if (!node)
		return NULL;
	tests = load_array(load, node, 1, sizeof(*tests));
	if (!tests)
		return NULL;
	tests->file = load->file;
	tests->override = override;
	tests->items = load_array(load, node, node->count, sizeof(*tests->items));
	if (!tests->items)
		return NULL;
	for (const struct yaml_node *item = node->first; item; item = item->next)
		load_test(load, item, &tests->items[tests->count++]);
	return tests;
}
