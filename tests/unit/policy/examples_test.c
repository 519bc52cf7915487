/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "unit/policy/policies.h"
#include "util/cleanup.h"
#include "util/files.h"

/* Policies as users write them, under rules/examples/: each loads upon what is built in, and its tests
 * hold; and all of them together. */

#define FOLDER "rules/examples"

struct tally {
	size_t count;
	const char *file;
	size_t of_file;
};

static void see(void *ctx, const struct policy_test_result *result)
{
	struct tally *tally = ctx;

	tally->count++;
	tally->of_file += strcmp(result->file, tally->file) == 0;
	if (result->fired != result->expect_alert)
		print_message("%s:%u: %s\n", result->file, result->line, result->rule_id);
}

static void check(const char *path, size_t least_tests)
{
	struct tally tally = {.file = path};
	struct policy *policy = policy_new();
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};

	if (policy_add_builtin(policy, &diag) || policy_add_path(policy, path, &diag) ||
	    policy_seal(policy, &diag) || catalog_add_builtin(catalog, &diag) ||
	    catalog_seal(catalog) || policy_check_services(policy, catalog, &diag))
		fail_msg("%s: %s", path, diag.count ? diag.messages[0] : "out of memory");
	assert_int_equal(test_embedded_of(policy, see, &tally), 0);
	assert_true(tally.of_file >= least_tests);
	policy_free(policy);
	catalog_free(catalog);
}

static void test_each(void **state)
{
	struct file_list list = {0};
	struct diag diag = {0};

	(void)state;
	assert_int_equal(file_list_directory(FOLDER, ".yaml", &list, &diag), 0);
	assert_true(list.count >= 8);
	for (size_t i = 0; i < list.count; i++)
		check(list.paths[i], 2);
	file_list_done(&list);
}

/* What the provider list of a file says, known facts and unknown ones. */
static const struct {
	const char *file, *service;
	struct {
		enum field field;
		const char *value;
	} facts[3];
	const char *verdict, *reason_ends;
} cases[] = {
	{"workspace-only",
	 "chatgpt",
	 {{F_ACCOUNT_KIND, "organisation"}},
	 "sanctioned",
	 "organisation"},
	{"workspace-only",
	 "chatgpt",
	 {{F_ACCOUNT_KIND, "personal"}},
	 "unsanctioned",
	 "fits but for gnomon.account.kind"},
	{"workspace-only",
	 "chatgpt",
	 {{0}},
	 "undetermined",
	 "gnomon.account.kind, which is not known"},
	{"workspace-only", "openai", {{F_SERVICE_KIND, "model-api"}}, "unsanctioned", "matches"},
	{"no-country", "deepseek", {{F_SERVICE_COUNTRY, "CN"}}, "unsanctioned", "country CN"},
	{"no-country",
	 "ollama",
	 {{F_SERVICE_COUNTRY, "US"}, {F_SERVICE_KIND, "self-hosted"}},
	 "tolerated",
	 "kind self-hosted"},
	{"no-country", "unknown", {{0}}, "unsanctioned", "matches"},
	{"group-one-model",
	 "azure-openai",
	 {{F_USER_GROUP_NAME, "quant"}, {F_GEN_AI_RESPONSE_MODEL, "gpt-4o-2024-08-06"}},
	 "sanctioned",
	 "groups quant"},
	{"group-one-model",
	 "azure-openai",
	 {{F_USER_GROUP_NAME, "quant"}, {F_GEN_AI_RESPONSE_MODEL, "o3"}},
	 "unsanctioned",
	 "groups quant"},
	{"group-one-model",
	 "openai",
	 {{F_USER_GROUP_NAME, "quant"}},
	 "unsanctioned",
	 "groups quant"},
	{"group-one-model",
	 "openai",
	 {{F_USER_GROUP_NAME, "sales"}, {F_SERVICE_KIND, "model-api"}},
	 "unsanctioned",
	 "matches"},
	/* the model was not seen, or the user is not known */
	{"group-one-model",
	 "azure-openai",
	 {{F_USER_GROUP_NAME, "quant"}},
	 "undetermined",
	 "gen_ai.request.model, which is not known"},
	{"group-one-model",
	 "openai",
	 {{F_GEN_AI_RESPONSE_MODEL, "o3"}},
	 "undetermined",
	 "user.group.name, which is not known"},
};

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy *policy = policy_new();
		struct diag diag = {0};
		struct event event;
		char path[64];

		snprintf(path, sizeof(path), FOLDER "/%s.yaml", cases[i].file);
		assert_int_equal(policy_add_builtin(policy, &diag), 0);
		assert_int_equal(policy_add_path(policy, path, &diag), 0);
		assert_int_equal(policy_seal(policy, &diag), 0);
		/* the catalogue knows of all but the unknown what they are */
		call(&event, cases[i].service,
		     strcmp(cases[i].service, "unknown") == 0 ? NULL : "model-api");
		for (size_t f = 0; f < ARRAY_SIZE(cases[i].facts) && cases[i].facts[f].value; f++)
			event_set_text(&event, cases[i].facts[f].field, cases[i].facts[f].value);
		policy_judge(policy, &event);
		if (!span_eq(event.value[F_VERDICT].string, span_str(cases[i].verdict)) ||
		    !span_ends(event.value[F_VERDICT_REASON].string,
			       span_str(cases[i].reason_ends)))
			fail_msg("%s, case %zu: %.*s", cases[i].file, i,
				 (int)event.value[F_VERDICT_REASON].string.len,
				 event.value[F_VERDICT_REASON].string.at);
		policy_free(policy);
	}
}

static void test_together(void **state)
{
	(void)state;
	check(FOLDER, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
