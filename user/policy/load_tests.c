/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/load.h"

static const struct yaml_key test_keys[] = {
	{"event", YAML_MAPPING, .required = true},
	{"expect", YAML_SCALAR, .required = true},
	{"at", YAML_SCALAR},
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

static void load_test(struct load *load, const struct yaml_node *node, struct rule_test *test)
{
	static const char *const expectations[] = {"alert", "none", NULL};
	const struct yaml_node *at;
	struct event scratch;
	const char *wrong;

	*test = (struct rule_test){.place = node};
	if (!load_check(load, node, "a test", test_keys))
		return;
	test->event = yaml_get(node, "event");
	test->expect_alert = load_word(load, yaml_get(node, "expect"), "expectation",
				       expectations) == 0;
	at = yaml_get(node, "at");
	wrong = moment_parse(at ? at->text : SPAN_LITERAL("wed 12:00"), &test->time_ns);
	if (wrong)
		load_error(load, at, "%s", wrong);
	event_init(&scratch);
	for (const struct yaml_node *key = test->event->first; key; key = key->next)
		check_test_field(load, key, &scratch);
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
