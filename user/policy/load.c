/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gnomon/limits.h"
#include "util/suggest.h"

const char *const verdict_names[] = {
	[VERDICT_SANCTIONED] = "sanctioned",
	[VERDICT_TOLERATED] = "tolerated",
	[VERDICT_UNSANCTIONED] = "unsanctioned",
	[VERDICT_UNDETERMINED] = "undetermined",
};

static const struct yaml_key file_keys[] = {
	{"providers", YAML_MAPPING},
	{"lists", YAML_MAPPING},
	{"macros", YAML_MAPPING},
	{"rules", YAML_SEQUENCE},
	{0},
};

bool load_check(struct load *load, const struct yaml_node *node, const char *what,
		const struct yaml_key *keys)
{
	bool good = yaml_check(load->file->document, node, what, keys, load->diag);

	load->failed |= !good;
	return good;
}

void *load_array(struct load *load, const struct yaml_node *node, size_t count, size_t size)
{
	void *items = arena_array(&load->file->arena, count, size);

	if (!items)
		load_error(load, node, "out of memory");
	return items;
}

int load_word(struct load *load, const struct yaml_node *node, const char *what,
	      const char *const *words)
{
	struct suggestion near = {0};

	for (int i = 0; words[i]; i++) {
		if (span_eq(node->text, span_str(words[i])))
			return i;
		suggest_offer(&near, node->text, span_str(words[i]));
	}
	load_error(load, node, "unknown %s \"%.*s\"" SUGGEST_FORMAT, what, quoted_len(node->text),
		   node->text.at, SUGGEST_ARGS(near));
	return -EINVAL;
}

int load_field(struct load *load, const struct yaml_node *node)
{
	int field = field_by_name(node->text);
	struct suggestion near = {0};

	if (field >= 0)
		return field;
	for (int i = 0; i < FIELD_COUNT; i++)
		suggest_offer(&near, node->text, span_str(field_table[i].name));
	load_error(load, node, "unknown field \"%.*s\"" SUGGEST_FORMAT, quoted_len(node->text),
		   node->text.at, SUGGEST_ARGS(near));
	return -EINVAL;
}

const char *load_text(struct load *load, const struct yaml_node *node)
{
	const char *text = yaml_string(node);

	if (node && !text)
		load_error(load, node, "empty, or holds a NUL");
	return text;
}

struct word_list load_words(struct load *load, const struct yaml_node *node)
{
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
	for (const struct yaml_node *item = items_first(node); item;
	     item = items_next(node, item)) {
		if (item->kind != YAML_SCALAR)
			load_error(load, item, "must be a string");
		else if (load_text(load, item))
			items[n++] = item->text;
	}
	list.items = items;
	list.count = n;
	return list;
}

void load_condition_error(struct load *load, const struct yaml_node *scalar,
			  const struct condition_error *error)
{
	unsigned int line, column;

	load->failed = true;
	yaml_position(load->file->document, scalar, error->offset, &line, &column);
	diag_add(load->diag, yaml_name(load->file->document), line, column, "%s", error->message);
}

/* ---- lists and macros ------------------------------------------------------------------------------- */

bool load_is_name(struct span text)
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
		if (!load_is_name(key->text))
			load_error(load, key, "a name is letters, digits, '_' or '-', at most %d",
				   SHORT_NAME_MAX - 1);
		if (key->value->kind != YAML_SEQUENCE) {
			load_error(load, key->value, "must be a list of strings");
			continue;
		}
		/* an empty one is somebody's "none of them" */
		words = key->value->count ? load_words(load, key->value) : (struct word_list){0};
		list->list = (struct condition_list){key->text, words.items, words.count};
	}
}

static void load_macros(struct load *load, const struct yaml_node *node)
{
	struct policy_file *file = load->file;

	if (!node)
		return;
	file->macros = load_array(load, node, node->count, sizeof(*file->macros));
	if (!file->macros)
		return;
	for (const struct yaml_node *key = node->first; key; key = key->next) {
		struct policy_macro *macro = &file->macros[file->macro_count++];
		struct condition_error error;

		*macro = (struct policy_macro){.place = key, .text = key->value, .file = file};
		macro->macro.name = key->text;
		if (!load_is_name(key->text) || field_by_name(key->text) >= 0)
			load_error(load, key,
				   "a name is letters, digits, '_' or '-', at most %d, and no "
				   "field's",
				   SHORT_NAME_MAX - 1);
		if (key->value->kind != YAML_SCALAR) {
			load_error(load, key->value, "must be a condition");
			continue;
		}
		macro->macro.condition = condition_compile(&file->arena, key->value->text, &error);
		if (!macro->macro.condition)
			load_condition_error(load, key->value, &error);
	}
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
	file->built_in = ruleset != NULL;
	file->ruleset = ruleset ? ruleset : base_name(yaml_name(file->document));
	root = yaml_root(file->document);
	if (root && !yaml_is_null(root) && load_check(&load, root, "a policy file", file_keys)) {
		load_providers(&load, yaml_get(root, "providers"));
		load_lists(&load, yaml_get(root, "lists"));
		load_macros(&load, yaml_get(root, "macros"));
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
