/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gnomon/limits.h"
#include "unit/policy/policies.h"
#include "util/cleanup.h"
#include "util/files.h"
#include "util/yaml.h"

/* Policy files against rules/schema/policy.schema.json: read by gnomon's own YAML reader, written as
 * JSON with all scalars as strings, and given to the checker of schemas. */

static void write_string(FILE *out, struct span text)
{
	fputc('"', out);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '"' || c == '\\' || c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void write_node(FILE *out, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR) {
		write_string(out, node->text);
		return;
	}
	fputc(node->kind == YAML_MAPPING ? '{' : '[', out);
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		if (node->kind == YAML_MAPPING) {
			write_string(out, item->text);
			fputc(':', out);
			write_node(out, item->value);
		} else {
			write_node(out, item);
		}
		if (item->next)
			fputc(',', out);
	}
	fputc(node->kind == YAML_MAPPING ? '}' : ']', out);
}

/* Does the text follow the schema? */
static bool follows(const char *name, struct span text)
{
	char path[] = "/tmp/gnomon-policy-XXXXXX", command[128];
	struct diag diag = {0};
	struct yaml_document *document = yaml_load(name, text, &diag);
	int fd = mkstemp(path), status;
	FILE *out;

	assert_non_null(document);
	assert_true(fd >= 0);
	out = fdopen(fd, "w");
	write_node(out, yaml_root(document));
	fclose(out);
	yaml_unload(document);
	snprintf(command, sizeof(command), "tests/check/policy_schema --documents %s >&2", path);
	status = system(command);
	unlink(path);
	return status == 0;
}

static void check_folder(const char *folder, size_t least)
{
	struct file_list list = {0};
	struct diag diag = {0};

	assert_int_equal(file_list_directory(folder, ".yaml", &list, &diag), 0);
	assert_true(list.count >= least);
	for (size_t i = 0; i < list.count; i++) {
		struct file_text text;

		assert_int_equal(file_read(list.paths[i], YAML_BYTES_MAX, &text, &diag), 0);
		if (!follows(list.paths[i], span_of(text.at, text.len)))
			fail_msg("%s does not follow the schema", list.paths[i]);
		free(text.at);
	}
	file_list_done(&list);
}

static void test_shipped(void **state)
{
	(void)state;
	check_folder("rules/policy", 3);
	check_folder("rules/examples", 8);
}

/* What is wrong to the loader for its form is wrong to the schema, and the other way round. */
static void test_agreement(void **state)
{
#define RULE "rules: [{id: A, name: n, severity: low, when: user.name exists, "
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"{}", true},
		{"rule: []", false},
		{"providers: {default: tolerated}", true},
		{"providers: {default: allowed}", false},
		{"providers: {entries: [{verdict: tolerated}]}", false},
		{"providers: {entries: [{verdict: tolerated, country: Norway}]}", false},
		{"providers: {entries: [{verdict: tolerated, hours: mon 08:00-09:00}]}", true},
		{"lists: {a: [], b: [x]}", true},
		{"lists: {a: ['']}", false},
		{"lists: {a b: [x]}", false},
		{"macros: {m: user.name exists}", true},
		{RULE "mode: aler}]", false},
		{"rules: [{id: llm-server, name: n, severity: low, when: user.name exists}]",
		 false},
		{"rules: [{id: llm-servers, name: n, severity: low, when: user.name exists}]",
		 true},
		{RULE "mode: off}]", true},
		{RULE "attack: [1567]}]", false},
		{RULE "atlas: [AML.T0025]}]", true},
		{RULE "throttle: none}]", true},
		{RULE "throttle: often}]", false},
		{RULE "throttle: {every: 5}}]", false},
		{RULE "throttle: {every: 5m}}]", true},
		{RULE "window: {count: events, per: [user.name], over: 1h, above: 5}}]", true},
		{RULE "window: {count: events, over: 1h, above: 5}}]", false},
		{RULE "exceptions: [{user.name: [a, b*], until: 2026-12-31}]}]", true},
		{RULE "exceptions: [{user.name: a, until: soon}]}]", false},
		{RULE "exceptions: [{user.name: []}]}]", false},
		{RULE "tests: [{event: {user.name: a}, expect: maybe}]}]", false},
		{RULE "tests: [{event: {user.name: a}, expect: none, repeat: 3}]}]", true},
		{"rules: [{override: A, mode: off}]", true},
		{"rules: [{override: A}]", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy *policy = policy_new();
		struct diag diag = {0};

		assert_int_equal(policy_add(policy, "p", span_str(cases[i].text), &diag) == 0,
				 cases[i].good);
		if (follows("p", span_str(cases[i].text)) != cases[i].good)
			fail_msg("%s", cases[i].text);
		diag_done(&diag);
		policy_free(policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_agreement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
