/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "gnomon/limits.h"
#include "policy/model.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/embedded.h"
#include "util/files.h"

struct policy *policy_new(void)
{
	struct policy *policy = calloc(1, sizeof(*policy));

	if (!policy)
		return NULL;
	policy->tail = &policy->files;
	policy->default_verdict = VERDICT_UNSANCTIONED;
	policy->sum = sha256_new();
	if (!policy->sum || sha256_hex(policy->sum, policy->hex) < 0) {
		policy_free(policy);
		return NULL;
	}
	return policy;
}

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	while (policy->files) {
		struct policy_file *file = policy->files;

		policy->files = file->next;
		policy_file_free(file);
	}
	arena_done(&policy->arena);
	sha256_free(policy->sum);
	free(policy);
}

static int policy_add_as(struct policy *policy, const char *name, const char *ruleset,
			 struct span text, struct diag *diag)
{
	struct policy_file *file = policy_file_load(name, ruleset, text, diag);
	int r;

	if (!file)
		return -EINVAL;
	r = sha256_add(policy->sum, text);
	if (r == 0)
		r = sha256_hex(policy->sum, policy->hex);
	if (r < 0) {
		diag_add(diag, name, 0, 0, "out of memory");
		policy_file_free(file);
		return r;
	}
	*policy->tail = file;
	policy->tail = &file->next;
	return 0;
}

int policy_add(struct policy *policy, const char *name, struct span text, struct diag *diag)
{
	return policy_add_as(policy, name, NULL, text, diag);
}

int policy_add_builtin(struct policy *policy, struct diag *diag)
{
	static const struct span folder = {"policy/", sizeof("policy/") - 1};
	int r = 0;

	for (const struct embedded_file *file = embedded_files; file->name && r == 0; file++) {
		_cleanup_free_ char *name = NULL;

		if (!span_starts(span_str(file->name), folder))
			continue;
		if (asprintf(&name, "built-in %s", file->name) < 0)
			return -ENOMEM;
		r = policy_add_as(policy, name, "built-in",
				  span_of(file->begin, (size_t)(file->end - file->begin)), diag);
	}
	return r;
}

static int add_file(struct policy *policy, const char *path, struct diag *diag)
{
	struct file_text text;
	int r = file_read(path, YAML_BYTES_MAX, &text, diag);

	if (r < 0)
		return r;
	r = policy_add(policy, path, span_of(text.at, text.len), diag);
	free(text.at);
	return r;
}

int policy_add_path(struct policy *policy, const char *path, struct diag *diag)
{
	struct file_list list = {0};
	struct stat st;
	int r, result = 0;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return add_file(policy, path, diag);
	r = file_list_directory(path, ".yaml", &list, diag);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.count; i++) {
		r = add_file(policy, list.paths[i], diag);
		if (r < 0)
			result = r;
	}
	file_list_done(&list);
	return result;
}

size_t policy_rules(const struct policy *policy)
{
	return policy->rule_count;
}

const char *policy_sha256(const struct policy *policy)
{
	return policy->hex;
}

void policy_rule(const struct policy *policy, size_t i, struct policy_rule_info *info)
{
	const struct rule *rule = policy->rules[i];
	size_t tests = 0;

	for (const struct rule_tests *t = rule->tests; t; t = t->next)
		tests += t->count;
	*info = (struct policy_rule_info){
		.finding = rule->finding,
		.file = yaml_name(rule->file->document),
		.line = rule->place->line,
		.tests = tests,
		.mode = rule_mode_names[rule->mode],
	};
}
