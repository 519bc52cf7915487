/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/load.h"

#include <stdio.h>

#include "catalog/catalog.h"

/* "undetermined" is a conclusion, nothing to be decreed. */
static const char *const verdict_words[] = {"sanctioned", "tolerated", "unsanctioned", NULL};

const char *const entry_key_names[ENTRY_KEY_COUNT] = {
	"service", "kind", "vendor", "country", "models", "agents", "users",
};

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

static void check_entry_words(struct load *load, const struct yaml_node *node, enum entry_key key)
{
	for (const struct yaml_node *item = items_first(node); item;
	     item = items_next(node, item)) {
		if (item->kind != YAML_SCALAR)
			continue;
		if (key == ENTRY_KIND)
			load_word(load, item, "kind", catalog_kinds);
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
	verdict = load_word(load, yaml_get(node, "verdict"), "verdict", verdict_words);
	if (verdict >= 0)
		entry->verdict = (enum verdict)verdict;
	for (int key = 0; key < ENTRY_KEY_COUNT; key++) {
		entry->nodes[key] = yaml_get(node, entry_key_names[key]);
		entry->words[key] = load_words(load, entry->nodes[key]);
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

void load_providers(struct load *load, const struct yaml_node *node)
{
	const struct yaml_node *fallback, *entries;
	int verdict;

	if (!node || !load_check(load, node, "\"providers\"", provider_keys))
		return;
	fallback = yaml_get(node, "default");
	if (fallback) {
		verdict = load_word(load, fallback, "verdict", verdict_words);
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
