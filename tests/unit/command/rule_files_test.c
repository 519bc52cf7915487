/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/agents.h"
#include "catalog/catalog.h"
#include "command/command.h"
#include "command/rule_files.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"

/* A directory of its own for each test, removed behind it. */
static int setup(void **state)
{
	char *directory = strdup("/tmp/gnomon-rules-XXXXXX");

	*state = directory;
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];
	int r;

	snprintf(command, sizeof(command), "rm -rf '%s'", (char *)*state);
	r = system(command);
	free(*state);
	return r;
}

static void make_path(char *path, size_t cap, const char *directory, const char *name)
{
	assert_true((size_t)snprintf(path, cap, "%s/%s", directory, name) < cap);
}

static void make_directory(const char *directory, const char *name)
{
	char path[128];

	make_path(path, sizeof(path), directory, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void make_file(const char *directory, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	make_path(path, sizeof(path), directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_built_in_alone(void **state)
{
	struct rule_set rules = {0};
	struct diag diag = {0};

	/* nothing installed is no error */
	assert_int_equal(rules_load_from(*state, &rules, NULL, 0, &diag), 0);
	assert_int_equal(diag.count, 0);
	assert_true(policy_rules(rules.policy) >= 14);
	assert_true(catalog_services(rules.catalog) >= 40);
	rule_set_done(&rules);
}

static void test_everything(void **state)
{
	const char *directory = *state;
	struct rule_set rules = {0};
	struct diag diag = {0};
	struct catalog_match match;
	char extra[128];
	const char *const paths[] = {extra};
	struct event event;

	make_path(extra, sizeof(extra), directory, "extra");
	make_file(directory, "policy.yaml",
		  "providers: {entries: [{service: acme, verdict: tolerated}]}\n");
	make_directory(directory, "rules.d");
	make_file(directory, "rules.d/10.yaml",
		  "services: [{id: acme, vendor: A, kind: mcp, api_hosts: [a.acme.io]}]\n");
	make_file(directory, "rules.d/20.yaml",
		  "providers: {entries: [{service: acme, verdict: unsanctioned}]}\n");
	make_file(directory, "rules.d/30.yaml.bak", "not: read\n");
	make_file(directory, "rules.d/.hidden.yaml", "not: read\n");
	make_directory(directory, "extra");
	make_directory(directory, "extra/providers");
	make_file(directory, "extra/providers/a.yaml",
		  "services: [{id: more, vendor: A, kind: mcp, api_hosts: [m.acme.io]}]\n");
	make_file(directory, "extra/rules.yaml",
		  "providers: {entries: [{service: more, verdict: sanctioned}]}\n");
	if (rules_load_from(directory, &rules, paths, 1, &diag) < 0)
		fail_msg("%s", diag.messages[0]);
	assert_true(
		catalog_lookup(rules.catalog, SPAN_LITERAL("a.acme.io"), (struct span){0}, &match));
	assert_string_equal(match.service->id, "acme");
	assert_true(
		catalog_lookup(rules.catalog, SPAN_LITERAL("m.acme.io"), (struct span){0}, &match));
	event_init(&event);
	event_set_text(&event, F_SERVICE, "acme");
	policy_judge(rules.policy, &event);
	/* rules.d comes after policy.yaml, and so before it in the list */
	assert_true(span_eq(event.value[F_VERDICT].string, SPAN_LITERAL("unsanctioned")));
	event_set_text(&event, F_SERVICE, "more");
	policy_judge(rules.policy, &event);
	assert_true(span_eq(event.value[F_VERDICT].string, SPAN_LITERAL("sanctioned")));
	rule_set_done(&rules);
}

static void test_errors(void **state)
{
	const char *directory = *state;
	struct rule_set rules = {0};
	struct diag diag = {0};
	char missing[128], bad[128], worse[128], wanted[256];
	const char *const paths[] = {missing, bad, worse};

	make_path(missing, sizeof(missing), directory, "missing.yaml");
	make_path(bad, sizeof(bad), directory, "bad.yaml");
	make_path(worse, sizeof(worse), directory, "worse.yaml");
	make_file(directory, "bad.yaml", "rulez: []\n");
	make_file(directory, "worse.yaml", "services: [{id: a}]\n");
	assert_int_equal(rules_load_from(NULL, &rules, paths, 3, &diag), -ENOENT);
	assert_null(rules.catalog);
	assert_null(rules.policy);
	assert_int_equal(diag.count, 4);
	snprintf(wanted, sizeof(wanted), "%s: No such file or directory", missing);
	assert_string_equal(diag.messages[0], wanted);
	snprintf(wanted, sizeof(wanted),
		 "%s:1:1: unknown key \"rulez\" in a policy file, did you mean \"rules\"?", bad);
	assert_string_equal(diag.messages[1], wanted);
	snprintf(wanted, sizeof(wanted), "%s:1:12: a service needs \"vendor\"", worse);
	assert_string_equal(diag.messages[2], wanted);
	diag_done(&diag);

	make_file(directory, "bad.yaml",
		  "providers:\n  entries:\n    - {service: antropic, verdict: sanctioned}\n");
	assert_int_equal(rules_load_from(NULL, &rules, paths + 1, 1, &diag), -EINVAL);
	assert_int_equal(diag.count, 1);
	snprintf(wanted, sizeof(wanted),
		 "%s:3:17: unknown service \"antropic\", did you mean \"anthropic\"?", bad);
	assert_string_equal(diag.messages[0], wanted);
	diag_done(&diag);
}

/* A command with its output thrown away. */
static int run(int (*command)(int argc, char **argv), const char *const *words)
{
	char *argv[8] = {0};
	int argc = 0, result, out, err;

	for (; words[argc]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc];
	fflush(stdout);
	fflush(stderr);
	out = dup(STDOUT_FILENO);
	err = dup(STDERR_FILENO);
	assert_non_null(freopen("/dev/null", "w", stdout));
	assert_non_null(freopen("/dev/null", "w", stderr));
	result = command(argc, argv);
	fflush(stdout);
	fflush(stderr);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	return result;
}

#define RUN(command, ...) run(command, (const char *const[]){__VA_ARGS__, NULL})

static void test_exit_codes(void **state)
{
	const char *directory = *state;
	char good[128], bad[128], failing[128];

	make_path(good, sizeof(good), directory, "good.yaml");
	make_path(bad, sizeof(bad), directory, "bad.yaml");
	make_path(failing, sizeof(failing), directory, "failing.yaml");
	make_file(directory, "good.yaml", "lists: {a: [b]}\n");
	make_file(directory, "bad.yaml", "list: {a: [b]}\n");
	make_file(directory, "failing.yaml",
		  "rules: [{id: A, name: n, when: user.name exists, severity: low,\n"
		  "  tests: [{event: {user.name: a}, expect: none}]}]\n");
	assert_int_equal(RUN(command_rules, "rules", "check", good), EXIT_CLEAN);
	assert_int_equal(RUN(command_rules, "rules", "check", good, bad), EXIT_ERROR);
	assert_int_equal(RUN(command_rules, "rules", "test", good), EXIT_CLEAN);
	assert_int_equal(RUN(command_rules, "rules", "test", failing), EXIT_FINDINGS);
	assert_int_equal(RUN(command_rules, "rules", "list", good), EXIT_CLEAN);
	assert_int_equal(RUN(command_rules, "rules", "--help"), EXIT_CLEAN);
	assert_int_equal(RUN(command_rules, "rules", "check", "--nope"), EXIT_USAGE);
	assert_int_equal(RUN(command_rules, "rules", "explain"), EXIT_USAGE);
	assert_int_equal(RUN(command_rules, "rules", "check", "--events", good), EXIT_USAGE);
	assert_int_equal(RUN(command_rules, "rules", "test", "--events"), EXIT_USAGE);
	assert_int_equal(RUN(command_rules, "rules", "test", "--fail-on", "x"), EXIT_USAGE);
	assert_int_equal(RUN(command_rules, "rules"), EXIT_USAGE);
	assert_int_equal(RUN(command_catalog, "catalog", "check", good), EXIT_CLEAN);
	assert_int_equal(RUN(command_catalog, "catalog", "check", bad), EXIT_ERROR);
	assert_int_equal(RUN(command_catalog, "catalog", "lookup", "api.openai.com"), EXIT_CLEAN);
	assert_int_equal(RUN(command_catalog, "catalog", "lookup", "www.example.org"),
			 EXIT_FINDINGS);
	assert_int_equal(RUN(command_catalog, "catalog", "lookup"), EXIT_USAGE);
	assert_int_equal(RUN(command_catalog, "catalog", "list"), EXIT_CLEAN);
	assert_int_equal(RUN(command_catalog, "catalog", "list", "x"), EXIT_USAGE);
	assert_int_equal(RUN(command_catalog, "catalog", "nope"), EXIT_USAGE);
	assert_int_equal(RUN(command_catalog, "catalog"), EXIT_USAGE);
}

static void test_agents(void **state)
{
	const char *directory = *state;
	struct rule_set rules = {0};
	struct diag diag = {0};
	size_t builtin;

	assert_int_equal(rules_load_from(directory, &rules, NULL, 0, &diag), 0);
	builtin = agents_count(rules.agents);
	assert_true(builtin >= 18);
	rule_set_done(&rules);
	make_directory(directory, "rules.d");
	make_directory(directory, "rules.d/agents");
	make_file(directory, "rules.d/agents/mine.yaml",
		  "agents: [{id: house-agent, vendor: Acme, executables: [house]}]\n");
	make_file(directory, "rules.d/hosts.yaml", "hosts: [studio]\n");
	make_file(directory, "policy.yaml",
		  "providers:\n  entries:\n    - {service: openai, verdict: sanctioned, agents: "
		  "[house-agent, codex, none]}\n");
	assert_int_equal(rules_load_from(directory, &rules, NULL, 0, &diag), 0);
	assert_int_equal(agents_count(rules.agents), builtin + 1);
	rule_set_done(&rules);
	/* a misspelt agent would never match, and nobody would know */
	make_file(directory, "policy.yaml",
		  "providers:\n  entries:\n    - {service: openai, verdict: sanctioned, agents: "
		  "[claude-cod]}\n");
	assert_int_equal(rules_load_from(directory, &rules, NULL, 0, &diag), -EINVAL);
	assert_int_equal(diag.count, 1);
	assert_non_null(strstr(diag.messages[0], ":3:55: unknown agent \"claude-cod\""));
	assert_non_null(strstr(diag.messages[0], "claude-code"));
	diag_done(&diag);
}

/* A deepseek call is a finding of medium severity. */
static void test_events(void **state)
{
	const char *directory = *state;
	char events[128], event[128], bad[128], both[128], good[128];

	make_path(events, sizeof(events), directory, "events");
	make_path(event, sizeof(event), directory, "event");
	make_path(bad, sizeof(bad), directory, "bad");
	make_path(both, sizeof(both), directory, "both");
	make_path(good, sizeof(good), directory, "good.yaml");
	make_file(directory, "good.yaml", "lists: {a: [b]}\n");
#define DEEPSEEK                                                                                   \
	"{\"event.action\":\"llm-request\",\"gnomon.service\":\"deepseek\","                       \
	"\"gnomon.service_kind\":\"model-api\"}"
	make_file(directory, "event", DEEPSEEK);
	make_file(directory, "events", DEEPSEEK "\n\n" DEEPSEEK "\n");
	make_file(directory, "bad", "{\n");
	make_file(directory, "both", "x\n" DEEPSEEK);
	assert_int_equal(RUN(command_rules, "rules", "explain", event, good), EXIT_CLEAN);
	assert_int_equal(RUN(command_rules, "rules", "explain", bad, good), EXIT_ERROR);
	assert_int_equal(RUN(command_rules, "rules", "explain", "/nonexistent", good), EXIT_ERROR);
	assert_int_equal(RUN(command_rules, "rules", "test", "--events", events, good),
			 EXIT_FINDINGS);
	assert_int_equal(
		RUN(command_rules, "rules", "test", good, "--fail-on=high", "--events", events),
		EXIT_CLEAN);
	assert_int_equal(RUN(command_rules, "rules", "test", "--events", bad, good), EXIT_ERROR);
	assert_int_equal(RUN(command_rules, "rules", "test", "--events", both, "--", good),
			 EXIT_FINDINGS_INCOMPLETE);
	assert_int_equal(RUN(command_rules, "rules", "test", "--events", "/nonexistent", good),
			 EXIT_ERROR);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_agents), TEST(test_built_in_alone), TEST(test_everything),
		TEST(test_errors), TEST(test_exit_codes),     TEST(test_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
