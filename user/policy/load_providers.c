/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/load.h"

#include <stdio.h>

#include "catalog/catalog.h"

/* "undetermined" is a conclusion, nothing to be decreed. */
static const char *const verdict_words[] = {"sanctioned", "tolerated", "unsanctioned", NULL};

const char *const entry_key_names[ENTRY_KEY_COUNT] = {
	"service",  "kind",  "vendor", "country",   "models", "agents",
	"accounts", "users", "groups", "processes", "images", "namespaces",
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
	{"accounts", YAML_SEQUENCE},
	{"users", YAML_SEQUENCE},
	{"groups", YAML_SEQUENCE},
	{"processes", YAML_SEQUENCE},
	{"images", YAML_SEQUENCE},
	{"namespaces", YAML_SEQUENCE},
	{"hours", YAML_SCALAR, .list_too = true},
	{"outside_hours", YAML_SCALAR, .list_too = true},
	{0},
};

static const char *const account_words[] = {"personal", "organisation", NULL};

static void check_entry_words(struct load *load, const struct yaml_node *node, enum entry_key key)
{
	for (const struct yaml_node *item = items_first(node); item;
	     item = items_next(node, item)) {
		if (item->kind != YAML_SCALAR)
			continue;
		if (key == ENTRY_KIND)
			load_word(load, item, "kind", catalog_kinds);
		else if (key == ENTRY_ACCOUNTS)
			load_word(load, item, "kind of account", account_words);
		else if (key == ENTRY_COUNTRY &&
			 (item->text.len != 2 || item->text.at[0] < 'A' || item->text.at[0] > 'Z' ||
			  item->text.at[1] < 'A' || item->text.at[1] > 'Z'))
			load_error(load, item,
				   "a country is two capital letters (ISO 3166 alpha-2)");
	}
}

struct description {
	char text[REASON_TEXT_MAX];
	size_t used;
	bool cut;
};

/* Appends ", TITLE WORD" of a first word, ", WORD" of the others; ", ..." when they do not fit. */
static void describe(struct description *to, const char *title, bool first, struct span word)
{
	size_t room = sizeof(to->text) - to->used;
	int n;

	if (to->cut)
		return;
	n = snprintf(to->text + to->used, room, "%s%s%s%.*s", to->used ? ", " : "",
		     first ? title : "", first ? " " : "", (int)word.len, word.at);
	if (n >= 0 && (size_t)n < room) {
		to->used += (size_t)n;
		return;
	}
	to->cut = true;
	snprintf(to->text + to->used, room, "%s", room > 5 ? ", ..." : "");
}

/* "service openai, models gpt-4o*, gpt-5*" */
static void describe_entry(const struct provider_entry *entry, const struct yaml_node *node,
			   struct description *to)
{
	const char *title = entry->hours.outside ? "outside_hours" : "hours";
	const struct yaml_node *hours = yaml_get(node, title);

	for (int key = 0; key < ENTRY_KEY_COUNT; key++)
		for (size_t i = 0; i < entry->words[key].count; i++)
			describe(to, entry_key_names[key], i == 0, entry->words[key].items[i]);
	for (const struct yaml_node *item = items_first(hours); item;
	     item = items_next(hours, item))
		describe(to, title, item == items_first(hours), item->text);
}

static void load_entry(struct load *load, const struct yaml_node *node)
{
	struct policy_file *file = load->file;
	struct provider_entry *entry = &file->entries[file->entry_count];
	struct description description = {0};
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
	entry->hours = load_hours(load, node);
	asks |= yaml_get(node, "hours") || yaml_get(node, "outside_hours");
	if (!asks)
		load_error(load, node,
			   "a provider entry needs a condition, for the rest there is "
			   "\"default\"");
	describe_entry(entry, node, &description);
	entry->reason = arena_format(&file->arena, "entry %u of %s: %s", entry->number,
				     yaml_name(file->document), description.text);
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
