/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/rule_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "catalog/catalog.h"
#include "gnomon/limits.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/files.h"
#include "util/yaml.h"

struct rule_loader {
	struct catalog *catalog;
	struct policy *policy;
	struct diag *diag;
	int result; /* the first error; loading goes on to find the others */
};

static void note(struct rule_loader *loader, int r)
{
	if (r < 0 && loader->result == 0)
		loader->result = r;
}

static void load_text(struct rule_loader *loader, const char *path, struct span text)
{
	struct yaml_document *document = yaml_load(path, text, loader->diag);
	bool is_catalogue;

	if (!document) {
		note(loader, -EINVAL);
		return;
	}
	is_catalogue = yaml_get(yaml_root(document), "services") != NULL;
	yaml_unload(document);
	note(loader, is_catalogue ? catalog_add(loader->catalog, path, text, loader->diag)
				  : policy_add(loader->policy, path, text, loader->diag));
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
	struct file_list list = {0};

	note(loader, file_list_directory(path, ".yaml", &list, loader->diag));
	for (size_t i = 0; i < list.count; i++)
		load_file(loader, list.paths[i]);
	file_list_done(&list);
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

static void load_path(struct rule_loader *loader, const char *path)
{
	_cleanup_free_ char *providers = NULL;

	if (!is_directory(path)) {
		load_file(loader, path);
		return;
	}
	if (asprintf(&providers, "%s/providers", path) < 0) {
		providers = NULL;
		note(loader, -ENOMEM);
		return;
	}
	if (is_directory(providers))
		load_directory(loader, providers);
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
	note(loader, catalog_add_builtin(loader->catalog, loader->diag));
	note(loader, policy_add_builtin(loader->policy, loader->diag));
	if (directory) {
		load_installed(loader, directory, "policy.yaml");
		load_installed(loader, directory, "rules.d");
	}
	for (size_t i = 0; i < path_count; i++)
		load_path(loader, paths[i]);
	/* Half a policy would only tell of things that the missing half defines. */
	if (loader->result < 0)
		return;
	note(loader, catalog_seal(loader->catalog));
	note(loader, policy_seal(loader->policy, loader->diag));
	if (loader->result == 0)
		note(loader, policy_check_services(loader->policy, loader->catalog, loader->diag));
}

int rules_load_from(const char *directory, struct catalog **catalog, struct policy **policy,
		    const char *const *paths, size_t path_count, struct diag *diag)
{
	struct rule_loader loader = {
		.catalog = catalog_new(),
		.policy = policy_new(),
		.diag = diag,
	};

	if (loader.catalog && loader.policy)
		load_all(&loader, directory, paths, path_count);
	else
		note(&loader, -ENOMEM);
	if (loader.result < 0) {
		if (!diag_any(diag))
			diag_add(diag, NULL, 0, 0, "%s", strerror(-loader.result));
		catalog_free(loader.catalog);
		policy_free(loader.policy);
		return loader.result;
	}
	*catalog = loader.catalog;
	*policy = loader.policy;
	return 0;
}

int rules_load(struct catalog **catalog, struct policy **policy, const char *const *paths,
	       size_t path_count, struct diag *diag)
{
	return rules_load_from(RULES_DIRECTORY, catalog, policy, paths, path_count, diag);
}
