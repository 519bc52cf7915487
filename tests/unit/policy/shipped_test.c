/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "catalog/catalog.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"

/* What is shipped under rules/, as it is in the binary. */

static int setup(void **state)
{
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};
	int r = catalog_add_builtin(catalog, &diag);

	diag_print(&diag, stderr);
	*state = catalog;
	return r < 0 ? r : catalog_seal(catalog);
}

static int teardown(void **state)
{
	catalog_free(*state);
	return 0;
}

static void ignore_result(void *ctx, const struct policy_test_result *result)
{
	++*(size_t *)ctx;
	if (result->expect_alert != result->fired)
		print_message("# %s:%u: wrong\n", result->file, result->line);
}

static bool has_technique(const struct finding *finding, const char *id)
{
	for (size_t i = 0; i < finding->technique_count; i++)
		if (span_eq(finding->techniques[i], span_str(id)))
			return true;
	return false;
}

/* Each rule is tested and has a page that says what to do. Exfiltration is said of data that left,
 * and nothing else of policy is more than medium. */
static void check_rules(const struct policy *policy)
{
	assert_true(policy_rules(policy) >= 14);
	for (size_t i = 0; i < policy_rules(policy); i++) {
		struct policy_rule_info info;
		char page[64];

		policy_rule(policy, i, &info);
		assert_true(info.tests >= 2);
		snprintf(page, sizeof(page), "rules/runbook/%s.md", info.finding.rule_id);
		assert_string_equal(info.finding.reference, page);
		if (access(page, R_OK))
			fail_msg("%s is not there", page);
		assert_int_equal(has_technique(&info.finding, "T1567"),
				 strcmp(info.finding.category, "exfiltration") == 0);
		if (strcmp(info.finding.category, "policy") == 0)
			assert_true(info.finding.severity <= SEVERITY_MEDIUM);
	}
}

/* An installation's list takes the place of a built-in one of its name. */
static void test_lists_give_way(void **state)
{
	struct policy *policy = policy_new();
	struct finding found[4];
	struct diag diag = {0};
	struct event event;

	(void)state;
	assert_int_equal(policy_add_builtin(policy, &diag), 0);
	assert_int_equal(
		policy_add(policy, "p", SPAN_LITERAL("lists: {gn_web_servers: [frob]}"), &diag), 0);
	assert_int_equal(policy_seal(policy, &diag), 0);
	event_init(&event);
	event_set_text(&event, F_EVENT_ACTION, "llm-request");
	event_set_text(&event, F_PROCESS_NAME, "bash");
	event_set_text(&event, F_PROCESS_PARENT_NAME, "nginx");
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 0);
	event_set_text(&event, F_PROCESS_PARENT_NAME, "frob");
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 1);
	assert_string_equal(found[0].rule_id, "GN-3003");
	policy_free(policy);
}

static void test_policy(void **state)
{
	struct policy *policy = policy_new();
	struct diag diag = {0};
	size_t tests = 0, wrong = 0;

	assert_int_equal(policy_add_builtin(policy, &diag), 0);
	assert_int_equal(policy_seal(policy, &diag), 0);
	assert_int_equal(policy_check_services(policy, *state, &diag), 0);
	check_rules(policy);
	assert_int_equal(policy_test(policy, ignore_result, &tests, &wrong), 0);
	assert_int_equal(wrong, 0);
	assert_true(tests >= 2 * policy_rules(policy));
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_lists_give_way),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
