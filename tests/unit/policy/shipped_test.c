/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "catalog/catalog.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/files.h"

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

/* Those that begin like it are of the ones that were looked up: Exfiltration Over Web Service, Unsecured
 * Credentials, Domain Fronting, Web Shell; Exfiltration via Cyber Means, Unsecured Credentials, AI Service
 * API. */
static bool all_known(const struct span *ids, size_t count, const char *start,
		      const char *const *known, size_t known_count)
{
	for (size_t i = 0; i < count; i++) {
		bool found = !span_starts(ids[i], span_str(start));

		for (size_t k = 0; k < known_count; k++)
			found |= span_eq(ids[i], span_str(known[k]));
		if (!found)
			return false;
	}
	return true;
}

/* What is promised to be there, and how it ships. */
static const struct {
	const char *id, *mode;
} promised[] = {
	{"GN-1001", "alert"},   /* unsanctioned provider */
	{"GN-1002", "alert"},   /* unsanctioned model of a sanctioned one */
	{"GN-1003", "alert"},   /* ... user or personal account */
	{"GN-1004", "alert"},   /* unknown gateway */
	{"GN-1005", "alert"},   /* agent not on the list */
	{"GN-1006", "alert"},   /* a server or container that should have none */
	{"GN-1007", "alert"},   /* MCP server outside the list */
	{"GN-2001", "alert"},   /* large upload to an unsanctioned service */
	{"GN-2002", "observe"}, /* token budget of a user */
	{"GN-2003", "observe"}, /* cost budget of a user */
	{"GN-2004", "off"},     /* off-hours bulk use */
	{"GN-2005", "observe"}, /* first use by a user */
	{"GN-2006", "observe"}, /* token budget of a host */
	{"GN-2007", "observe"}, /* cost budget of a host */
	{"GN-3001", "alert"},   /* key of one vendor at another's host */
	{"GN-3002", "alert"},   /* Host and SNI differ */
	{"GN-3003", "alert"},   /* interpreter under a web server */
	{"GN-3004", "alert"},   /* reached by address */
	{"GN-4001", "alert"},   /* local model server started */
	{"GN-4002", "alert"},   /* ... beyond loopback */
	{"GN-9001", "alert"},   /* sensor degraded */
};

static void check_promised(const struct policy *policy)
{
	assert_int_equal(policy_rules(policy), ARRAY_SIZE(promised));
	for (size_t i = 0; i < ARRAY_SIZE(promised); i++) {
		struct policy_rule_info info = {0};
		size_t n = 0;

		for (; n < policy_rules(policy); n++) {
			policy_rule(policy, n, &info);
			if (strcmp(info.finding.rule_id, promised[i].id) == 0)
				break;
		}
		assert_true(n < policy_rules(policy));
		assert_string_equal(info.mode, promised[i].mode);
	}
}

/* A page says what the alert means and what to do. */
static void check_page(const char *path)
{
	static const char *const heads[] = {"## What it means\n", "## What to look at\n",
					    "## What to do\n", "## False positives\n"};
	struct diag diag = {0};
	struct file_text text;

	if (file_read(path, 1 << 20, &text, &diag) < 0)
		fail_msg("%s is not there", path);
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		if (!memmem(text.at, text.len, heads[i], strlen(heads[i])))
			fail_msg("%s has no \"%s\"", path, heads[i]);
	free(text.at);
}

/* Each rule is tested and has a page that says what to do. Exfiltration is said of data that left,
 * and nothing else of policy is more than medium. */
static void check_rules(const struct policy *policy)
{
	static const char *const techniques[] = {"T1567", "T1552", "T1090.004", "T1505.003"};
	static const char *const atlas[] = {"atlas.AML.T0025", "atlas.AML.T0055",
					    "atlas.AML.T0096"};

	for (size_t i = 0; i < policy_rules(policy); i++) {
		struct policy_rule_info info;
		char page[64];

		policy_rule(policy, i, &info);
		assert_true(info.tests >= 2);
		assert_true(all_known(info.finding.techniques, info.finding.technique_count, "T",
				      techniques, ARRAY_SIZE(techniques)));
		assert_true(all_known(info.finding.tags, info.finding.tag_count, "atlas.", atlas,
				      ARRAY_SIZE(atlas)));
		snprintf(page, sizeof(page), "rules/runbook/%s.md", info.finding.rule_id);
		assert_string_equal(info.finding.reference, page);
		check_page(page);
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
	event_append(&event, F_ANCESTORS, SPAN_LITERAL("nginx"));
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 0);
	event_append(&event, F_ANCESTORS, SPAN_LITERAL("frob"));
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
	check_promised(policy);
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
