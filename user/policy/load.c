/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/catalog.h"
#include "gnomon/limits.h"
#include "util/diag.h"
#include "util/suggest.h"

/* The format is told in rules/README.md. */

const char *const verdict_names[] = {
	[VERDICT_SANCTIONED] = "sanctioned",
	[VERDICT_TOLERATED] = "tolerated",
	[VERDICT_UNSANCTIONED] = "unsanctioned",
	[VERDICT_UNDETERMINED] = "undetermined",
};

/* "undetermined" is a conclusion, nothing to be decreed. */
static const char *const verdict_words[] = {"sanctioned", "tolerated", "unsanctioned", NULL};

static const char *const severity_words[] = {"low", "medium", "high", "critical", NULL};

const char *const entry_key_names[ENTRY_KEY_COUNT] = {
	"service", "kind", "vendor", "country", "models", "agents", "users",
};

const char *const action_names[] = {
	"llm-request",  "llm-connection", "connection",    "llm-server",      "sensor-status",
	"sensor-start", "sensor-stop",    "policy-reload", "sensor-degraded", NULL,
};

static const struct yaml_key file_keys[] = {
	{"providers", YAML_MAPPING}, {"lists", YAML_MAPPING}, {"rules", YAML_SEQUENCE}, {0}};

static const struct yaml_key provider_keys[] = {
	{"default", YAML_SCALAR}, {"entries", YAML_SEQUENCE}, {0}};

static const struct yaml_key entry_keys[] = {
	{"verdict", YAML_SCALAR, .required = true},
	{"service", YAML_SCALAR, .list_too = true},
	{"kind", YAML_SCALAR, .list_too = true},
	{"vendor", YAML_SCALAR, .list_too = true},
	{"country", YAML_SCALAR, .list_too = true},
	{"models", YAML_SEQUENCE},
	{"agents", YAML_SEQUENCE},
	{"users", YAML_SEQUENCE},
	{0},
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

struct load {
	struct policy_file *file;
	struct diag *diag;
	bool failed;
};

#define load_error(load, node, ...)                                                                \
	do {                                                                                       \
		(load)->failed = true;                                                             \
		yaml_error((load)->file->document, node, (load)->diag, __VA_ARGS__);               \
	} while (0)

static int text_len(struct span text)
{
	return (int)(text.len < MESSAGE_TEXT_MAX ? text.len : MESSAGE_TEXT_MAX);
}

static bool load_check(struct load *load, const struct yaml_node *node, const char *what,
		       const struct yaml_key *keys)
{
	bool good = yaml_check(load->file->document, node, what, keys, load->diag);

	load->failed |= !good;
	return good;
}

static void *load_array(struct load *load, const struct yaml_node *node, size_t count, size_t size)
{
	void *items = arena_array(&load->file->arena, count, size);

	if (!items)
		load_error(load, node, "out of memory");
	return items;
}

/* Which of the words is it? Says so and gives -EINVAL when none. */
static int take_word(struct load *load, const struct yaml_node *node, const char *what,
		     const char *const *words)
{
	struct suggestion near = {0};

	for (int i = 0; words[i]; i++) {
		if (span_eq(node->text, span_str(words[i])))
			return i;
		suggest_offer(&near, node->text, span_str(words[i]));
	}
	load_error(load, node, "unknown %s \"%.*s\"" SUGGEST_FORMAT, what, text_len(node->text),
		   node->text.at, SUGGEST_ARGS(near));
	return -EINVAL;
}

static const char *take_text(struct load *load, const struct yaml_node *node)
{
	const char *text = yaml_string(node);

	if (node && !text)
		load_error(load, node, "empty, or holds a NUL");
	return text;
}

/* A scalar, or a sequence of scalars. */
static struct word_list take_words(struct load *load, const struct yaml_node *node)
{
	const struct yaml_node *item = node;
	struct word_list list = {0};
	struct span *items;
	size_t n = 0;

	if (!node)
		return list;
	if (node->kind == YAML_SEQUENCE && node->count == 0)
		load_error(load, node, "the list is empty");
	items = load_array(load, node, node->kind == YAML_SEQUENCE ? node->count : 1,
			   sizeof(*items));
	if (!items)
		return list;
	if (node->kind == YAML_SEQUENCE)
		item = node->first;
	for (; item; item = node->kind == YAML_SEQUENCE ? item->next : NULL) {
		if (item->kind != YAML_SCALAR)
			load_error(load, item, "must be a string");
		else if (take_text(load, item))
			items[n++] = item->text;
	}
	list.items = items;
	list.count = n;
	return list;
}

/* ---- the provider list ------------------------------------------------------------------- */

static void check_entry_words(struct load *load, const struct yaml_node *node, enum entry_key key)
{
	const struct yaml_node *item = node;

	if (node->kind == YAML_SEQUENCE)
		item = node->first;
	for (; item; item = node->kind == YAML_SEQUENCE ? item->next : NULL) {
		if (item->kind != YAML_SCALAR)
			continue;
		if (key == ENTRY_KIND)
			take_word(load, item, "kind", catalog_kinds);
		else if (key == ENTRY_COUNTRY &&
			 (item->text.len != 2 || item->text.at[0] < 'A' || item->text.at[0] > 'Z' ||
			  item->text.at[1] < 'A' || item->text.at[1] > 'Z'))
			load_error(load, item,
				   "a country is two capital letters (ISO 3166 alpha-2)");
	}
}

/* "service openai, models gpt-4o*, gpt-5*", cut with dots. */
static void describe_entry(const struct provider_entry *entry, char text[static REASON_TEXT_MAX])
{
	size_t used = 0;

	for (int key = 0; key < ENTRY_KEY_COUNT; key++) {
		const struct word_list *words = &entry->words[key];

		for (size_t i = 0; i < words->count; i++) {
			int n = snprintf(text + used, REASON_TEXT_MAX - used, "%s%s%s%.*s",
					 used ? ", " : "", i ? "" : entry_key_names[key],
					 i ? "" : " ", (int)words->items[i].len,
					 words->items[i].at);

			if (n < 0 || (size_t)n >= REASON_TEXT_MAX - used) {
				snprintf(text + used, REASON_TEXT_MAX - used, "%s",
					 REASON_TEXT_MAX - used > 5 ? ", ..." : "");
				return;
			}
			used += (size_t)n;
		}
	}
}

static void load_entry(struct load *load, const struct yaml_node *node)
{
	struct policy_file *file = load->file;
	struct provider_entry *entry = &file->entries[file->entry_count];
	char description[REASON_TEXT_MAX] = "";
	bool asks = false;
	int verdict;

	*entry = (struct provider_entry){.file = file, .number = (unsigned)++file->entry_count};
	if (!load_check(load, node, "a provider entry", entry_keys))
		return;
	verdict = take_word(load, yaml_get(node, "verdict"), "verdict", verdict_words);
	if (verdict >= 0)
		entry->verdict = (enum verdict)verdict;
	for (int key = 0; key < ENTRY_KEY_COUNT; key++) {
		entry->nodes[key] = yaml_get(node, entry_key_names[key]);
		entry->words[key] = take_words(load, entry->nodes[key]);
		if (!entry->nodes[key])
			continue;
		asks = true;
		check_entry_words(load, entry->nodes[key], (enum entry_key)key);
	}
	if (!asks)
		load_error(load, node,
			   "a provider entry needs a condition, for the rest there is "
			   "\"default\"");
	describe_entry(entry, description);
	entry->reason = arena_format(&file->arena, "entry %u of %s: %s", entry->number,
				     yaml_name(file->document), description);
	if (!entry->reason)
		load_error(load, node, "out of memory");
}

static void load_providers(struct load *load, const struct yaml_node *node)
{
	const struct yaml_node *fallback, *entries;
	int verdict;

	if (!node || !load_check(load, node, "\"providers\"", provider_keys))
		return;
	fallback = yaml_get(node, "default");
	if (fallback) {
		verdict = take_word(load, fallback, "verdict", verdict_words);
		load->file->has_default = verdict >= 0;
		if (verdict >= 0)
			load->file->default_verdict = (enum verdict)verdict;
	}
	entries = yaml_get(node, "entries");
	if (!entries)
		return;
	load->file->entries = load_array(load, entries, entries->count,
					 sizeof(*load->file->entries));
	if (!load->file->entries)
		return;
	for (const struct yaml_node *item = entries->first; item; item = item->next)
		load_entry(load, item);
}

/* ---- lists ------------------------------------------------------------------------------- */

static bool is_name(struct span text)
{
	if (text.len == 0 || text.len >= SHORT_NAME_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = ascii_lower(text.at[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
			return false;
	}
	return true;
}

static void load_lists(struct load *load, const struct yaml_node *node)
{
	struct policy_file *file = load->file;

	if (!node)
		return;
	file->lists = load_array(load, node, node->count, sizeof(*file->lists));
	if (!file->lists)
		return;
	for (const struct yaml_node *key = node->first; key; key = key->next) {
		struct policy_list *list = &file->lists[file->list_count++];
		struct word_list words;

		*list = (struct policy_list){.place = key, .file = file};
		if (!is_name(key->text))
			load_error(load, key, "a name is letters, digits, '_' or '-', at most %d",
				   SHORT_NAME_MAX - 1);
		if (key->value->kind != YAML_SEQUENCE) {
			load_error(load, key->value, "must be a list of strings");
			continue;
		}
		words = take_words(load, key->value);
		list->list = (struct condition_list){key->text, words.items, words.count};
	}
}

/* ---- rules ------------------------------------------------------------------------------- */

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
	struct word_list words = take_words(load, node);
	const struct yaml_node *item = node;

	if (!node || words.count == 0)
		return;
	if (node->kind == YAML_SEQUENCE)
		item = node->first;
	for (; item; item = node->kind == YAML_SEQUENCE ? item->next : NULL) {
		int action = item->kind == YAML_SCALAR
				     ? take_word(load, item, "event action", action_names)
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
	int field = field_by_name(key->text);
	struct suggestion near = {0};
	const char *wrong;

	if (field >= 0) {
		wrong = test_set_field(scratch, (enum field)field, key->value);
		if (wrong)
			load_error(load, key->value, "%s %s", field_table[field].name, wrong);
		return;
	}
	for (int i = 0; i < FIELD_COUNT; i++)
		suggest_offer(&near, key->text, span_str(field_table[i].name));
	load_error(load, key, "unknown field \"%.*s\"" SUGGEST_FORMAT, text_len(key->text),
		   key->text.at, SUGGEST_ARGS(near));
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
		test->expect_alert = take_word(load, yaml_get(item, "expect"), "expectation",
					       expectations) == 0;
		event_init(&scratch);
		for (const struct yaml_node *key = test->event->first; key; key = key->next)
			check_test_field(load, key, &scratch);
	}
}

static void load_techniques(struct load *load, struct rule *rule, const struct yaml_node *node)
{
	struct word_list words = take_words(load, node);

	rule->finding.techniques = words.items;
	rule->finding.technique_count = words.count;
	for (const struct yaml_node *item = node ? node->first : NULL; item; item = item->next)
		if (item->kind == YAML_SCALAR && !is_technique(item->text))
			load_error(load, item, "\"%.*s\" is no ATT&CK technique (T1567, T1567.002)",
				   text_len(item->text), item->text.at);
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
	if (!is_name(rule->place->text))
		load_error(load, rule->place, "an id is letters, digits, '_' or '-', at most %d",
			   SHORT_NAME_MAX - 1);
	finding->rule_id = take_text(load, rule->place);
	finding->rule_name = take_text(load, yaml_get(node, "name"));
	finding->category = take_text(load, yaml_get(node, "category"));
	finding->rule_version = take_text(load, yaml_get(node, "version"));
	finding->reference = take_text(load, yaml_get(node, "reference"));
	finding->ruleset = file->ruleset;
	if (!finding->category)
		finding->category = "policy";
	if (!finding->rule_version)
		finding->rule_version = "1";
	severity = take_word(load, yaml_get(node, "severity"), "severity", severity_words);
	if (severity >= 0)
		finding->severity = (enum severity)severity;
	tags = take_words(load, yaml_get(node, "tags"));
	finding->tags = tags.items;
	finding->tag_count = tags.count;
	load_techniques(load, rule, yaml_get(node, "attack"));
	load_actions(load, rule, yaml_get(node, "on"));
	load_condition(load, rule);
	load_tests(load, rule, yaml_get(node, "tests"));
}

static void load_rules(struct load *load, const struct yaml_node *node)
{
	if (!node)
		return;
	load->file->rules = load_array(load, node, node->count, sizeof(*load->file->rules));
	if (!load->file->rules)
		return;
	for (const struct yaml_node *item = node->first; item; item = item->next)
		load_rule(load, item);
}

/* ---- files ------------------------------------------------------------------------------- */

/* policy.yaml of /etc/gnomon/policy.yaml. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

struct policy_file *policy_file_load(const char *name, const char *ruleset, struct span text,
				     struct diag *diag)
{
	struct load load = {.diag = diag};
	struct policy_file *file = calloc(1, sizeof(*file));
	const struct yaml_node *root;

	if (!file) {
		diag_add(diag, name, 0, 0, "out of memory");
		return NULL;
	}
	load.file = file;
	file->document = yaml_load(name, text, diag);
	if (!file->document) {
		policy_file_free(file);
		return NULL;
	}
	file->ruleset = ruleset ? ruleset : base_name(yaml_name(file->document));
	root = yaml_root(file->document);
	if (root && !yaml_is_null(root) && load_check(&load, root, "a policy file", file_keys)) {
		load_providers(&load, yaml_get(root, "providers"));
		load_lists(&load, yaml_get(root, "lists"));
		load_rules(&load, yaml_get(root, "rules"));
	}
	if (load.failed) {
		policy_file_free(file);
		return NULL;
	}
	return file;
}

void policy_file_free(struct policy_file *file)
{
	if (!file)
		return;
	yaml_unload(file->document);
	arena_done(&file->arena);
	free(file);
}
