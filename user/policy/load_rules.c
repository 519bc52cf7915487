/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/load.h"

#include <errno.h>

static const char *const severity_words[] = {"low", "medium", "high", "critical", NULL};

const char *const rule_mode_names[] = {
	[RULE_OFF] = "off", [RULE_OBSERVE] = "observe", [RULE_ALERT] = "alert", NULL};

const char *const action_names[] = {
	"llm-request",  "llm-connection", "connection",    "llm-server",      "sensor-status",
	"sensor-start", "sensor-stop",    "policy-reload", "sensor-degraded", NULL,
};

static const struct yaml_key rule_keys[] = {
	{"id", YAML_SCALAR, .required = true},
	{"name", YAML_SCALAR, .required = true},
	{"when", YAML_SCALAR, .required = true},
	{"severity", YAML_SCALAR, .required = true},
	{"mode", YAML_SCALAR},
	{"on", YAML_SCALAR, .list_too = true},
	{"hours", YAML_SCALAR, .list_too = true},
	{"outside_hours", YAML_SCALAR, .list_too = true},
	{"window", YAML_MAPPING},
	{"throttle", YAML_MAPPING, .scalar_too = true},
	{"exceptions", YAML_SEQUENCE},
	{"category", YAML_SCALAR},
	{"attack", YAML_SEQUENCE},
	{"atlas", YAML_SEQUENCE},
	{"tags", YAML_SEQUENCE},
	{"version", YAML_SCALAR},
	{"reference", YAML_SCALAR},
	{"tests", YAML_SEQUENCE},
	{0},
};

static const struct yaml_key override_keys[] = {
	{"override", YAML_SCALAR, .required = true},
	{"mode", YAML_SCALAR},
	{"severity", YAML_SCALAR},
	{"throttle", YAML_MAPPING, .scalar_too = true},
	{"exceptions", YAML_SEQUENCE},
	{"tests", YAML_SEQUENCE},
	{0},
};

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

	rule->condition = condition_compile(&load->file->arena, rule->when->text, &error);
	if (!rule->condition)
		load_condition_error(load, rule->when, &error);
}

struct rule_hours load_hours(struct load *load, const struct yaml_node *mapping)
{
	const struct yaml_node *inside = yaml_get(mapping, "hours");
	const struct yaml_node *outside = yaml_get(mapping, "outside_hours");
	const struct yaml_node *node = inside ? inside : outside;
	struct rule_hours hours = {.outside = !inside};
	struct hours *spans;

	if (!node)
		return hours;
	if (inside && outside)
		load_error(load, outside, "there is either \"hours\" or \"outside_hours\"");
	if (node->kind == YAML_SEQUENCE && node->count == 0)
		load_error(load, node, "the list is empty");
	spans = load_array(load, node, node->kind == YAML_SEQUENCE ? node->count : 1,
			   sizeof(*spans));
	if (!spans)
		return hours;
	hours.spans = spans;
	for (const struct yaml_node *item = items_first(node); item;
	     item = items_next(node, item)) {
		const char *wrong = item->kind == YAML_SCALAR
					    ? hours_parse(item->text, &spans[hours.count])
					    : "must be a string";

		if (wrong)
			load_error(load, item, "%s", wrong);
		else
			hours.count++;
	}
	return hours;
}

/* T1567 and T1567.002; AML.T0025 and AML.T0112.000. */
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

static bool is_atlas_technique(struct span id)
{
	return span_starts(id, SPAN_LITERAL("AML.")) && is_technique(span_skip(id, 4));
}

static struct word_list load_techniques(struct load *load, const struct yaml_node *node,
					bool (*is_id)(struct span id), const char *what)
{
	struct word_list words = load_words(load, node);

	for (const struct yaml_node *item = node ? node->first : NULL; item; item = item->next)
		if (item->kind == YAML_SCALAR && !is_id(item->text))
			load_error(load, item, "\"%.*s\" is no %s", quoted_len(item->text),
				   item->text.at, what);
	return words;
}

/* The tags, and behind them "atlas.AML.T0025" of each ATLAS technique: ECS has one framework a
 * rule, which is ATT&CK. */
static void load_tags(struct load *load, struct rule *rule, const struct yaml_node *node)
{
	struct word_list tags = load_words(load, yaml_get(node, "tags"));
	struct word_list atlas = load_techniques(load, yaml_get(node, "atlas"), is_atlas_technique,
						 "ATLAS technique (AML.T0025, AML.T0112.000)");
	struct span *all;

	rule->finding.tags = tags.items;
	rule->finding.tag_count = tags.count;
	if (atlas.count == 0)
		return;
	all = load_array(load, node, tags.count + atlas.count, sizeof(*all));
	if (!all)
		return;
	for (size_t i = 0; i < tags.count; i++)
		all[i] = tags.items[i];
	for (size_t i = 0; i < atlas.count; i++) {
		const char *tag = arena_format(&load->file->arena, "atlas.%.*s",
					       (int)atlas.items[i].len, atlas.items[i].at);

		if (!tag) {
			load_error(load, node, "out of memory");
			return;
		}
		all[tags.count + i] = span_str(tag);
	}
	rule->finding.tags = all;
	rule->finding.tag_count = tags.count + atlas.count;
}

static void load_words_of(struct load *load, struct finding *finding, const struct yaml_node *node)
{
	finding->rule_id = load_text(load, yaml_get(node, "id"));
	finding->rule_name = load_text(load, yaml_get(node, "name"));
	finding->category = load_text(load, yaml_get(node, "category"));
	finding->rule_version = load_text(load, yaml_get(node, "version"));
	finding->reference = load_text(load, yaml_get(node, "reference"));
	finding->ruleset = load->file->ruleset;
	if (!finding->category)
		finding->category = "policy";
	if (!finding->rule_version)
		finding->rule_version = "1";
}

/* false: there is none, or it is wrong. */
static bool load_severity(struct load *load, const struct yaml_node *node, enum severity *severity)
{
	const struct yaml_node *value = yaml_get(node, "severity");
	int word = value ? load_word(load, value, "severity", severity_words) : -EINVAL;

	if (word >= 0)
		*severity = (enum severity)word;
	return word >= 0;
}

static bool load_mode(struct load *load, const struct yaml_node *node, enum rule_mode *mode)
{
	const struct yaml_node *value = yaml_get(node, "mode");
	int word = value ? load_word(load, value, "mode", rule_mode_names) : -EINVAL;

	if (word >= 0)
		*mode = (enum rule_mode)word;
	return word >= 0;
}

static void tell_window(struct finding *finding, const struct rule_window *window)
{
	finding->window = window->kind;
	if (window->kind == WINDOW_NONE)
		return;
	finding->window_what = window->every_event ? "events" : field_table[window->field].name;
	finding->window_over = window->over;
}

/* Also what an event about it would have as its action. */
static void check_id(struct load *load, const struct yaml_node *id)
{
	if (!load_is_name(id->text))
		load_error(load, id, "an id is letters, digits, '_' or '-', at most %d",
			   SHORT_NAME_MAX - 1);
	else if (action_bit(id->text))
		load_error(load, id, "an id cannot be the name of an event action");
}

static void load_rule(struct load *load, const struct yaml_node *node)
{
	struct policy_file *file = load->file;
	struct rule *rule = &file->rules[file->rule_count++];
	struct word_list techniques;

	*rule = (struct rule){.place = node, .file = file, .mode = RULE_ALERT};
	if (!load_check(load, node, "a rule", rule_keys))
		return;
	rule->place = yaml_get(node, "id");
	rule->when = yaml_get(node, "when");
	check_id(load, rule->place);
	load_words_of(load, &rule->finding, node);
	load_severity(load, node, &rule->finding.severity);
	load_mode(load, node, &rule->mode);
	load_tags(load, rule, node);
	techniques = load_techniques(load, yaml_get(node, "attack"), is_technique,
				     "ATT&CK technique (T1567, T1567.002)");
	rule->finding.techniques = techniques.items;
	rule->finding.technique_count = techniques.count;
	load_actions(load, rule, yaml_get(node, "on"));
	load_condition(load, rule);
	rule->hours = load_hours(load, node);
	rule->window = load_window(load, yaml_get(node, "window"));
	tell_window(&rule->finding, &rule->window);
	rule->throttle = load_throttle(load, yaml_get(node, "throttle"), &rule->window);
	rule->exceptions = load_exceptions(load, yaml_get(node, "exceptions"), NULL);
	rule->tests = load_tests(load, yaml_get(node, "tests"), NULL);
}

static void load_override(struct load *load, const struct yaml_node *node)
{
	struct policy_file *file = load->file;
	struct rule_override *override = &file->overrides[file->override_count++];
	static const struct rule_window no_window;

	*override = (struct rule_override){.place = node, .file = file};
	if (!load_check(load, node, "an override", override_keys))
		return;
	override->place = yaml_get(node, "override");
	load_text(load, override->place);
	override->has_mode = load_mode(load, node, &override->mode);
	override->has_severity = load_severity(load, node, &override->severity);
	override->has_throttle = yaml_get(node, "throttle") != NULL;
	override->has_throttle_per = yaml_get(yaml_get(node, "throttle"), "per") != NULL;
	override->throttle = load_throttle(load, yaml_get(node, "throttle"), &no_window);
	override->exceptions = load_exceptions(load, yaml_get(node, "exceptions"), override);
	override->tests = load_tests(load, yaml_get(node, "tests"), override);
	if (node->count == 1)
		load_error(load, node, "an override needs something to change");
}

void load_rules(struct load *load, const struct yaml_node *node)
{
	struct policy_file *file = load->file;

	if (!node)
		return;
	file->rules = load_array(load, node, node->count, sizeof(*file->rules));
	file->overrides = load_array(load, node, node->count, sizeof(*file->overrides));
	if (!file->rules || !file->overrides)
		return;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		if (item->kind == YAML_MAPPING && yaml_get(item, "override"))
			load_override(load, item);
		else
			load_rule(load, item);
	}
}
