/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/command.h"

#include <stdio.h>

#include "catalog/catalog.h"
#include "command/rule_files.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"

static const char usage[] =
	"usage: gnomon rules check|test|list [PATH...]\n"
	"\n"
	"  check   load the rules and report every error\n"
	"  test    run the tests that the rules carry\n"
	"  list    one line per rule\n"
	"\n"
	"Without PATH the rules are those of this host: what is built in and " RULES_DIRECTORY ".\n"
	"With PATH, a file or directory of rules, they are what is built in and those.\n"
	"\n"
	"Exit status: 0 good, 1 a test failed, 2 an error in the rules, 64 wrong usage.\n";

static int load(struct rule_set *set, int count, char **paths)
{
	_cleanup_(diag_done) struct diag diag = {0};
	int r = rules_load_from(count ? NULL : RULES_DIRECTORY, set, (const char *const *)paths,
				(size_t)count, &diag);

	diag_print(&diag, stderr);
	return r;
}

static int check(const struct rule_set *set)
{
	printf("%zu rules, %zu services: no errors\n", policy_rules(set->policy),
	       catalog_services(set->catalog));
	return EXIT_CLEAN;
}

static void report_test(void *ctx, const struct policy_test_result *result)
{
	size_t *count = ctx;

	++*count;
	if (result->expect_alert == result->fired)
		return;
	printf("%s:%u:%u: %s: expected %s, got %s\n", result->file, result->line, result->column,
	       result->rule_id, result->expect_alert ? "an alert" : "none",
	       result->fired ? "an alert" : "none");
}

static int test(const struct rule_set *set)
{
	size_t count = 0, wrong = 0;

	if (policy_test(set->policy, report_test, &count, &wrong)) {
		fprintf(stderr, "gnomon: out of memory\n");
		return EXIT_ERROR;
	}
	printf("%zu tests, %zu failed\n", count, wrong);
	return wrong ? EXIT_FINDINGS : EXIT_CLEAN;
}

static int list(const struct rule_set *set)
{
	for (size_t i = 0; i < policy_rules(set->policy); i++) {
		struct policy_rule_info info;

		policy_rule(set->policy, i, &info);
		printf("%s\t%s\t%s\t%s:%u\n", info.finding.rule_id,
		       severity_name(info.finding.severity), info.finding.rule_name, info.file,
		       info.line);
	}
	return EXIT_CLEAN;
}

static const struct {
	const char *name;
	int (*run)(const struct rule_set *set);
} subcommands[] = {{"check", check}, {"test", test}, {"list", list}};

int command_rules(int argc, char **argv)
{
	_cleanup_(rule_set_done) struct rule_set set = {0};
	int first = argc > 2 && strcmp(argv[2], "--") == 0 ? 3 : 2;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage, stdout);
			return EXIT_CLEAN;
		}
		if (argv[i][0] == '-') {
			fprintf(stderr, "gnomon: rules: unknown option %s\n%s", argv[i], usage);
			return EXIT_USAGE;
		}
	}
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(subcommands); i++) {
		if (strcmp(argv[1], subcommands[i].name) != 0)
			continue;
		if (load(&set, argc - first, argv + first) < 0)
			return EXIT_ERROR;
		return subcommands[i].run(&set);
	}
	if (argc > 1)
		fprintf(stderr, "gnomon: rules: unknown subcommand %s\n", argv[1]);
	fputs(usage, stderr);
	return EXIT_USAGE;
}
