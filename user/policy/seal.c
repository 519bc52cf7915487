/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>

#include "gnomon/limits.h"
#include "policy/model.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/suggest.h"

/* Later files' entries come first: the arrays are filled from the end. */
static int seal_entries(struct policy *policy)
{
	size_t at = 0;

	for (struct policy_file *file = policy->files; file; file = file->next)
		at += file->entry_count;
	policy->entries = arena_array(&policy->arena, at, sizeof(struct provider_entry *));
	if (!policy->entries)
		return -ENOMEM;
	policy->entry_count = at;
	for (struct policy_file *file = policy->files; file; file = file->next) {
		at -= file->entry_count;
		for (size_t i = 0; i < file->entry_count; i++)
			policy->entries[at + i] = &file->entries[i];
		if (file->has_default)
			policy->default_verdict = file->default_verdict;
	}
	return 0;
}

/* Rules by id, and of one id in the order of adding. */
struct named_rule {
	struct rule *rule;
	size_t order;
};

struct rule_index {
	struct named_rule *ids;
	size_t count;
};

static int compare_rule_ids(const void *x, const void *y)
{
	const struct named_rule *a = x, *b = y;
	int order = strcmp(a->rule->finding.rule_id, b->rule->finding.rule_id);

	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

static struct rule *index_find(const struct rule_index *index, struct span id)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = span_compare(id, span_str(index->ids[middle].rule->finding.rule_id));

		if (order == 0)
			return index->ids[middle].rule;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int check_rule_ids(const struct rule_index *index, struct diag *diag)
{
	int r = 0;

	for (size_t i = 1; i < index->count; i++) {
		const struct rule *rule = index->ids[i].rule, *before = index->ids[i - 1].rule;

		if (strcmp(rule->finding.rule_id, before->finding.rule_id) != 0)
			continue;
		yaml_error(rule->file->document, rule->place, diag,
			   "rule id \"%s\" is already used at %s:%u; to change that rule write "
			   "\"override: %s\"",
			   rule->finding.rule_id, yaml_name(before->file->document),
			   before->place->line, rule->finding.rule_id);
		r = -EINVAL;
	}
	return r;
}

static void apply_override(struct rule *rule, const struct rule_override *override)
{
	struct rule_exception **exceptions = &rule->exceptions;
	struct rule_tests **tests = &rule->tests;

	if (override->has_mode)
		rule->mode = override->mode;
	if (override->has_severity)
		rule->finding.severity = override->severity;
	if (override->has_throttle)
		rule->throttle.every_ns = override->throttle.every_ns;
	if (override->has_throttle_per)
		rule->throttle.per = override->throttle.per;
	while (*exceptions)
		exceptions = &(*exceptions)->next;
	*exceptions = override->exceptions;
	while (*tests)
		tests = &(*tests)->next;
	*tests = override->tests;
}

static int apply_overrides(struct policy *policy, const struct rule_index *index, struct diag *diag)
{
	int result = 0;

	for (struct policy_file *file = policy->files; file; file = file->next) {
		for (size_t i = 0; i < file->override_count; i++) {
			const struct rule_override *override = &file->overrides[i];
			struct rule *rule = index_find(index, override->place->text);
			struct suggestion near = {0};

			if (rule) {
				apply_override(rule, override);
				continue;
			}
			for (size_t n = 0; n < index->count; n++)
				suggest_offer(&near, override->place->text,
					      span_str(index->ids[n].rule->finding.rule_id));
			yaml_error(file->document, override->place, diag,
				   "no rule \"%.*s\" to override" SUGGEST_FORMAT,
				   (int)(override->place->text.len < MESSAGE_TEXT_MAX
						 ? override->place->text.len
						 : MESSAGE_TEXT_MAX),
				   override->place->text.at, SUGGEST_ARGS(near));
			result = -EINVAL;
		}
	}
	return result;
}

static int index_rules(struct policy *policy, struct diag *diag)
{
	_cleanup_free_ struct named_rule *ids = calloc(policy->rule_count + 1, sizeof(*ids));
	struct rule_index index = {ids, policy->rule_count};
	int twice, wrong;

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rule_count; i++)
		ids[i] = (struct named_rule){policy->rules[i], i};
	qsort(ids, policy->rule_count, sizeof(*ids), compare_rule_ids);
	twice = check_rule_ids(&index, diag);
	wrong = apply_overrides(policy, &index, diag);
	return twice ? twice : wrong;
}

static int seal_rules(struct policy *policy, struct diag *diag)
{
	size_t count = 0;
	int r;

	for (struct policy_file *file = policy->files; file; file = file->next)
		count += file->rule_count;
	policy->rules = arena_array(&policy->arena, count, sizeof(struct rule *));
	if (!policy->rules)
		return -ENOMEM;
	for (struct policy_file *file = policy->files; file; file = file->next)
		for (size_t i = 0; i < file->rule_count; i++)
			policy->rules[policy->rule_count++] = &file->rules[i];
	r = index_rules(policy, diag);
	for (size_t i = 0; i < policy->rule_count; i++)
		policy->rules[i]->finding.observe = policy->rules[i]->mode == RULE_OBSERVE;
	return r;
}

/* Those that are not off, in front of which stand their guards. */
static int watch_rules(struct policy *policy)
{
	_cleanup_free_ struct rule **active = calloc(policy->rule_count + 1, sizeof(*active));
	size_t n = 0;

	if (!active)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i]->mode != RULE_OFF)
			active[n++] = policy->rules[i];
	return guards_make(&policy->guards, active, n, &policy->arena);
}

/* What each rule looks at, for the reasons of its findings. */
static int find_facts(struct policy *policy)
{
	enum field fields[FACTS_MAX];

	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule *rule = policy->rules[i];
		size_t n = condition_fields(rule->condition, fields, FACTS_MAX);
		enum field *kept = arena_array(&policy->arena, n, sizeof(*kept));

		if (!kept)
			return -ENOMEM;
		memcpy(kept, fields, n * sizeof(*kept));
		rule->finding.facts = kept;
		rule->finding.fact_count = n;
	}
	return 0;
}

struct sorted_list {
	const struct policy_list *from;
	size_t order;
};

static int compare_lists(const void *x, const void *y)
{
	const struct sorted_list *a = x, *b = y;
	int order = span_compare(a->from->list.name, b->from->list.name);

	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* All lists of all files in order of name. One that comes twice is an error, but for a built-in one,
 * which gives way. */
static int collect_lists(struct policy *policy, struct condition_names *names, struct diag *diag)
{
	_cleanup_free_ struct sorted_list *sorted = NULL;
	struct condition_list *lists;
	size_t n = 0, count = 0;
	int r = 0;

	for (struct policy_file *file = policy->files; file; file = file->next)
		n += file->list_count;
	sorted = calloc(n + 1, sizeof(*sorted));
	lists = arena_array(&policy->arena, n, sizeof(*lists));
	if (!sorted || !lists)
		return -ENOMEM;
	n = 0;
	for (struct policy_file *file = policy->files; file; file = file->next)
		for (size_t i = 0; i < file->list_count; i++, n++)
			sorted[n] = (struct sorted_list){&file->lists[i], n};
	qsort(sorted, n, sizeof(*sorted), compare_lists);
	for (size_t i = 0; i < n; i++) {
		const struct policy_list *list = sorted[i].from;

		if (count == 0 || !span_eq(list->list.name, lists[count - 1].name)) {
			lists[count++] = list->list;
			continue;
		}
		lists[count - 1] = list->list;
		if (sorted[i - 1].from->file->built_in && !list->file->built_in)
			continue;
		yaml_error(list->file->document, list->place, diag,
			   "list \"%.*s\" is already defined at %s:%u", (int)list->list.name.len,
			   list->list.name.at, yaml_name(sorted[i - 1].from->file->document),
			   sorted[i - 1].from->place->line);
		r = -EINVAL;
	}
	names->lists = lists;
	names->list_count = count;
	return r;
}

struct sorted_macro {
	const struct policy_macro *from;
	size_t order;
};

static int compare_macros(const void *x, const void *y)
{
	const struct sorted_macro *a = x, *b = y;
	int order = span_compare(a->from->macro.name, b->from->macro.name);

	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* All macros, likewise. */
static int collect_macros(struct policy *policy, struct condition_names *names, struct diag *diag)
{
	_cleanup_free_ struct sorted_macro *sorted = NULL;
	struct condition_macro *macros;
	size_t n = 0, count = 0;
	int r = 0;

	for (struct policy_file *file = policy->files; file; file = file->next)
		n += file->macro_count;
	sorted = calloc(n + 1, sizeof(*sorted));
	macros = arena_array(&policy->arena, n, sizeof(*macros));
	if (!sorted || !macros)
		return -ENOMEM;
	n = 0;
	for (struct policy_file *file = policy->files; file; file = file->next)
		for (size_t i = 0; i < file->macro_count; i++, n++)
			sorted[n] = (struct sorted_macro){&file->macros[i], n};
	qsort(sorted, n, sizeof(*sorted), compare_macros);
	for (size_t i = 0; i < n; i++) {
		const struct policy_macro *macro = sorted[i].from;

		if (count == 0 || !span_eq(macro->macro.name, macros[count - 1].name)) {
			macros[count++] = macro->macro;
			continue;
		}
		macros[count - 1] = macro->macro;
		if (sorted[i - 1].from->file->built_in && !macro->file->built_in)
			continue;
		yaml_error(macro->file->document, macro->place, diag,
			   "macro \"%.*s\" is already defined at %s:%u", (int)macro->macro.name.len,
			   macro->macro.name.at, yaml_name(sorted[i - 1].from->file->document),
			   sorted[i - 1].from->place->line);
		r = -EINVAL;
	}
	names->macros = macros;
	names->macro_count = count;
	return r;
}

/* What is done to every condition of a policy, told where the condition stands. */
struct binding {
	struct policy *policy;
	struct condition_names names;
	struct diag *diag;
	int result;
	bool settle; /* the second round, when all are bound */
};

static void bind_one(struct binding *binding, struct condition *condition,
		     const struct policy_file *file, const struct yaml_node *scalar)
{
	struct condition_error error;
	unsigned int line = scalar->line, column = scalar->column;
	int r;

	if (binding->settle)
		r = condition_settle(condition, &error);
	else
		r = condition_bind(condition, &binding->policy->arena, &binding->names, &error);
	if (r == 0)
		return;
	binding->result = r;
	if (r == -ENOMEM)
		return;
	if (scalar->kind == YAML_SCALAR)
		yaml_position(file->document, scalar, error.offset, &line, &column);
	diag_add(binding->diag, yaml_name(file->document), line, column, "%s", error.message);
}

static void bind_all(struct binding *binding)
{
	const struct policy *policy = binding->policy;

	for (struct policy_file *file = policy->files; file; file = file->next)
		for (size_t i = 0; i < file->macro_count; i++)
			bind_one(binding, file->macros[i].macro.condition, file,
				 file->macros[i].text);
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct rule *rule = policy->rules[i];

		bind_one(binding, rule->condition, rule->file, rule->when);
		for (struct rule_exception *e = rule->exceptions; e; e = e->next)
			bind_one(binding, e->condition, e->file, e->place);
	}
}

int policy_seal(struct policy *policy, struct diag *diag)
{
	struct binding binding = {.policy = policy, .diag = diag};
	int r = seal_entries(policy), rules = seal_rules(policy, diag), lists, macros;

	lists = collect_lists(policy, &binding.names, diag);
	macros = collect_macros(policy, &binding.names, diag);
	if (r == 0 && rules != -ENOMEM && lists != -ENOMEM && macros != -ENOMEM) {
		bind_all(&binding);
		binding.settle = true;
		if (binding.result == 0)
			bind_all(&binding);
	}
	if (r == 0)
		r = rules ? rules : lists ? lists : macros ? macros : binding.result;
	if (r == 0)
		r = find_facts(policy);
	if (r == 0)
		r = watch_rules(policy);
	if (r == -ENOMEM)
		diag_add(diag, NULL, 0, 0, "out of memory");
	return r;
}
