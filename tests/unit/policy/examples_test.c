/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "unit/policy/policies.h"
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

static void test_together(void **state)
{
	(void)state;
	check(FOLDER, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
