/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "util/cleanup.h"
#include "util/event_text.h"

static void expect(const struct event *event, enum field field, const char *wanted)
{
	char text[EVENT_VALUE_TEXT_MAX];

	event_value_text(text, event, field);
	assert_string_equal(text, wanted);
}

static void test_types(void **state)
{
	static const struct net_address ip = {4, {192, 0, 2, 1}};
	struct event event;

	(void)state;
	event_init(&event);
	event_set_text(&event, F_USER_NAME, "al\x1b[1mice");
	event_set_int(&event, F_PROCESS_PID, -5);
	event_set_double(&event, F_COST_USD, 0.25);
	event_set_bool(&event, F_RELAY, true);
	event_set_bool(&event, F_INTERIM, false);
	event_set_time(&event, F_EVENT_START, UINT64_C(1787393702413000000));
	event_set_ip(&event, F_SOURCE_IP, &ip);
	event_append(&event, F_TAGS, SPAN_LITERAL("a"));
	event_append(&event, F_TAGS, SPAN_LITERAL("b c"));
	expect(&event, F_USER_NAME, "\"al\xef\xbf\xbd[1mice\"");
	expect(&event, F_PROCESS_PID, "-5");
	expect(&event, F_COST_USD, "0.25");
	expect(&event, F_RELAY, "true");
	expect(&event, F_INTERIM, "false");
	expect(&event, F_EVENT_START, "2026-08-22T10:15:02.413Z");
	expect(&event, F_SOURCE_IP, "192.0.2.1");
	expect(&event, F_TAGS, "\"a\", \"b c\"");
}

/* Of any length, and of lists of any lengths: it fits, and says that something is missing. */
static void test_long(void **state)
{
	char word[300], text[EVENT_VALUE_TEXT_MAX];
	struct event event;

	(void)state;
	memset(word, 'x', sizeof(word));
	for (size_t len = 1; len < sizeof(word); len++) {
		size_t said;

		event_init(&event);
		event_set_string(&event, F_USER_NAME, span_of(word, len));
		event_value_text(text, &event, F_USER_NAME);
		said = strnlen(text, sizeof(text));
		assert_true(said < sizeof(text));
		assert_int_equal(text[said - 1], '"');
		for (int i = 0; i < 50; i++)
			event_append(&event, F_TAGS, span_of(word, len));
		event_value_text(text, &event, F_TAGS);
		said = strnlen(text, sizeof(text));
		assert_true(said > 5 && said < sizeof(text));
		assert_string_equal(text + said - 5, ", ...");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_types),
					   cmocka_unit_test(test_long)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
