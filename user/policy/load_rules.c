/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/load.h"

#include <errno.h>

static const char *const severity_words[] = {"low", "medium", "high", "critical", NULL};

const char *const action_names[] = {
	"llm-request",  "llm-connection", "connection",    "llm-server",      "sensor-status",
	"sensor-start", "sensor-stop",    "policy-reload", "sensor-degraded", NULL,
};

static const struct yaml_key rule_keys[] = {
	{"id", YAML_SCALAR, .required = true},
	{"name", YAML_SCALAR, .required = true},
	{"when", YAML_SCALAR, .required = true},
	{"severity", YAML_SCALAR, .required = true},
	{"on", YAML_SCALAR, .list_too = true},
	{"category", YAML_SCALAR},
	{"attack", YAML_SEQUENCE},
	{"tags", YAML_SEQUENCE},
	{"version", YAML_SCALAR},
	{"reference", YAML_SCALAR},
	{"tests", YAML_SEQUENCE},
	{0},
};

static const struct yaml_key test_keys[] = {
	{"event", YAML_MAPPING, .required = true},
	{"expect", YAML_SCALAR, .required = true},
	{0},
};

/* Enterprise technique ids: T1567 and T1567.002. */
static bool is_technique(struct span id)
{
	if (id.len != 5 && id.len != 9)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char wanted = i == 0 ? 'T' : i == 5 ? '.' : '0';

		if (wanted == '0' ? id.at[i] < '0' || id.at[i] > '9' : id.at[i] != wanted)
			return false;
	}
	return true;
}

uint32_t action_bit(struct span action)
{
	for (int i = 0; action_names[i]; i++)
		if (span_eq(action, span_str(action_names[i])))
			return UINT32_C(1) << i;
	return 0;
}

static void load_actions(struct load *load, struct rule *rule, const struct yaml_node *node)
{
	struct word_list words = load_words(load, node);

	if (words.count == 0)
		return;
	for (const struct yaml_node *item = items_first(node); item;
	     item = items_next(node, item)) {
		int action = item->kind == YAML_SCALAR
				     ? load_word(load, item, "event action", action_names)
				     : -EINVAL;

		if (action >= 0)
			rule->actions |= UINT32_C(1) << action;
	}
}

static void load_condition(struct load *load, struct rule *rule)
{
	struct condition_error error;
	unsigned int line, column;

	rule->condition = condition_compile(&load->file->arena, rule->when->text, &error);
	if (rule->condition)
		return;
	load->failed = true;
	yaml_position(load->file->document, rule->when, error.offset, &line, &column);
	diag_add(load->diag, yaml_name(load->file->document), line, column, "%s", error.message);
}

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

static void load_tests(struct load *load, struct rule *rule, const struct yaml_node *node)
{
	static const char *const expectations[] = {"alert", "none", NULL};
	struct event scratch;

	if (!node)
		return;
	rule->tests = load_array(load, node, node->count, sizeof(*rule->tests));
	if (!rule->tests)
		return;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct rule_test *test = &rule->tests[rule->test_count++];

		*test = (struct rule_test){.place = item};
		if (!load_check(load, item, "a test", test_keys))
			continue;
		test->event = yaml_get(item, "event");
		test->expect_alert = load_word(load, yaml_get(item, "expect"), "expectation",
					       expectations) == 0;
		event_init(&scratch);
		for (const struct yaml_node *key = test->event->first; key; key = key->next)
			check_test_field(load, key, &scratch);
	}
}

static void load_techniques(struct load *load, struct rule *rule, const struct yaml_node *node)
{
	struct word_list words = load_words(load, node);

	rule->finding.techniques = words.items;
	rule->finding.technique_count = words.count;
	for (const struct yaml_node *item = node ? node->first : NULL; item; item = item->next)
		if (item->kind == YAML_SCALAR && !is_technique(item->text))
			load_error(load, item, "\"%.*s\" is no ATT&CK technique (T1567, T1567.002)",
				   quoted_len(item->text), item->text.at);
}

static void load_rule(struct load *load, const struct yaml_node *node)
{
	struct policy_file *file = load->file;
	struct rule *rule = &file->rules[file->rule_count++];
	struct finding *finding = &rule->finding;
	struct word_list tags;
	int severity;

	*rule = (struct rule){.place = node, .file = file};
	if (!load_check(load, node, "a rule", rule_keys))
		return;
	rule->place = yaml_get(node, "id");
	rule->when = yaml_get(node, "when");
	if (!load_is_name(rule->place->text))
		load_error(load, rule->place, "an id is letters, digits, '_' or '-', at most %d",
			   SHORT_NAME_MAX - 1);
	finding->rule_id = load_text(load, rule->place);
	finding->rule_name = load_text(load, yaml_get(node, "name"));
	finding->category = load_text(load, yaml_get(node, "category"));
	finding->rule_version = load_text(load, yaml_get(node, "version"));
	finding->reference = load_text(load, yaml_get(node, "reference"));
	finding->ruleset = file->ruleset;
	if (!finding->category)
		finding->category = "policy";
	if (!finding->rule_version)
		finding->rule_version = "1";
	severity = load_word(load, yaml_get(node, "severity"), "severity", severity_words);
	if (severity >= 0)
		finding->severity = (enum severity)severity;
	tags = load_words(load, yaml_get(node, "tags"));
	finding->tags = tags.items;
	finding->tag_count = tags.count;
	load_techniques(load, rule, yaml_get(node, "attack"));
	load_actions(load, rule, yaml_get(node, "on"));
	load_condition(load, rule);
	load_tests(load, rule, yaml_get(node, "tests"));
}

void load_rules(struct load *load, const struct yaml_node *node)
{
	if (!node)
		return;
	load->file->rules = load_array(load, node, node->count, sizeof(*load->file->rules));
	if (!load->file->rules)
		return;
	for (const struct yaml_node *item = node->first; item; item = item->next)
		load_rule(load, item);
}
