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
static const struct span glob_items[] = {{"bo*", 3}, {"a*e", 3}};
static struct span many_items[GLOBS_PER_TEST_MAX + 1];
static const struct condition_list lists[] = {{{"globs", 5}, glob_items, 2},
					      {{"many", 4}, many_items, ARRAY_SIZE(many_items)},
					      {{"nets", 4}, net_items, 2},
					      {{"numbers", 7}, number_items, 2},
					      {{"people", 6}, people_items, 4}};

/* Binding fills the lists in from the arena: each time it wants them fresh. */
static int bind_fresh(struct condition *condition, struct arena *arena,
		      const struct condition_macro *macros, size_t count,
		      struct condition_error *error)
{
	struct condition_list *copy = arena_array(arena, ARRAY_SIZE(lists), sizeof(*copy));
	struct condition_names names = {copy, ARRAY_SIZE(lists), macros, count};

	memcpy(copy, lists, sizeof(lists));
	return condition_bind(condition, arena, &names, error);
}

static void expect(const char *text, enum tristate wanted)
{
	struct condition_error error = {0};
	struct arena arena = {0};
	struct condition *condition = condition_compile(&arena, span_str(text), &error);
	enum tristate got;
	struct event event;

	if (!condition)
		fail_msg("%s: %zu: %s", text, error.offset, error.message);
	if (bind_fresh(condition, &arena, NULL, 0, &error) < 0)
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

	if (condition && bind_fresh(condition, &arena, NULL, 0, &error) == 0)
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
	expect("destination.ip cidr \"10.0.0.0/8\"", TRI_TRUE);
	expect("destination.ip cidr \"192.168.0.0/16\"", TRI_FALSE);
	expect("destination.ip cidr (\"192.168.0.0/16\", \"10.1.2.3\")", TRI_TRUE);
	expect("destination.ip cidr $nets", TRI_TRUE);
	expect("source.ip cidr $nets", TRI_UNKNOWN);
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
	refuse("user.name in [\"a\")", "                 ^", "expected ',' or ']'");
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
	refuse("user.name == $people", "             ^",
	       "a $list stands behind \"in\", \"matches\" and \"cidr\" only");
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

/* One of several globs, of a string or of a list's items. */
static void test_globs(void **state)
{
	(void)state;
	expect("user.name matches (\"bo*\", \"al?ce\")", TRI_TRUE);
	expect("user.name matches [\"bo*\", \"alic\"]", TRI_FALSE);
	expect("user.name matches $globs", TRI_TRUE);
	expect("gnomon.verdict matches $globs", TRI_FALSE);
	expect("host.name matches $globs", TRI_UNKNOWN);
	expect("not (host.name matches (\"*\"))", TRI_UNKNOWN);
	expect("gnomon.ancestors matches \"ss*\"", TRI_TRUE);
	expect("gnomon.ancestors matches \"*as*\"", TRI_TRUE);
	expect("gnomon.ancestors matches \"ss\"", TRI_FALSE);
	expect("gnomon.ancestors matches (\"zsh*\", \"*sh\")", TRI_TRUE);
	expect("gnomon.ancestors matches $globs", TRI_FALSE);
	expect("tags matches \"*\"", TRI_UNKNOWN);
	/* one that stands for itself is no different */
	expect("user.name matches \"alice\"", TRI_TRUE);
	expect("user.name matches gnomon.verdict", TRI_FALSE);
}

static void test_glob_errors(void **state)
{
	char text[8 * GLOBS_PER_TEST_MAX];
	size_t n;

	(void)state;
	refuse("user.name matches ()", "                   ^", "expected a value");
	refuse("user.name matches (5)", "                   ^",
	       "user.name is a string and does not compare with a number");
	refuse("process.pid matches (\"5\")", "            ^",
	       "\"matches\" needs a string or a list, process.pid is a number");
	refuse("tags matches 5", "             ^", "expected a glob, ( globs ) or a $list");
	refuse("user.name matches $glob", "                  ^",
	       "unknown list \"glob\", did you mean \"globs\"?");
	refuse("user.name matches $many", "                  ^",
	       "the list \"many\" has 257 items, \"matches\" takes at most 256");
	n = (size_t)snprintf(text, sizeof(text), "user.name matches (\"alice\"");
	for (int i = 1; i < GLOBS_PER_TEST_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ",\"*\"");
	strcpy(text + n, ")");
	expect(text, TRI_TRUE);
	strcpy(text + n, ",\"x\")");
	refuse(text, "                  ^", "\"matches\" takes at most 256 globs");
}

static void test_cidr_errors(void **state)
{
	(void)state;
	refuse("destination.ip cidr \"x\"", "                    ^",
	       "\"x\" is no address or network");
	refuse("destination.ip cidr 5", "                    ^",
	       "destination.ip is an address and does not compare with a number");
	refuse("destination.ip cidr $people", "                    ^",
	       "\"dave\" of the list \"people\" is no address for destination.ip");
	refuse("user.name cidr \"10.0.0.0/8\"", "          ^",
	       "\"cidr\" needs an address, user.name is a string");
}

/* Compiles a macro and binds it to those before it. */
static void add_macro(struct arena *arena, struct condition_macro *macros, size_t count,
		      const char *name, const char *text)
{
	struct condition_error error;

	macros[count].name = span_str(name);
	macros[count].condition = condition_compile(arena, span_str(text), &error);
	assert_non_null(macros[count].condition);
}

/* Binds and settles all macros and then the text; its error, or its truth with "". */
static enum tristate with_macros(struct arena *arena, const struct condition_macro *macros,
				 size_t count, const char *text, struct condition_error *error)
{
	struct condition *condition = condition_compile(arena, span_str(text), error);
	struct event event;

	assert_non_null(condition);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(bind_fresh(macros[i].condition, arena, macros, count, error), 0);
	if (bind_fresh(condition, arena, macros, count, error) ||
	    condition_settle(condition, error))
		return TRI_UNKNOWN;
	error->message[0] = '\0';
	fill(&event);
	return condition_eval(condition, &event);
}

static void test_macros(void **state)
{
	struct condition_macro macros[MACRO_DEPTH_MAX + 4];
	struct condition_error error;
	struct arena arena = {0};
	char name[32], text[32];
	size_t n = 0;

	(void)state;
	add_macro(&arena, macros, n++, "big", "gen_ai.usage.input_tokens > 500");
	add_macro(&arena, macros, n++, "both", "big and ours");
	add_macro(&arena, macros, n++, "ours", "user.name in $people");
	assert_int_equal(with_macros(&arena, macros, n, "both", &error), TRI_TRUE);
	assert_int_equal(with_macros(&arena, macros, n, "not both or (big)", &error), TRI_TRUE);
	assert_int_equal(with_macros(&arena, macros, n, "ours and user.name == 'bob'", &error),
			 TRI_FALSE);
	assert_string_equal(error.message, "");
	with_macros(&arena, macros, n, "user.name exists and bigg", &error);
	assert_string_equal(error.message,
			    "unknown field or macro \"bigg\", did you mean \"big\"?");
	assert_int_equal(error.offset, 21);

	n = 0;
	add_macro(&arena, macros, n++, "a", "user.name exists or b");
	add_macro(&arena, macros, n++, "b", "not a");
	with_macros(&arena, macros, n, "a", &error);
	assert_string_equal(error.message, "the macro \"a\" leads back to itself");
	assert_int_equal(error.offset, 0);

	/* m0 uses m1, and so on: the deepest that is taken, and one more */
	for (size_t depth = MACRO_DEPTH_MAX; depth <= MACRO_DEPTH_MAX + 1; depth++) {
		for (n = 0; n < depth; n++) {
			snprintf(name, sizeof(name), "m%zu", n);
			snprintf(text, sizeof(text), n + 1 < depth ? "m%zu" : "user.name exists",
				 n + 1);
			add_macro(&arena, macros, n, arena_string(&arena, span_str(name)),
				  arena_string(&arena, span_str(text)));
		}
		with_macros(&arena, macros, n, "m0", &error);
		assert_string_equal(error.message,
				    depth > MACRO_DEPTH_MAX ? "macros are nested too deeply" : "");
	}
	arena_done(&arena);
}

/* Each macro uses the next eight times: small as text, large when it is written out. */
static void test_macro_weight(void **state)
{
	static const char *const texts[] = {
		"b and b and b and b and b and b and b and b",
		"c and c and c and c and c and c and c and c",
		"d and d and d and d and d and d and d and d",
		"e and e and e and e and e and e and e and e",
		"f and f and f and f and f and f and f and f",
		"user.name exists",
	};
	static const char *const macro_names[] = {"a", "b", "c", "d", "e", "f"};
	struct condition_macro macros[6];
	struct condition_error error;
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < 6; i++)
		add_macro(&arena, macros, i, macro_names[i], texts[i]);
	assert_int_equal(with_macros(&arena, macros, 6, "c", &error), TRI_TRUE);
	with_macros(&arena, macros, 6, "user.name exists and a", &error);
	assert_string_equal(error.message, "the condition is too long with its macros");
	assert_int_equal(error.offset, 21);
	arena_done(&arena);
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
		cmocka_unit_test(test_operators),     cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_other_types),   cmocka_unit_test(test_three_values),
		cmocka_unit_test(test_precedence),    cmocka_unit_test(test_errors),
		cmocka_unit_test(test_globs),         cmocka_unit_test(test_glob_errors),
		cmocka_unit_test(test_cidr_errors),   cmocka_unit_test(test_macros),
		cmocka_unit_test(test_macro_weight),  cmocka_unit_test(test_limits),
		cmocka_unit_test(test_deepest_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
