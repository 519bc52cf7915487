/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/command.h"

#include <stdio.h>
#include <string.h>

#include "catalog/catalog.h"
#include "command/rule_files.h"
#include "command/rules.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"

static const char usage[] =
	"usage: gnomon rules check|list [PATH...]\n"
	"       gnomon rules test [--events FILE [--fail-on SEVERITY]] [PATH...]\n"
	"       gnomon rules explain EVENT.json [PATH...]\n"
	"\n"
	"  check    load the rules and report every error\n"
	"  list     one line per rule\n"
	"  test     run the tests that the rules carry; with --events replay recorded events\n"
	"           (JSON lines, - for standard input) and print what would have alerted\n"
	"  explain  say what each rule makes of one event, and which test decided\n"
	"\n"
	"Without PATH the rules are those of this host: what is built in and " RULES_DIRECTORY ".\n"
	"With PATH, a file or directory of rules, they are what is built in and those.\n"
	"\n"
	"Exit status: 0 good, 1 a test failed or an alert of SEVERITY (default medium) or above,\n"
	"2 an error in the rules or events, 3 both, 64 wrong usage.\n";

struct request {
	const char *subcommand, *events, *event;
	const char *fail_on_word; /* NULL: the default one */
	enum severity fail_on;
	char **paths;
	int path_count;
};

static int load(struct rule_set *set, int count, char **paths)
{
	_cleanup_(diag_done) struct diag diag = {0};
	int r = rules_load_from(count ? NULL : RULES_DIRECTORY, set, (const char *const *)paths,
				(size_t)count, &diag);

	diag_print(&diag, stderr);
	return r;
}

static int run_check(const struct rule_set *set, const struct request *request)
{
	(void)request;
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

static int run_list(const struct rule_set *set, const struct request *request)
{
	(void)request;
	for (size_t i = 0; i < policy_rules(set->policy); i++) {
		struct policy_rule_info info;

		policy_rule(set->policy, i, &info);
		printf("%s\t%s\t%s\t%s\t%s:%u\n", info.finding.rule_id, info.mode,
		       severity_name(info.finding.severity), info.finding.rule_name, info.file,
		       info.line);
	}
	return EXIT_CLEAN;
}

/* "gnomon: rules: WHAT: WORD" and the usage; nothing but the usage with NULL. */
static int wrong_usage(const char *what, const char *word)
{
	if (what)
		fprintf(stderr, "gnomon: rules: %s: %s\n", what, word);
	fputs(usage, stderr);
	return EXIT_USAGE;
}

/* The option at *i, and its value behind it or behind a '='. NULL: that is no such option. The words end with NULL. */
static const char *option_value(char **argv, int *i, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(argv[*i], name, len) != 0)
		return NULL;
	if (argv[*i][len] == '=')
		return argv[*i] + len + 1;
	if (argv[*i][len] || !argv[*i + 1])
		return NULL;
	return argv[++*i];
}

/* -1: go on. Otherwise the exit status. */
static int parse_option(struct request *request, char **argv, int *i)
{
	const char *word = argv[*i], *value;
	int severity;

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		fputs(usage, stdout);
		return EXIT_CLEAN;
	}
	value = option_value(argv, i, "--events");
	if (value) {
		request->events = value;
		return -1;
	}
	value = option_value(argv, i, "--fail-on");
	if (!value)
		return wrong_usage("unknown option, or one without its value", word);
	severity = severity_parse(span_str(value));
	if (severity < 0)
		return wrong_usage("no severity", value);
	request->fail_on = (enum severity)severity;
	request->fail_on_word = value;
	return -1;
}

/* Options may stand anywhere before "--"; the other words are moved together. */
static int parse(struct request *request, int argc, char **argv)
{
	int words = 1, i = 1, r;

	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (argv[i][0] != '-' || !argv[i][1]) {
			argv[words++] = argv[i];
			continue;
		}
		r = parse_option(request, argv, &i);
		if (r >= 0)
			return r;
	}
	for (i++; i < argc; i++)
		argv[words++] = argv[i];
	if (words == 1)
		return wrong_usage(NULL, NULL);
	request->subcommand = argv[1];
	request->paths = argv + 2;
	request->path_count = words - 2;
	return -1;
}

static int run_test(const struct rule_set *set, const struct request *request)
{
	if (request->events)
		return rules_replay(set, request->events, request->fail_on);
	return test(set);
}

static int run_explain(const struct rule_set *set, const struct request *request)
{
	return rules_explain(set, request->event);
}

static const struct {
	const char *name;
	int (*run)(const struct rule_set *set, const struct request *request);
} subcommands[] = {
	{"check", run_check}, {"test", run_test}, {"list", run_list}, {"explain", run_explain}};

int command_rules(int argc, char **argv)
{
	_cleanup_(rule_set_done) struct rule_set set = {0};
	struct request request = {.fail_on = SEVERITY_MEDIUM};
	int r = parse(&request, argc, argv);
	bool is_explain;

	if (r >= 0)
		return r;
	is_explain = strcmp(request.subcommand, "explain") == 0;
	if (request.events && strcmp(request.subcommand, "test") != 0)
		return wrong_usage("--events is not for this subcommand", request.subcommand);
	if (request.fail_on_word && !request.events)
		return wrong_usage("--fail-on needs --events", request.fail_on_word);
	if (is_explain && request.path_count == 0)
		return wrong_usage("needs an event", request.subcommand);
	if (is_explain) {
		request.event = *request.paths++;
		request.path_count--;
	}
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++) {
		if (strcmp(request.subcommand, subcommands[i].name) != 0)
			continue;
		if (load(&set, request.path_count, request.paths) < 0)
			return EXIT_ERROR;
		return subcommands[i].run(&set, &request);
	}
	return wrong_usage("unknown subcommand", request.subcommand);
}
