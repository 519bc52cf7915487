/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/rule_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "catalog/agents.h"
#include "catalog/catalog.h"
#include "catalog/prices.h"
#include "gnomon/limits.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/files.h"
#include "util/yaml.h"

struct rule_loader {
	struct rule_set rules;
	struct diag *diag;
	int result; /* the first error; loading goes on to find the others */
};

void rule_set_done(struct rule_set *rules)
{
	catalog_free(rules->catalog);
	policy_free(rules->policy);
	prices_free(rules->prices);
	agents_free(rules->agents);
	*rules = (struct rule_set){0};
}

static void note(struct rule_loader *loader, int r)
{
	if (r < 0 && loader->result == 0)
		loader->result = r;
}

static void load_text(struct rule_loader *loader, const char *path, struct span text)
{
	struct rule_set *rules = &loader->rules;
	struct yaml_document *document;
	const struct yaml_node *root;
	bool is_catalogue, is_agents;

	if (span_ends(span_str(path), SPAN_LITERAL(".json"))) {
		note(loader, prices_add(rules->prices, path, text, loader->diag));
		return;
	}
	document = yaml_load(path, text, loader->diag);
	if (!document) {
		note(loader, -EINVAL);
		return;
	}
	root = yaml_root(document);
	is_catalogue = yaml_get(root, "services") != NULL;
	is_agents = yaml_get(root, "agents") || yaml_get(root, "hosts");
	yaml_unload(document);
	if (is_catalogue)
		note(loader, catalog_add(rules->catalog, path, text, loader->diag));
	else if (is_agents)
		note(loader, agents_add(rules->agents, path, text, loader->diag));
	else
		note(loader, policy_add(rules->policy, path, text, loader->diag));
}

static void load_file(struct rule_loader *loader, const char *path)
{
	struct file_text text;
	int r = file_read(path, YAML_BYTES_MAX, &text, loader->diag);

	note(loader, r);
	if (r < 0)
		return;
	load_text(loader, path, span_of(text.at, text.len));
	free(text.at);
}

static void load_directory(struct rule_loader *loader, const char *path)
{
	static const char *const suffixes[] = {".yaml", ".json"};

	for (size_t s = 0; s < ARRAY_SIZE(suffixes); s++) {
		struct file_list list = {0};

		note(loader, file_list_directory(path, suffixes[s], &list, loader->diag));
		for (size_t i = 0; i < list.count; i++)
			load_file(loader, list.paths[i]);
		file_list_done(&list);
	}
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Only what is certainly not there counts as absent: a file that cannot be looked at is an error.
 */
static bool is_absent(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 && errno == ENOENT;
}

static void load_subdirectory(struct rule_loader *loader, const char *path, const char *name)
{
	_cleanup_free_ char *below = NULL;

	if (asprintf(&below, "%s/%s", path, name) < 0) {
		below = NULL;
		note(loader, -ENOMEM);
	} else if (is_directory(below)) {
		load_directory(loader, below);
	}
}

static void load_path(struct rule_loader *loader, const char *path)
{
	if (!is_directory(path)) {
		load_file(loader, path);
		return;
	}
	load_subdirectory(loader, path, "providers");
	load_subdirectory(loader, path, "agents");
	load_subdirectory(loader, path, "prices");
	load_directory(loader, path);
}

static void load_installed(struct rule_loader *loader, const char *directory, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s", directory, name) < 0) {
		path = NULL;
		note(loader, -ENOMEM);
	} else if (!is_absent(path)) {
		load_path(loader, path);
	}
}

static void load_all(struct rule_loader *loader, const char *directory, const char *const *paths,
		     size_t path_count)
{
	note(loader, catalog_add_builtin(loader->rules.catalog, loader->diag));
	note(loader, policy_add_builtin(loader->rules.policy, loader->diag));
	note(loader, prices_add_builtin(loader->rules.prices, loader->diag));
	note(loader, agents_add_builtin(loader->rules.agents, loader->diag));
	if (directory) {
		load_installed(loader, directory, "policy.yaml");
		load_installed(loader, directory, "rules.d");
	}
	for (size_t i = 0; i < path_count; i++)
		load_path(loader, paths[i]);
	/* Half a policy would only tell of things that the missing half defines. */
	if (loader->result < 0)
		return;
	note(loader, catalog_seal(loader->rules.catalog));
	note(loader, prices_seal(loader->rules.prices));
	note(loader, policy_seal(loader->rules.policy, loader->diag));
	if (loader->result < 0)
		return;
	note(loader,
	     policy_check_services(loader->rules.policy, loader->rules.catalog, loader->diag));
	note(loader, policy_check_agents(loader->rules.policy, loader->rules.agents, loader->diag));
}

int rules_load_from(const char *directory, struct rule_set *rules, const char *const *paths,
		    size_t path_count, struct diag *diag)
{
	struct rule_loader loader = {
		.rules = {catalog_new(), policy_new(), prices_new(), agents_new()},
		.diag = diag,
	};

	if (loader.rules.catalog && loader.rules.policy && loader.rules.prices &&
	    loader.rules.agents)
		load_all(&loader, directory, paths, path_count);
	else
		note(&loader, -ENOMEM);
	if (loader.result < 0) {
		if (!diag_any(diag))
			diag_add(diag, NULL, 0, 0, "%s", strerror(-loader.result));
		rule_set_done(&loader.rules);
		return loader.result;
	}
	*rules = loader.rules;
	return 0;
}

int rules_load(struct rule_set *rules, const char *const *paths, size_t path_count,
	       struct diag *diag)
{
	return rules_load_from(RULES_DIRECTORY, rules, paths, path_count, diag);
}
