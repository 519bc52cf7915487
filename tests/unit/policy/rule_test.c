/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/times.h"
#include "unit/policy/policies.h"

/* What a rule is made of besides its condition. */

#define RULE_HEAD(id) "  - id: " id "\n    name: N\n    severity: low\n"
#define ANY           "    when: gnomon.service exists\n"

static size_t matches(const struct policy *policy, const struct event *event,
		      struct finding *finding)
{
	struct finding found[4];
	size_t n = policy_match(policy, NULL, event, found, 4);

	if (n && finding)
		*finding = found[0];
	return n;
}

static void test_modes(void **state)
{
	struct policy *policy = make("rules:\n" RULE_HEAD("A") ANY "    mode: off\n" RULE_HEAD("B")
					     ANY "    mode: observe\n");
	struct policy_rule_info info;
	struct finding finding = {0};
	struct event event;

	(void)state;
	call(&event, "openai", "model-api");
	assert_int_equal(matches(policy, &event, &finding), 1);
	assert_string_equal(finding.rule_id, "B");
	assert_true(finding.observe);
	assert_int_equal(policy_rules(policy), 2);
	policy_rule(policy, 0, &info);
	assert_string_equal(info.mode, "off");
	policy_rule(policy, 1, &info);
	assert_string_equal(info.mode, "observe");
	policy_free(policy);
	REFUSE("rules:\n" RULE_HEAD("A") ANY "    mode: aler\n",
	       "f:6:11: unknown mode \"aler\", did you mean \"alert\"?");
	REFUSE("rules:\n" RULE_HEAD("A") ANY "    enabled: false\n",
	       "f:6:5: unknown key \"enabled\" in a rule");
}

static void test_override(void **state)
{
	struct policy *policy = policy_new();
	struct finding finding = {0};
	struct event event;

	(void)state;
	add(policy, "first", "rules:\n" RULE_HEAD("A") ANY RULE_HEAD("B") ANY "    mode: off\n");
	add(policy, "second",
	    "rules:\n  - {override: A, severity: high, mode: observe}\n"
	    "  - {override: B, mode: alert}\n");
	add(policy, "third",
	    "rules:\n  - {override: A, mode: alert, exceptions: [{user.name: alice}]}\n"
	    "  - {override: B, exceptions: [{user.name: alice}]}\n");
	seal(policy);
	call(&event, "openai", "model-api");
	assert_int_equal(matches(policy, &event, &finding), 2);
	assert_string_equal(finding.rule_id, "A");
	assert_int_equal(finding.severity, SEVERITY_HIGH);
	assert_false(finding.observe);
	event_set_text(&event, F_USER_NAME, "alice");
	assert_int_equal(matches(policy, &event, NULL), 0);
	policy_free(policy);

	REFUSE_SEAL("rules:\n" RULE_HEAD("GN-1001") ANY "  - {override: GN-1002, mode: off}\n",
		    "f:6:16: no rule \"GN-1002\" to override, did you mean \"GN-1001\"?");
	REFUSE("rules:\n  - {override: A}\n", "f:2:5: an override needs something to change");
	REFUSE("rules:\n  - {override: A, when: user.name exists}\n",
	       "f:2:19: unknown key \"when\" in an override");
	REFUSE("rules:\n  - {override: '', mode: off}\n", "f:2:16: empty, or holds a NUL");
}

static void test_atlas(void **state)
{
	struct policy *policy = make("rules:\n" RULE_HEAD("A") ANY
				     "    tags: [x]\n"
				     "    atlas: [AML.T0025, AML.T0112.000]\n");
	struct finding finding = {0};
	struct event event;

	(void)state;
	call(&event, "openai", "model-api");
	assert_int_equal(matches(policy, &event, &finding), 1);
	assert_int_equal(finding.tag_count, 3);
	assert_true(span_eq(finding.tags[0], SPAN_LITERAL("x")));
	assert_true(span_eq(finding.tags[1], SPAN_LITERAL("atlas.AML.T0025")));
	assert_true(span_eq(finding.tags[2], SPAN_LITERAL("atlas.AML.T0112.000")));
	policy_free(policy);
	REFUSE("rules:\n" RULE_HEAD("A") ANY "    atlas: [T0025]\n",
	       "f:6:13: \"T0025\" is no ATLAS technique (AML.T0025, AML.T0112.000)");
}

static void test_macros(void **state)
{
	struct policy *policy = policy_new();
	struct event event;

	(void)state;
	/* of another file, and defined behind its use */
	add(policy, "a", "rules:\n" RULE_HEAD("A") "    when: big and not ours\n");
	add(policy, "b",
	    "macros:\n  ours: gnomon.service == \"openai\"\n"
	    "  big: gen_ai.usage.input_tokens > 100\n");
	seal(policy);
	call(&event, "mistral", "model-api");
	event_set_int(&event, F_GEN_AI_INPUT_TOKENS, 101);
	assert_int_equal(matches(policy, &event, NULL), 1);
	call(&event, "openai", "model-api");
	event_set_int(&event, F_GEN_AI_INPUT_TOKENS, 101);
	assert_int_equal(matches(policy, &event, NULL), 0);
	policy_free(policy);

	REFUSE("macros: {a b: user.name exists, tags: tags exists, c: [x], d: user.nam exists}\n",
	       "f:1:10: a name is letters, digits, '_' or '-', at most 63, and no field's",
	       "f:1:33: a name is letters, digits, '_' or '-', at most 63, and no field's",
	       "f:1:55: must be a condition",
	       "f:1:63: unknown field \"user.nam\", did you mean \"user.name\"?");
	REFUSE_SEAL("macros:\n  a: b or user.name exists\n  b: not a\nrules:\n" RULE_HEAD("A") ANY,
		    "f:2:6: the macro \"a\" leads back to itself");
	REFUSE_SEAL("macros: {bg: user.name in $x}\nrules:\n" RULE_HEAD("A") "    when: big\n",
		    "f:1:27: unknown list \"x\"",
		    "f:6:11: unknown field or macro \"big\", did you mean \"bg\"?");
	policy = policy_new();
	add(policy, "one", "macros: {x: user.name exists}\n");
	add(policy, "two", "macros: {x: host.name exists}\n");
	{
		struct diag diag = {0};

		assert_int_equal(policy_seal(policy, &diag), -EINVAL);
		assert_string_equal(diag.messages[0],
				    "two:1:10: macro \"x\" is already defined at one:1");
		diag_done(&diag);
	}
	policy_free(policy);
}

static void test_exceptions(void **state)
{
	static const struct net_address inside = {4, {10, 1, 2, 3}}, outside = {4, {192, 0, 2, 1}};
	struct policy *policy = make("lists: {pilots: [erin, frank]}\nrules:\n" RULE_HEAD(
		"A") ANY "    exceptions:\n"
			 "      - {user.name: [dave, svc-*], gnomon.service: mistral, reason: r}\n"
			 "      - {destination.ip: 10.0.0.0/8}\n"
			 "      - {user.name: $pilots}\n"
			 "      - {process.pid: [5, 6], gen_ai.request.stream: true}\n"
			 "      - {tags: ci*}\n");
	struct event event;

	(void)state;
	call(&event, "mistral", "model-api");
	assert_int_equal(matches(policy, &event, NULL), 1);
	event_set_text(&event, F_USER_NAME, "dave");
	assert_int_equal(matches(policy, &event, NULL), 0);
	event_set_text(&event, F_USER_NAME, "svc-backup");
	assert_int_equal(matches(policy, &event, NULL), 0);
	event_set_text(&event, F_USER_NAME, "davy");
	assert_int_equal(matches(policy, &event, NULL), 1);

	/* every field of the tuple has to fit, and an absent one does not */
	call(&event, "openai", "model-api");
	event_set_text(&event, F_USER_NAME, "dave");
	assert_int_equal(matches(policy, &event, NULL), 1);
	event_set_ip(&event, F_DESTINATION_IP, &outside);
	assert_int_equal(matches(policy, &event, NULL), 1);
	event_set_ip(&event, F_DESTINATION_IP, &inside);
	assert_int_equal(matches(policy, &event, NULL), 0);

	call(&event, "openai", "model-api");
	event_set_text(&event, F_USER_NAME, "frank");
	assert_int_equal(matches(policy, &event, NULL), 0);

	call(&event, "openai", "model-api");
	event_set_int(&event, F_PROCESS_PID, 6);
	assert_int_equal(matches(policy, &event, NULL), 1);
	event_set_bool(&event, F_GEN_AI_REQUEST_STREAM, true);
	assert_int_equal(matches(policy, &event, NULL), 0);
	event_set_int(&event, F_PROCESS_PID, 7);
	assert_int_equal(matches(policy, &event, NULL), 1);
	event_append(&event, F_TAGS, SPAN_LITERAL("ci-runner"));
	assert_int_equal(matches(policy, &event, NULL), 0);
	policy_free(policy);
}

static void test_exception_until(void **state)
{
	struct policy *policy = make("rules:\n" RULE_HEAD("A") ANY
				     "    exceptions: [{user.name: dave, until: 2026-12-31, "
				     "reason: pilot, ticket: T-1}]\n");
	struct event event;
	uint64_t end;

	(void)state;
	assert_int_equal(date_parse_end(SPAN_LITERAL("2026-12-31"), &end), 0);
	call(&event, "openai", "model-api");
	event_set_text(&event, F_USER_NAME, "dave");
	event_set_time(&event, F_TIMESTAMP, end - 1);
	assert_int_equal(matches(policy, &event, NULL), 0);
	event_set_time(&event, F_TIMESTAMP, end);
	assert_int_equal(matches(policy, &event, NULL), 1);
	policy_free(policy);
}

static void test_exception_errors(void **state)
{
	(void)state;
#define EXCEPTIONS(text) "rules:\n" RULE_HEAD("A") ANY "    exceptions:\n" text
	REFUSE(EXCEPTIONS("      - {user.nam: dave}\n      - {until: 2026-12-31}\n      - dave\n"),
	       "f:7:10: unknown field \"user.nam\", did you mean \"user.name\"?",
	       "f:7:9: an exception needs a field, else the rule never fires",
	       "f:8:9: an exception needs a field, else the rule never fires",
	       "f:9:9: an exception must be a mapping of fields to values");
	REFUSE(EXCEPTIONS("      - {user.name: []}\n      - {user.name: {a: b}}\n"
			  "      - {user.name: ['$x', '']}\n"),
	       "f:7:21: the list is empty", "f:8:21: must be a value, or a list of values",
	       "f:8:9: an exception needs a field, else the rule never fires",
	       "f:9:22: a $list stands alone", "f:9:28: must be a value, or a list of values");
	REFUSE(EXCEPTIONS("      - {process.pid: x}\n      - {destination.ip: 10.0.0}\n"
			  "      - {gnomon.relay: maybe}\n"),
	       "f:7:23: \"x\" is no number for process.pid",
	       "f:8:26: \"10.0.0\" is no address or network for destination.ip",
	       "f:9:24: \"maybe\" is no true or false for gnomon.relay");
	REFUSE(EXCEPTIONS("      - {event.start: 5, user.name: x}\n"
			  "      - {user.name: x, until: soon, reason: ''}\n"),
	       "f:7:10: event.start is a time, which an exception cannot name",
	       "f:8:31: a date is written 2026-12-31", "f:8:45: empty, or holds a NUL");
	REFUSE_SEAL(EXCEPTIONS("      - {user.name: $nobody}\n"), "f:7:9: unknown list \"nobody\"");
}

static void test_hours(void **state)
{
	struct policy *policy = make(
		"rules:\n" RULE_HEAD("IN") ANY
		"    hours: mon-fri 08:00-18:00 utc\n" RULE_HEAD("OUT") ANY
		"    outside_hours: [mon-fri 08:00-18:00 utc, sat 09:00-12:00 utc]\n");
	static const struct {
		const char *moment, *rule;
	} cases[] = {{"mon 09:00 utc", "IN"}, {"mon 19:00 utc", "OUT"}, {"sat 13:00 utc", "OUT"}};
	struct finding finding = {0};
	struct event event;
	uint64_t now;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(moment_parse(span_str(cases[i].moment), &now));
		call(&event, "openai", "model-api");
		event_set_time(&event, F_TIMESTAMP, now);
		assert_int_equal(matches(policy, &event, &finding), 1);
		assert_string_equal(finding.rule_id, cases[i].rule);
	}
	assert_null(moment_parse(SPAN_LITERAL("sat 10:00 utc"), &now));
	call(&event, "openai", "model-api");
	event_set_time(&event, F_TIMESTAMP, now);
	assert_int_equal(matches(policy, &event, NULL), 0);
	policy_free(policy);
	REFUSE("rules:\n" RULE_HEAD("A") ANY "    hours: [mo 08:00-18:00]\n    outside_hours: []\n",
	       "f:7:20: there is either \"hours\" or \"outside_hours\"",
	       "f:6:13: a day is one of mon tue wed thu fri sat sun");
	REFUSE("rules:\n" RULE_HEAD("A") ANY "    hours: []\n", "f:6:12: the list is empty");
}

struct outcome {
	size_t count, fired;
};

static void see(void *ctx, const struct policy_test_result *result)
{
	struct outcome *outcome = ctx;

	outcome->count++;
	outcome->fired += result->fired;
}

/* The tests of a rule that others turned off or made exceptions of say what they said before. */
static void test_overridden_tests(void **state)
{
	struct policy *policy = policy_new();
	struct outcome outcome = {0};

	(void)state;
	add(policy, "base",
	    "rules:\n" RULE_HEAD("A") ANY
	    "    outside_hours: mon-fri 08:00-18:00\n"
	    "    tests:\n"
	    "      - {event: {gnomon.service: x, user.name: dave}, at: mon 22:00, expect: alert}\n"
	    "      - {event: {gnomon.service: x, user.name: dave}, at: mon 12:00, expect: none}\n");
	add(policy, "ours",
	    "rules:\n  - override: A\n    mode: off\n    exceptions: [{user.name: dave}]\n"
	    "    tests:\n"
	    "      - {event: {gnomon.service: x, user.name: dave}, at: mon 22:00, expect: none}\n"
	    "      - {event: {gnomon.service: x, user.name: eve}, at: mon 22:00, expect: alert}\n");
	seal(policy);
	assert_int_equal(test_embedded_of(policy, see, &outcome), 0);
	assert_int_equal(outcome.count, 4);
	assert_int_equal(outcome.fired, 2);
	policy_free(policy);
	REFUSE("rules:\n" RULE_HEAD("A") ANY "    tests: [{event: {}, expect: none, at: noon}]\n",
	       "f:6:43: a moment is written \"mon 22:15\" or \"mon 22:15 utc\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_override),
		cmocka_unit_test(test_atlas),
		cmocka_unit_test(test_macros),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_exception_until),
		cmocka_unit_test(test_exception_errors),
		cmocka_unit_test(test_hours),
		cmocka_unit_test(test_overridden_tests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
