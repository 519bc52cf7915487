/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/condition.h"
#include "util/cleanup.h"

/* An event with some of everything; what is not set here is unknown. */
static void fill(struct event *event)
{
	static struct net_address ip = {4, {10, 1, 2, 3}};

	event_init(event);
	event_set_text(event, F_USER_NAME, "alice");
	event_set_text(event, F_VERDICT, "unsanctioned");
	event_set_text(event, F_GEN_AI_REQUEST_MODEL, "gpt-4o-mini");
	event_set_text(event, F_GEN_AI_RESPONSE_MODEL, "gpt-4o-mini");
	event_set_text(event, F_PROCESS_NAME, "");
	event_set_int(event, F_GEN_AI_INPUT_TOKENS, 1000);
	event_set_int(event, F_GEN_AI_OUTPUT_TOKENS, 50);
	event_set_double(event, F_COST_USD, 0.25);
	event_set_bool(event, F_GEN_AI_REQUEST_STREAM, true);
	event_set_bool(event, F_RELAY, false);
	event_set_ip(event, F_DESTINATION_IP, &ip);
	event_set_time(event, F_EVENT_START, 100);
	event_set_time(event, F_EVENT_END, 200);
	event_append(event, F_ANCESTORS, SPAN_LITERAL("bash"));
	event_append(event, F_ANCESTORS, SPAN_LITERAL("sshd"));
}

static const struct span people_items[] = {{"dave", 4}, {"alice", 5}, {"carol", 5}, {"bob", 3}};
static const struct span net_items[] = {{"192.168.0.0/16", 14}, {"10.0.0.0/8", 10}};
static const struct span number_items[] = {{"5", 1}, {"1000.0", 6}};
static const struct condition_list lists[] = {{{"nets", 4}, net_items, 2},
					      {{"numbers", 7}, number_items, 2},
					      {{"people", 6}, people_items, 4}};

static void expect(const char *text, enum tristate wanted)
{
	struct condition_error error = {0};
	struct arena arena = {0};
	struct condition *condition = condition_compile(&arena, span_str(text), &error);
	enum tristate got;
	struct event event;

	if (!condition)
		fail_msg("%s: %zu: %s", text, error.offset, error.message);
	if (condition_bind(condition, &arena, lists, ARRAY_SIZE(lists), &error) < 0)
		fail_msg("%s: %zu: %s", text, error.offset, error.message);
	fill(&event);
	got = condition_eval(condition, &event);
	if (got != wanted)
		fail_msg("%s: %d instead of %d", text, got, wanted);
	arena_done(&arena);
}

/* Wrong at the byte marked with ^ in `marks`, a line under the text. */
static void refuse(const char *text, const char *marks, const char *message)
{
	struct condition_error error = {0};
	struct arena arena = {0};
	struct condition *condition = condition_compile(&arena, span_str(text), &error);

	if (condition && condition_bind(condition, &arena, lists, ARRAY_SIZE(lists), &error) == 0)
		fail_msg("%s: was accepted", text);
	assert_string_equal(error.message, message);
	if (error.offset != strlen(marks) - 1)
		fail_msg("%s: error at %zu", text, error.offset);
	arena_done(&arena);
}

static void test_operators(void **state)
{
	(void)state;
	expect("user.name == \"alice\"", TRI_TRUE);
	expect("user.name == 'alice'", TRI_TRUE);
	expect("user.name == \"Alice\"", TRI_FALSE);
	expect("user.name != \"alice\"", TRI_FALSE);
	expect("user.name != \"bob\"", TRI_TRUE);
	expect("user.name startswith \"al\"", TRI_TRUE);
	expect("user.name startswith \"li\"", TRI_FALSE);
	expect("user.name endswith \"ice\"", TRI_TRUE);
	expect("user.name endswith \"ali\"", TRI_FALSE);
	expect("user.name contains \"lic\"", TRI_TRUE);
	expect("user.name contains \"lix\"", TRI_FALSE);
	expect("user.name contains \"\"", TRI_TRUE);
	expect("gen_ai.request.model matches \"gpt-4o*\"", TRI_TRUE);
	expect("gen_ai.request.model matches \"gpt-?o*\"", TRI_TRUE);
	expect("gen_ai.request.model matches \"gpt-4o\"", TRI_FALSE);
	expect("user.name in (\"bob\", \"alice\")", TRI_TRUE);
	expect("user.name in [\"bob\"]", TRI_FALSE);
	expect("user.name in $people", TRI_TRUE);
	expect("gnomon.verdict in $people", TRI_FALSE);
	expect("user.name exists", TRI_TRUE);
	expect("host.name exists", TRI_FALSE);
	/* an empty string leaves a field absent */
	expect("process.name exists", TRI_FALSE);
	expect("user.name == \"a\\\"b\"", TRI_FALSE);
}

static void test_numbers(void **state)
{
	(void)state;
	expect("gen_ai.usage.input_tokens > 999", TRI_TRUE);
	expect("gen_ai.usage.input_tokens > 1000", TRI_FALSE);
	expect("gen_ai.usage.input_tokens >= 1000", TRI_TRUE);
	expect("gen_ai.usage.input_tokens < 1000", TRI_FALSE);
	expect("gen_ai.usage.input_tokens <= 1000", TRI_TRUE);
	expect("gen_ai.usage.input_tokens < 1000.5", TRI_TRUE);
	expect("gen_ai.usage.input_tokens == 1e3", TRI_TRUE);
	expect("gen_ai.usage.input_tokens != -5", TRI_TRUE);
	expect("gnomon.cost.usd == 0.25", TRI_TRUE);
	expect("gnomon.cost.usd < 1", TRI_TRUE);
	expect("gen_ai.usage.input_tokens in (1, 1000)", TRI_TRUE);
	expect("gen_ai.usage.output_tokens in $numbers", TRI_FALSE);
	expect("gen_ai.usage.input_tokens in $numbers", TRI_TRUE);
	expect("gen_ai.usage.input_tokens > gen_ai.usage.output_tokens", TRI_TRUE);
	expect("gen_ai.usage.input_tokens > gnomon.cost.usd", TRI_TRUE);
}

static void test_other_types(void **state)
{
	(void)state;
	expect("gen_ai.request.stream", TRI_TRUE);
	expect("gnomon.relay", TRI_FALSE);
	expect("not gnomon.relay", TRI_TRUE);
	expect("gnomon.interim", TRI_UNKNOWN);
	expect("gen_ai.request.stream == true", TRI_TRUE);
	expect("gen_ai.request.stream != true", TRI_FALSE);
	expect("gen_ai.request.stream == gnomon.relay", TRI_FALSE);
	expect("destination.ip == \"10.1.2.3\"", TRI_TRUE);
	expect("destination.ip == \"10.0.0.0/8\"", TRI_TRUE);
	expect("destination.ip == \"10.1.2.0/31\"", TRI_FALSE);
	expect("destination.ip == \"10.1.2.2/31\"", TRI_TRUE);
	expect("destination.ip == \"::/0\"", TRI_FALSE);
	expect("destination.ip == \"0.0.0.0/0\"", TRI_TRUE);
	expect("destination.ip in (\"192.0.2.1\", \"10.1.2.3\")", TRI_TRUE);
	expect("destination.ip in $nets", TRI_TRUE);
	expect("source.ip in $nets", TRI_UNKNOWN);
	expect("gnomon.ancestors contains \"sshd\"", TRI_TRUE);
	expect("gnomon.ancestors contains \"ssh\"", TRI_FALSE);
	expect("gnomon.ancestors in (\"zsh\", \"bash\")", TRI_TRUE);
	expect("gnomon.ancestors in $people", TRI_FALSE);
	expect("user.name in gnomon.ancestors", TRI_FALSE);
	expect("user.name in related.user", TRI_UNKNOWN);
	expect("event.start < event.end", TRI_TRUE);
	expect("event.end <= event.start", TRI_FALSE);
	expect("gen_ai.request.model == gen_ai.response.model", TRI_TRUE);
	expect("gen_ai.request.model startswith user.name", TRI_FALSE);
	expect("gen_ai.request.model == gnomon.agent", TRI_UNKNOWN);
}

/* T, F and U stand for tests with that outcome; the table is Kleene's. */
#define T "user.name == \"alice\""
#define F "user.name == \"bob\""
#define U "host.name == \"x\""

static void test_three_values(void **state)
{
	static const struct {
		const char *text;
		enum tristate truth;
	} operands[] = {{T, TRI_TRUE}, {F, TRI_FALSE}, {U, TRI_UNKNOWN}};
	/* rows and columns in the order true, false, unknown */
	static const enum tristate and_table[3][3] = {{TRI_TRUE, TRI_FALSE, TRI_UNKNOWN},
						      {TRI_FALSE, TRI_FALSE, TRI_FALSE},
						      {TRI_UNKNOWN, TRI_FALSE, TRI_UNKNOWN}};
	static const enum tristate or_table[3][3] = {{TRI_TRUE, TRI_TRUE, TRI_TRUE},
						     {TRI_TRUE, TRI_FALSE, TRI_UNKNOWN},
						     {TRI_TRUE, TRI_UNKNOWN, TRI_UNKNOWN}};
	char text[256];

	(void)state;
	for (int a = 0; a < 3; a++) {
		for (int b = 0; b < 3; b++) {
			snprintf(text, sizeof(text), "%s and %s", operands[a].text,
				 operands[b].text);
			expect(text, and_table[a][b]);
			snprintf(text, sizeof(text), "%s or %s", operands[a].text,
				 operands[b].text);
			expect(text, or_table[a][b]);
		}
	}
	expect("not " T, TRI_FALSE);
	expect("not " F, TRI_TRUE);
	expect("not " U, TRI_UNKNOWN);
	/* absent is unknown for each operator, != too */
	expect("host.name != \"x\"", TRI_UNKNOWN);
	expect("host.name in (\"x\")", TRI_UNKNOWN);
	expect("host.name contains \"x\"", TRI_UNKNOWN);
	expect("host.name matches \"*\"", TRI_UNKNOWN);
	expect("process.pid > 1", TRI_UNKNOWN);
	expect("tags contains \"x\"", TRI_UNKNOWN);
	expect("not (host.name exists)", TRI_TRUE);
}

static void test_precedence(void **state)
{
	(void)state;
	expect(T " or " T " and " F, TRI_TRUE);
	expect("(" T " or " T ") and " F, TRI_FALSE);
	expect("not " F " and " F, TRI_FALSE);
	expect("not (" F " and " F ")", TRI_TRUE);
	expect("not not " T, TRI_TRUE);
	expect(F " and " F " or " T, TRI_TRUE);
	expect(F " or " F " or " T " and " T, TRI_TRUE);
	expect(F " and " T " and " U " or " U " and " F, TRI_FALSE);
	expect("  (  " T "\n\tor " F ") ", TRI_TRUE);
	/* what one branch skips is not skipped for the next */
	expect(T " and (" F " or " U ") or " T, TRI_TRUE);
	expect(F " and (" T " or " T ") or " F " or " U, TRI_UNKNOWN);
}

static void test_errors(void **state)
{
	(void)state;
	refuse("", "^", "the condition is empty");
	refuse("  ", "^", "the condition is empty");
	refuse("user.nam == \"x\"", "^", "unknown field \"user.nam\", did you mean \"user.name\"?");
	refuse("verdict == \"x\"", "^",
	       "unknown field \"verdict\", did you mean \"gnomon.verdict\"?");
	refuse("user.name == unsanctionedly", "             ^",
	       "unknown field \"unsanctionedly\", a string needs quotes");
	refuse("user.name == \"x", "             ^", "the string does not end");
	refuse("user.name == \"a\\n\"", "               ^",
	       "only \\\\, \\\" and \\' may follow a backslash");
	refuse("user.name = \"x\"", "          ^", "unexpected '=', equality is \"==\"");
	refuse("user.name exists && host.name exists", "                 ^",
	       "unexpected '&', write \"and\", \"or\" or \"not\"");
	refuse("user.name == 5", "             ^",
	       "user.name is a string and does not compare with a number");
	refuse("process.pid == \"5\"", "               ^",
	       "process.pid is a number and does not compare with a string");
	refuse("process.pid == true", "               ^",
	       "process.pid is a number and does not compare with true or false");
	refuse("process.pid == user.name", "               ^",
	       "process.pid is a number and does not compare with a string");
	refuse("event.start > 5", "              ^",
	       "event.start is a time, which compares with other time fields only");
	refuse("user.name > \"x\"", "          ^", "user.name is a string, which has no order");
	refuse("tags == \"x\"", "^", "tags is a list: use \"contains\" or \"in\"");
	refuse("process.pid contains \"x\"", "            ^",
	       "\"contains\" needs a string or a list, process.pid is a number");
	refuse("tags startswith \"x\"", "     ^", "\"startswith\" needs a string, tags is a list");
	refuse("destination.ip == \"10.0.0\"", "                  ^",
	       "\"10.0.0\" is no address or network");
	refuse("destination.ip == \"10.0.0.0/33\"", "                  ^",
	       "\"10.0.0.0/33\" is no address or network");
	refuse("user.name in \"x\"", "             ^",
	       "expected ( values ), a $list or a list field");
	refuse("user.name in ()", "              ^", "expected a value");
	refuse("user.name in (\"a\" \"b\")", "                  ^", "expected ',' or ')'");
	refuse("user.name in (\"a\"]", "                 ^", "expected ',' or ')'");
	refuse("user.name in (\"a\", 5)", "                   ^",
	       "user.name is a string and does not compare with a number");
	refuse("user.name in host.name", "             ^", "expected a list");
	refuse("gnomon.relay in (true)", "                ^",
	       "gnomon.relay is true or false, which \"in\" does not take");
	refuse("user.name in $peopl", "             ^",
	       "unknown list \"peopl\", did you mean \"people\"?");
	refuse("user.name in $", "             ^", "a '$' needs the name of a list");
	refuse("process.pid in $people", "               ^",
	       "\"dave\" of the list \"people\" is no number for process.pid");
	refuse("user.name == $people", "             ^", "a list stands behind \"in\" only");
	refuse("(user.name exists", "                 ^", "expected ')'");
	refuse("user.name exists)", "                ^", "expected \"and\", \"or\" or the end");
	refuse("user.name exists host.name exists", "                 ^",
	       "expected \"and\", \"or\" or the end");
	refuse("user.name exists and", "                    ^", "the condition ends too early");
	refuse("user.name ==", "            ^", "the condition ends too early");
	refuse("user.name", "         ^", "expected an operator behind user.name");
	refuse("\"x\" == user.name", "^", "expected a field");
	refuse("process.pid > 99999999999999999999", "              ^",
	       "not a number that can be used: 99999999999999999999");
	refuse("process.pid > 10m", "              ^", "not a number that can be used: 10m");
	refuse("user.name == \"x\" # y", "                 ^", "unexpected '#'");
}

static void test_limits(void **state)
{
	char text[CONDITION_BYTES_MAX + 2] = "";
	struct condition_error error;
	struct arena arena = {0};
	size_t n;

	(void)state;
	n = CONDITION_DEPTH_MAX;
	memset(text, '(', n);
	strcpy(text + n, "user.name exists");
	memset(text + strlen(text), ')', n);
	expect(text, TRI_TRUE);
	memmove(text + 1, text, strlen(text) + 1);
	strcat(text, ")");
	assert_null(condition_compile(&arena, span_str(text), &error));
	assert_string_equal(error.message, "nested too deeply");
	assert_int_equal(error.offset, CONDITION_DEPTH_MAX);

	memset(text, ' ', sizeof(text) - 1);
	assert_null(condition_compile(&arena, span_of(text, sizeof(text) - 1), &error));
	assert_string_equal(error.message, "the condition is too long");
	arena_done(&arena);
}

/* The deepest stack there can be: at each level an `or` and an `and` wait for the next. */
static void test_deepest_stack(void **state)
{
	char text[CONDITION_BYTES_MAX] = "";

	(void)state;
	for (int i = 0; i < CONDITION_DEPTH_MAX; i++)
		strcat(text, U " or " U " and (");
	strcat(text, U " or " U " and " T);
	for (int i = 0; i < CONDITION_DEPTH_MAX; i++)
		strcat(text, ")");
	expect(text, TRI_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operators),   cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_other_types), cmocka_unit_test(test_three_values),
		cmocka_unit_test(test_precedence),  cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),      cmocka_unit_test(test_deepest_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
