/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>

#include "catalog/catalog.h"
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

struct named_rule {
	const struct rule *rule;
	size_t order;
};

static int compare_rule_ids(const void *x, const void *y)
{
	const struct named_rule *a = x, *b = y;
	int order = strcmp(a->rule->finding.rule_id, b->rule->finding.rule_id);

	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int check_rule_ids(struct policy *policy, struct diag *diag)
{
	_cleanup_free_ struct named_rule *ids = calloc(policy->rule_count + 1, sizeof(*ids));
	int r = 0;

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rule_count; i++)
		ids[i] = (struct named_rule){policy->rules[i], i};
	qsort(ids, policy->rule_count, sizeof(*ids), compare_rule_ids);
	for (size_t i = 1; i < policy->rule_count; i++) {
		const struct rule *rule = ids[i].rule, *before = ids[i - 1].rule;

		if (strcmp(rule->finding.rule_id, before->finding.rule_id) != 0)
			continue;
		yaml_error(rule->file->document, rule->place, diag,
			   "rule id \"%s\" is already used at %s:%u", rule->finding.rule_id,
			   yaml_name(before->file->document), before->place->line);
		r = -EINVAL;
	}
	return r;
}

static int seal_rules(struct policy *policy, struct diag *diag)
{
	size_t count = 0;

	for (struct policy_file *file = policy->files; file; file = file->next)
		count += file->rule_count;
	policy->rules = arena_array(&policy->arena, count, sizeof(struct rule *));
	if (!policy->rules)
		return -ENOMEM;
	policy->rule_count = 0;
	for (struct policy_file *file = policy->files; file; file = file->next)
		for (size_t i = 0; i < file->rule_count; i++)
			policy->rules[policy->rule_count++] = &file->rules[i];
	return check_rule_ids(policy, diag);
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

/* All lists of all files in order of name; a name that comes twice is an error. */
static int collect_lists(struct policy *policy, struct condition_list **lists, size_t *count,
			 struct diag *diag)
{
	_cleanup_free_ struct sorted_list *sorted = NULL;
	size_t n = 0;
	int r = 0;

	for (struct policy_file *file = policy->files; file; file = file->next)
		n += file->list_count;
	sorted = calloc(n + 1, sizeof(*sorted));
	*lists = arena_array(&policy->arena, n, sizeof(**lists));
	if (!sorted || !*lists)
		return -ENOMEM;
	n = 0;
	for (struct policy_file *file = policy->files; file; file = file->next)
		for (size_t i = 0; i < file->list_count; i++, n++)
			sorted[n] = (struct sorted_list){&file->lists[i], n};
	qsort(sorted, n, sizeof(*sorted), compare_lists);
	for (size_t i = 0; i < n; i++) {
		const struct policy_list *list = sorted[i].from;

		(*lists)[i] = list->list;
		if (i == 0 || !span_eq(list->list.name, (*lists)[i - 1].name))
			continue;
		yaml_error(list->file->document, list->place, diag,
			   "list \"%.*s\" is already defined at %s:%u", (int)list->list.name.len,
			   list->list.name.at, yaml_name(sorted[i - 1].from->file->document),
			   sorted[i - 1].from->place->line);
		r = -EINVAL;
	}
	*count = n;
	return r;
}

static int bind_rules(struct policy *policy, const struct condition_list *lists, size_t count,
		      struct diag *diag)
{
	int result = 0;

	for (size_t i = 0; i < policy->rule_count; i++) {
		struct rule *rule = policy->rules[i];
		struct condition_error error;
		unsigned int line, column;
		int r = condition_bind(rule->condition, &policy->arena, lists, count, &error);

		if (r == -ENOMEM)
			return r;
		if (r == 0)
			continue;
		yaml_position(rule->file->document, rule->when, error.offset, &line, &column);
		diag_add(diag, yaml_name(rule->file->document), line, column, "%s", error.message);
		result = r;
	}
	return result;
}

int policy_seal(struct policy *policy, struct diag *diag)
{
	struct condition_list *lists = NULL;
	size_t count = 0;
	int rules, named, bound = 0, r;

	r = seal_entries(policy);
	rules = seal_rules(policy, diag);
	named = collect_lists(policy, &lists, &count, diag);
	if (named != -ENOMEM && rules != -ENOMEM)
		bound = bind_rules(policy, lists, count, diag);
	if (r == 0)
		r = rules ? rules : named ? named : bound;
	if (r == -ENOMEM)
		diag_add(diag, NULL, 0, 0, "out of memory");
	return r;
}

/* ---- against the catalogue ----------------------------------------------------------------- */

static void unknown_word(const struct provider_entry *entry, const struct yaml_node *node,
			 const char *what, const struct suggestion *near, struct diag *diag)
{
	yaml_error(entry->file->document, node, diag, "unknown %s \"%.*s\"" SUGGEST_FORMAT, what,
		   (int)(node->text.len < MESSAGE_TEXT_MAX ? node->text.len : MESSAGE_TEXT_MAX),
		   node->text.at, SUGGEST_ARGS(*near));
}

static int check_service(const struct provider_entry *entry, const struct yaml_node *node,
			 const struct catalog *catalog, struct diag *diag)
{
	struct suggestion near = {0};

	if (span_eq(node->text, SPAN_LITERAL("unknown")) ||
	    catalog_service_by_id(catalog, node->text))
		return 0;
	for (size_t i = 0; i < catalog_services(catalog); i++)
		suggest_offer(&near, node->text, span_str(catalog_service(catalog, i)->id));
	unknown_word(entry, node, "service", &near, diag);
	return -EINVAL;
}

static int check_vendor(const struct provider_entry *entry, const struct yaml_node *node,
			const struct catalog *catalog, struct diag *diag)
{
	struct suggestion near = {0};

	for (size_t i = 0; i < catalog_services(catalog); i++) {
		struct span vendor = span_str(catalog_service(catalog, i)->vendor);

		if (span_eq(vendor, node->text))
			return 0;
		suggest_offer(&near, node->text, vendor);
	}
	unknown_word(entry, node, "vendor", &near, diag);
	return -EINVAL;
}

/* Calls for a scalar, or for each item of a sequence. */
static int check_words(const struct provider_entry *entry, const struct yaml_node *node,
		       int (*check)(const struct provider_entry *entry,
				    const struct yaml_node *node, const struct catalog *catalog,
				    struct diag *diag),
		       const struct catalog *catalog, struct diag *diag)
{
	int result = 0;

	if (!node)
		return 0;
	if (node->kind == YAML_SCALAR)
		return check(entry, node, catalog, diag);
	for (const struct yaml_node *item = node->first; item; item = item->next)
		if (check(entry, item, catalog, diag) < 0)
			result = -EINVAL;
	return result;
}

static bool words_have(const struct word_list *words, struct span text)
{
	for (size_t i = 0; i < words->count; i++)
		if (span_eq(words->items[i], text))
			return true;
	return false;
}

static int resolve_vendors(struct policy *policy, struct provider_entry *entry,
			   const struct catalog *catalog)
{
	const struct word_list *vendors = &entry->words[ENTRY_VENDOR];
	struct span *ids;
	size_t n = 0;

	if (vendors->count == 0)
		return 0;
	ids = arena_array(&policy->arena, catalog_services(catalog), sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < catalog_services(catalog); i++) {
		const struct service *service = catalog_service(catalog, i);
		const char *id;

		if (!words_have(vendors, span_str(service->vendor)))
			continue;
		id = arena_string(&policy->arena, span_str(service->id));
		if (!id)
			return -ENOMEM;
		ids[n++] = span_str(id);
	}
	entry->vendor_services = (struct word_list){ids, n};
	entry->vendors_resolved = true;
	return 0;
}

int policy_check_services(struct policy *policy, const struct catalog *catalog, struct diag *diag)
{
	int result = 0;

	for (size_t i = 0; i < policy->entry_count; i++) {
		struct provider_entry *entry = policy->entries[i];

		if (check_words(entry, entry->nodes[ENTRY_SERVICE], check_service, catalog, diag) <
		    0)
			result = -EINVAL;
		if (check_words(entry, entry->nodes[ENTRY_VENDOR], check_vendor, catalog, diag) < 0)
			result = -EINVAL;
		if (resolve_vendors(policy, entry, catalog) < 0) {
			diag_add(diag, NULL, 0, 0, "out of memory");
			return -ENOMEM;
		}
	}
	return result;
}
