/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/text.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "util/cleanup.h"

static void test_integers(void **state)
{
	char text[TEXT_VALUE_MAX];

	(void)state;
	assert_int_equal(text_uint(text, 0), 1);
	assert_string_equal(text, "0");
	assert_int_equal(text_uint(text, UINT64_MAX), 20);
	assert_string_equal(text, "18446744073709551615");
	assert_int_equal(text_int(text, INT64_MIN), 20);
	assert_string_equal(text, "-9223372036854775808");
	assert_int_equal(text_int(text, INT64_MAX), 19);
	assert_string_equal(text, "9223372036854775807");
	text_int(text, -7);
	assert_string_equal(text, "-7");
}

static void test_doubles(void **state)
{
	static const struct {
		double value;
		const char *want;
	} cases[] = {
		{0.0, "0"},
		{-0.0, "0"},
		{1.0, "1"},
		{-1.5, "-1.5"},
		{0.1, "0.1"},
		{0.000123, "0.000123"},
		{0.00000015, "0.00000015"},
		{0.042, "0.042"},
		{1234.5678, "1234.5678"},
		{99999.99, "99999.99"},
		{0.1 + 0.2, "0.3"}, /* the nearest that 15 decimals can say */
		{1e-15, "0.000000000000001"},
		{1e-20, "0"},
		{-1e-20, "0"},
		{1e15, "1000000000000000"},
		{9007199254740991.0, "9007199254740991"},
		{9007199254740992.0, "9007199254740992"},
		{9223372036854774784.0, "9223372036854774784"},
		{-9223372036854774784.0, "-9223372036854774784"},
		{9223372036854775808.0, ""},
		{1e300, ""},
		{-1e300, ""},
		{INFINITY, ""},
		{-INFINITY, ""},
		{NAN, ""},
	};
	char text[TEXT_VALUE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t len = text_double(text, cases[i].value);

		assert_string_equal(text, cases[i].want);
		assert_int_equal(len, strlen(cases[i].want));
	}
}

/* Prices and sums of them read back as they were; a comma locale changes nothing. */
static void test_doubles_read_back(void **state)
{
	char text[TEXT_VALUE_MAX];

	(void)state;
	for (int64_t i = 1; i < 2000000; i += 37) {
		for (double unit = 1.0; unit < 1e11; unit *= 100.0) {
			double value = (double)i / unit;

			text_double(text, value);
			if (strtod(text, NULL) != value)
				fail_msg("%.17g became %s", value, text);
		}
	}
	if (setlocale(LC_NUMERIC, "de_DE.UTF-8")) {
		text_double(text, 1.5);
		setlocale(LC_NUMERIC, "C");
		assert_string_equal(text, "1.5");
	}
}

static void test_time(void **state)
{
	static const uint64_t moments[] = {
		0,
		999999,              /* not yet a millisecond */
		1787393702413999999, /* cut, not rounded */
		951782400000000000,  /* 2000-02-29 */
		951868799999000000,
		951868800000000000,  /* 2000-03-01 */
		4107542399999000000, /* 2100-02-28, no leap year */
		4107542400000000000, /* 2100-03-01 */
		UINT64_MAX,
	};
	char text[TEXT_VALUE_MAX], want[TEXT_VALUE_MAX], seconds[TEXT_VALUE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		time_t s = (time_t)(moments[i] / 1000000000);
		struct tm tm;

		assert_non_null(gmtime_r(&s, &tm));
		assert_int_not_equal(strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm),
				     0);
		snprintf(want, sizeof(want), "%.20s.%03uZ", seconds,
			 (unsigned int)(moments[i] / 1000000 % 1000));
		assert_int_equal(text_time(text, moments[i]), 24);
		assert_string_equal(text, want);
	}
	text_time(text, 1787393702413999999);
	assert_string_equal(text, "2026-08-22T10:15:02.413Z");
}

/* Every day until 2554 against the C library. */
static void test_every_day(void **state)
{
	char text[TEXT_VALUE_MAX], want[TEXT_VALUE_MAX];

	(void)state;
	for (uint64_t day = 0; day < 213503; day++) {
		time_t s = (time_t)(day * 86400);
		struct tm tm;

		gmtime_r(&s, &tm);
		strftime(want, sizeof(want), "%Y-%m-%dT00:00:00.000Z", &tm);
		text_time(text, day * 86400 * 1000000000ull);
		assert_string_equal(text, want);
	}
}

static void test_addresses(void **state)
{
	static const struct {
		struct net_address ip;
		const char *want;
	} cases[] = {
		{{4, {192, 0, 2, 10}}, "192.0.2.10"},
		{{4, {0, 0, 0, 0}}, "0.0.0.0"},
		{{4, {255, 255, 255, 255}}, "255.255.255.255"},
		{{6, {0}}, "::"},
		{{6, {[15] = 1}}, "::1"},
		{{6, {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}, "2001:db8::1"},
		/* RFC 5952 section 4.2.2: one group of zeros is not shortened */
		{{6, {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}},
		 "2001:db8:0:1:1:1:1:1"},
		/* section 4.2.3: the first of equally long runs, section 4.3: lower case */
		{{6, {0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1}},
		 "2001:db8::1:0:0:1"},
		{{6, {[10] = 0xff, 0xff, 192, 0, 2, 1}}, "::ffff:192.0.2.1"},
		{{0, {1, 2, 3, 4}}, ""},
		{{9, {1, 2, 3, 4}}, ""},
	};
	char text[TEXT_VALUE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(text_ip(text, &cases[i].ip), strlen(cases[i].want));
		assert_string_equal(text, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),          cmocka_unit_test(test_doubles),
		cmocka_unit_test(test_doubles_read_back), cmocka_unit_test(test_time),
		cmocka_unit_test(test_every_day),         cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
