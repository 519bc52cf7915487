/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gnomon/limits.h"
#include "sink/format.h"
#include "util/diag.h"
#include "util/event_json.h"

static const char text[] =
	"{\"@timestamp\":\"2026-08-22T10:15:02.413Z\",\"event\":{\"action\":\"llm-request\"},"
	"\"user.name\":\"bob\",\"source\":{\"ip\":\"10.0.0.1\",\"bytes\":5},"
	"\"destination\":{\"ip\":\"2001:db8::1\"},\"tags\":[\"a\",\"b\"],"
	"\"gnomon\":{\"relay\":true,\"cost\":{\"usd\":1},\"status\":{\"lost\":{\"ring\":-7}}}}";

static void test_types(void **state)
{
	struct arena arena = {0};
	struct diag diag = {0};
	struct event event;

	(void)state;
	assert_int_equal(event_from_json(&event, span_str(text), &arena, "f", 1, &diag), 0);
	assert_int_equal(diag.count, 0);
	assert_int_equal(event.value[F_TIMESTAMP].time_ns, UINT64_C(1787393702413000000));
	assert_true(span_eq(event.value[F_EVENT_ACTION].string, SPAN_LITERAL("llm-request")));
	assert_true(span_eq(event.value[F_USER_NAME].string, SPAN_LITERAL("bob")));
	assert_int_equal(event.value[F_SOURCE_IP].ip.family, 4);
	assert_int_equal(event.value[F_SOURCE_IP].ip.bytes[0], 10);
	assert_int_equal(event.value[F_SOURCE_BYTES].integer, 5);
	assert_int_equal(event.value[F_DESTINATION_IP].ip.family, 6);
	assert_int_equal(event.value[F_TAGS].list.count, 2);
	assert_true(span_eq(event.value[F_TAGS].list.items[1], SPAN_LITERAL("b")));
	assert_true(event.value[F_RELAY].boolean);
	assert_true(event.value[F_COST_USD].real == 1);
	assert_int_equal(event.value[F_STATUS_LOST_RING].integer, -7);
	assert_false(event_has(&event, F_USER_ID));
	arena_done(&arena);
}

/* What is written reads back and is written the same. */
static void test_round_trip(void **state)
{
	const struct format_ops *ecs = format_find(SPAN_LITERAL("ecs"));
	char first[EVENT_LINE_MAX], second[EVENT_LINE_MAX];
	struct arena arena = {0};
	struct diag diag = {0};
	struct event event;
	ssize_t a, b;

	(void)state;
	assert_int_equal(event_from_json(&event, span_str(text), &arena, "f", 1, &diag), 0);
	a = ecs->render(&event, 1, first, sizeof(first));
	assert_true(a > 0);
	assert_int_equal(event_from_json(&event, span_of(first, (size_t)a), &arena, "f", 1, &diag),
			 0);
	b = ecs->render(&event, 1, second, sizeof(second));
	assert_int_equal(a, b);
	assert_memory_equal(first, second, (size_t)a);
	assert_int_equal(diag.count, 0);
	arena_done(&arena);
}

static void refuse(const char *json, const char *message)
{
	struct arena arena = {0};
	struct diag diag = {0};
	struct event event;

	assert_int_equal(event_from_json(&event, span_str(json), &arena, "f", 3, &diag), -EINVAL);
	assert_int_equal(diag.count, 1);
	assert_string_equal(diag.messages[0], message);
	arena_done(&arena);
	diag_done(&diag);
}

static void test_errors(void **state)
{
	struct arena arena = {0};
	struct diag diag = {0};
	struct event event;
	char *large;

	(void)state;
	refuse("", "f:3:1: not a JSON object");
	refuse("5", "f:3:1: not a JSON object");
	refuse("[{}]", "f:3:1: not a JSON object");
	refuse("{}\n{}", "f:3:1: more stands behind the object");
	refuse("{} x", "f:3:1: more stands behind the object");
	refuse("{\"a\":", "f:3:1: not a JSON object");
	refuse("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}"
	       "}}}}}}",
	       "f:3:1: not a JSON object");
	refuse("{\"user\":{\"name\":5}}", "f:3:1: user.name has a value of another type");
	refuse("{\"user\":{\"name\":\"\"}}", "f:3:1: user.name has a value of another type");
	refuse("{\"user.name\":null}", "f:3:1: user.name has a value of another type");
	refuse("{\"source.bytes\":1.5}", "f:3:1: source.bytes has a value of another type");
	refuse("{\"source.ip\":\"10.0.0\"}", "f:3:1: source.ip has a value of another type");
	refuse("{\"gnomon.relay\":\"true\"}", "f:3:1: gnomon.relay has a value of another type");
	refuse("{\"tags\":\"a\"}", "f:3:1: tags has a value of another type");
	refuse("{\"tags\":[\"a\",1]}", "f:3:1: tags has a value of another type");
	refuse("{\"@timestamp\":\"today\"}", "f:3:1: @timestamp has a value of another type");
	refuse("{\"user.name\":\"a\",\"user\":{\"name\":\"b\"}}", "f:3:1: user.name stands twice");

	/* labels are the configuration's: there is nothing to know about their names */
	assert_int_equal(
		event_from_json(&event,
				SPAN_LITERAL("{\"user\":{\"name\":\"x\"},\"labels\":{\"a\":"
					     "\"b\"}}"),
				&arena, "f", 0, &diag),
		0);
	assert_int_equal(diag.count, 0);
	assert_true(event_has(&event, F_USER_NAME));

	/* a name that is no field is told and does no harm */
	assert_int_equal(event_from_json(&event, SPAN_LITERAL("{\"user\":{\"nam\":\"x\"}}"), &arena,
					 "f", 0, &diag),
			 0);
	assert_string_equal(
		diag.messages[0],
		"f: unknown field \"user.nam\" is left out, did you mean \"user.name\"?");
	diag_done(&diag);

	large = calloc(1, EVENT_JSON_BYTES_MAX + 2);
	assert_non_null(large);
	memset(large, ' ', EVENT_JSON_BYTES_MAX + 1);
	memcpy(large + EVENT_JSON_BYTES_MAX - 1, "{}", 2);
	refuse(large, "f:3:1: not a JSON object");
	free(large);
	arena_done(&arena);
}

static void test_cut(void **state)
{
	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		struct arena arena = {0};
		struct diag diag = {0};
		struct event event;

		if (event_from_json(&event, span_of(text, len), &arena, "f", 1, &diag) == 0)
			fail_msg("cut at %zu", len);
		arena_done(&arena);
		diag_done(&diag);
	}
}

static void test_times(void **state)
{
	static const char *const wrong[] = {
		"",
		"2026-08-22T10:15:02",
		"2026-08-22T10:15:02+00:00",
		"2026-08-22 10:15:02Z",
		"2026-02-30T10:15:02Z",
		"2026-13-01T10:15:02Z",
		"2026-08-22T24:15:02Z",
		"2026-08-22T10:60:02Z",
		"2026-08-22T10:15:02.Z",
		"2026-08-22T10:15:02.1",
		"1969-08-22T10:15:02Z",
		"9999-08-22T10:15:02Z",
		"2026-08-22T10:15:02.1234567890123Z",
	};
	uint64_t ns;

	(void)state;
	assert_int_equal(time_parse(SPAN_LITERAL("1970-01-01T00:00:01Z"), &ns), 0);
	assert_int_equal(ns, 1000000000);
	assert_int_equal(time_parse(SPAN_LITERAL("2028-02-29T00:00:00.5Z"), &ns), 0);
	assert_int_equal(ns, UINT64_C(1835395200500000000));
	assert_int_equal(time_parse(SPAN_LITERAL("1970-01-01T00:00:00.123456789Z"), &ns), 0);
	assert_int_equal(ns, 123456789);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (time_parse(span_str(wrong[i]), &ns) != -EINVAL)
			fail_msg("%s", wrong[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),  cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_errors), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
