/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/policy.h"

#include <errno.h>

#include "catalog/agents.h"
#include "catalog/catalog.h"
#include "gnomon/limits.h"
#include "policy/model.h"
#include "util/diag.h"
#include "util/suggest.h"

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

static int check_agent(const struct provider_entry *entry, const struct yaml_node *node,
		       const struct agents *agents, struct diag *diag)
{
	struct suggestion near = {0};

	if (node->kind != YAML_SCALAR || span_eq(node->text, SPAN_LITERAL(AGENT_NONE)))
		return 0;
	for (size_t i = 0; i < agents_count(agents); i++) {
		struct span id = span_str(agents_id(agents, i));

		if (span_eq(id, node->text))
			return 0;
		suggest_offer(&near, node->text, id);
	}
	unknown_word(entry, node, "agent", &near, diag);
	return -EINVAL;
}

int policy_check_agents(const struct policy *policy, const struct agents *agents, struct diag *diag)
{
	int result = 0;

	for (size_t i = 0; i < policy->entry_count; i++) {
		const struct provider_entry *entry = policy->entries[i];
		const struct yaml_node *node = entry->nodes[ENTRY_AGENTS];

		for (node = node ? node->first : NULL; node; node = node->next)
			if (check_agent(entry, node, agents, diag) < 0)
				result = -EINVAL;
	}
	return result;
}
