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
#include "unit/schema.h"
#include "util/cleanup.h"
#include "util/files.h"
#include "util/yaml.h"

/* Policy files against rules/schema/policy.schema.json. */

#define SCHEMA "rules/schema/policy.schema.json"

static void test_shipped(void **state)
{
	(void)state;
	check_folder(SCHEMA, "rules/policy", 3);
	check_folder(SCHEMA, "rules/examples", 8);
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
		if (follows(SCHEMA, "p", span_str(cases[i].text)) != cases[i].good)
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
