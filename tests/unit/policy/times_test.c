/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "policy/times.h"

#define NS_PER_S UINT64_C(1000000000)

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds; /* 0: refused */
	} cases[] = {
		{"1s", 1},
		{"90s", 90},
		{"15m", 900},
		{"24h", 86400},
		{"30d", 2592000},
		{"2w", 1209600},
		{"3650d", 315360000},
		{"3651d", 0},
		{"0s", 0},
		{"", 0},
		{"m", 0},
		{"15", 0},
		{"15 m", 0},
		{"-1h", 0},
		{"1.5h", 0},
		{"15M", 0},
		{"15mm", 0},
		{"9999999999s", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t ns = 0;
		int r = duration_parse(span_str(cases[i].text), &ns);

		if (r != (cases[i].seconds ? 0 : -EINVAL) || ns != cases[i].seconds * NS_PER_S)
			fail_msg("%s", cases[i].text);
	}
}

static void test_dates(void **state)
{
	static const char *const wrong[] = {"",           "2026-13-01", "2026-02-30",
					    "2026-00-01", "2026-1-1",   "2026-12-32",
					    "2026/12/31", "26-12-31",   "2026-12-31x",
					    "1969-01-01", "2500-01-01", "aaaa-bb-cc"};
	uint64_t ns;

	(void)state;
	assert_int_equal(date_parse_end(SPAN_LITERAL("2026-12-31"), &ns), 0);
	assert_int_equal(ns, UINT64_C(1798761600) * NS_PER_S);
	assert_int_equal(date_parse_end(SPAN_LITERAL("2028-02-29"), &ns), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (date_parse_end(span_str(wrong[i]), &ns) != -EINVAL)
			fail_msg("%s", wrong[i]);
}

static bool holds(const char *text, const char *moment)
{
	struct hours hours;
	uint64_t ns;

	assert_null(hours_parse(span_str(text), &hours));
	assert_null(moment_parse(span_str(moment), &ns));
	return hours_hold(&hours, 1, ns);
}

static void test_hours(void **state)
{
	(void)state;
	assert_true(holds("mon-fri 08:00-18:00 utc", "mon 08:00 utc"));
	assert_true(holds("mon-fri 08:00-18:00 utc", "fri 17:59 utc"));
	assert_false(holds("mon-fri 08:00-18:00 utc", "fri 18:00 utc"));
	assert_false(holds("mon-fri 08:00-18:00 utc", "sun 12:00 utc"));
	assert_false(holds("mon-fri 08:00-18:00 utc", "mon 07:59 utc"));
	assert_true(holds("sat,sun 00:00-24:00 utc", "sun 23:59 utc"));
	assert_true(holds("fri-mon 09:00-10:00 utc", "sun 09:30 utc"));
	assert_false(holds("fri-mon 09:00-10:00 utc", "tue 09:30 utc"));
	/* the night from Friday to Saturday is Friday's */
	assert_true(holds("mon-fri 22:00-06:00 utc", "sat 05:59 utc"));
	assert_false(holds("mon-fri 22:00-06:00 utc", "sat 22:00 utc"));
	assert_false(holds("mon-fri 22:00-06:00 utc", "mon 05:59 utc"));
	assert_true(holds("sun 22:00-06:00 utc", "mon 05:59 utc"));
}

static void test_zones(void **state)
{
	(void)state;
	setenv("TZ", "America/New_York", 1); /* four hours behind UTC in June */
	tzset();
	assert_true(holds("mon 08:00-09:00", "mon 08:30"));
	assert_true(holds("mon 08:00-09:00 utc", "mon 04:30"));
	assert_true(holds("mon 08:00-09:00", "mon 12:30 utc"));
	assert_true(holds("sun 20:00-21:00", "mon 00:30 utc"));
	unsetenv("TZ");
	tzset();
}

static void refuse(const char *text, const char *message)
{
	struct hours hours;
	const char *wrong = hours_parse(span_str(text), &hours);

	assert_non_null(wrong);
	assert_string_equal(wrong, message);
}

static void test_wrong_hours(void **state)
{
	uint64_t ns;

	(void)state;
	refuse("", "a day is one of mon tue wed thu fri sat sun");
	refuse("Mon 08:00-18:00", "a day is one of mon tue wed thu fri sat sun");
	refuse("mon-xyz 08:00-18:00", "a day is one of mon tue wed thu fri sat sun");
	refuse("mon, tue 08:00-18:00", "a day is one of mon tue wed thu fri sat sun");
	refuse("mon", "hours are written \"mon-fri 08:00-18:00\"");
	refuse("mon 08:00", "hours are written \"mon-fri 08:00-18:00\"");
	refuse("mon 8:00-18:00", "a time is HH:MM, from 00:00 to 24:00");
	refuse("mon 08:00-24:01", "a time is HH:MM, from 00:00 to 24:00");
	refuse("mon 08:60-09:00", "a time is HH:MM, from 00:00 to 24:00");
	refuse("mon 24:00-08:00", "24:00 can only be an end");
	refuse("mon 08:00-08:00", "the hours are empty; a whole day is 00:00-24:00");
	refuse("mon 08:00-18:00 cet", "only \"utc\" may follow; without it the time is local");
	assert_string_equal(moment_parse(SPAN_LITERAL("noon"), &ns),
			    "a moment is written \"mon 22:15\" or \"mon 22:15 utc\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),   cmocka_unit_test(test_dates),
		cmocka_unit_test(test_hours),       cmocka_unit_test(test_zones),
		cmocka_unit_test(test_wrong_hours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
