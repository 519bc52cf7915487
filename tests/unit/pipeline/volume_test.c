/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "volume/replay.h"

/* How many alerts a fleet gives, and that each says what it has to: tests/volume/. */

/* What is promised of the second week, an endpoint and day. */
#define PROMISE 0.2

/* The sanitizers make a replay twenty times as slow, and look at each line all the same. */
#ifdef __SANITIZE_ADDRESS__
#define ENDPOINTS 60
#else
#define ENDPOINTS 1000
#endif

static void test_volume(void **state)
{
	struct replay replay;

	(void)state;
	assert_int_equal(replay_open(&replay, ENDPOINTS, 1, 1), 0);
	replay_run(&replay);
	replay_print(&replay, "# ");
	fflush(stdout);
	assert_int_equal(replay.wrong, 0);
	assert_int_equal(replay.lost, 0);
	assert_true(replay_rate(&replay, 1) <= PROMISE);
	/* a fleet that gives none would prove nothing */
	assert_true(replay.alerts[1] > ENDPOINTS / 10);
	assert_true(replay.events[1] > ENDPOINTS * (size_t)100);
	replay_close(&replay);
}

static size_t alerts_of(unsigned int endpoints, uint64_t seed)
{
	struct replay replay;
	size_t alerts;

	assert_int_equal(replay_open(&replay, endpoints, seed, 1), 0);
	replay_run(&replay);
	alerts = replay.alerts[0] * 100000 + replay.alerts[1];
	replay_close(&replay);
	return alerts;
}

static void test_deterministic(void **state)
{
	(void)state;
	assert_int_equal(alerts_of(20, 7), alerts_of(20, 7));
	assert_int_not_equal(alerts_of(20, 7), alerts_of(20, 8));
}

/* The check itself: an alert that leaves one thing out is found. */
static void test_lacks(void **state)
{
	static const struct {
		const char *message, *reference, *lacks;
	} cases[] = {
		{"Rule: curl (bob) sent 5 bytes to groq: why", "rules/runbook/GN-1001.md", NULL},
		{"Other: curl (bob) sent 5 bytes to groq: why", "rules/runbook/GN-1001.md",
		 "which rule"},
		{"Rule: wget (bob) sent 5 bytes to groq: why", "rules/runbook/GN-1001.md",
		 "who: the process"},
		{"Rule: curl sent 5 bytes to groq: why", "rules/runbook/GN-1001.md",
		 "who: the user"},
		{"Rule: curl (bob) sent 5 bytes: why", "rules/runbook/GN-1001.md", "what"},
		{"Rule: curl (bob) sent something to groq: why", "rules/runbook/GN-1001.md",
		 "how much"},
		{"Rule: curl (bob) sent 5 bytes to groq", "rules/runbook/GN-1001.md", "why"},
		{"Rule: curl (bob) sent 5 bytes to groq: ", "rules/runbook/GN-1001.md", "why"},
		{"Rule: curl (bob) sent 5 bytes to groq: why", "rules/runbook/GN-0.md",
		 "what to do"},
		{"Rule: curl (bob) sent 5 bytes to groq: why", "README.md", "what to do"},
		{"Rule: curl (bob) sent 5 bytes to groq: why", NULL, "what to do"},
	};
	struct event alert;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *lacks;

		event_init(&alert);
		event_set_text(&alert, F_RULE_NAME, "Rule");
		event_set_text(&alert, F_PROCESS_NAME, "curl");
		event_set_text(&alert, F_USER_NAME, "bob");
		event_set_text(&alert, F_SERVICE, "groq");
		event_set_text(&alert, F_MESSAGE, cases[i].message);
		event_set_text(&alert, F_RULE_REFERENCE, cases[i].reference);
		lacks = replay_lacks(&alert);
		if (cases[i].lacks)
			assert_string_equal(lacks ? lacks : "nothing", cases[i].lacks);
		else
			assert_null(lacks);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_volume),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
