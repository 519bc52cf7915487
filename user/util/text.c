/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/text.h"

#include <arpa/inet.h>
#include <math.h>
#include <string.h>

#include "util/cleanup.h"

#define NS_PER_MS 1000000ull
#define MS_PER_S  1000ull
#define S_PER_DAY 86400ull

/* Integers up to here are exact in a double. */
#define DOUBLE_EXACT 9007199254740992.0    /* 2^53 */
#define INT64_EDGE   9223372036854775808.0 /* 2^63 */

static size_t put_uint(char *to, uint64_t value)
{
	char reversed[20];
	size_t n = 0;

	do {
		reversed[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	for (size_t i = 0; i < n; i++)
		to[i] = reversed[n - 1 - i];
	to[n] = '\0';
	return n;
}

size_t text_uint(char to[TEXT_VALUE_MAX], uint64_t value)
{
	return put_uint(to, value);
}

size_t text_int(char to[TEXT_VALUE_MAX], int64_t value)
{
	if (value >= 0)
		return put_uint(to, (uint64_t)value);
	to[0] = '-';
	return 1 + put_uint(to + 1, -(uint64_t)value);
}

/* `value` / 10^decimals. */
static size_t text_scaled(char *to, uint64_t value, unsigned int decimals)
{
	char digits[TEXT_VALUE_MAX];
	size_t n = put_uint(digits, value), whole, used;

	if (decimals == 0) {
		memcpy(to, digits, n + 1);
		return n;
	}
	whole = n > decimals ? n - decimals : 0;
	used = whole;
	memcpy(to, digits, whole);
	if (whole == 0)
		to[used++] = '0';
	to[used++] = '.';
	for (size_t i = n - whole; i < decimals; i++)
		to[used++] = '0';
	memcpy(to + used, digits + whole, n - whole + 1);
	return used + n - whole;
}

size_t text_double(char to[TEXT_VALUE_MAX], double value)
{
	/* Each is exact, so the division below is rounded once and reads back what a parser would. */
	static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	double size = fabs(value);
	unsigned int decimals = 0, last = 0;
	uint64_t scaled = 0;
	size_t sign = 0;

	to[0] = '\0';
	if (!(size < INT64_EDGE))
		return 0;
	for (; decimals < ARRAY_SIZE(power); decimals++) {
		double shifted = size * power[decimals] + 0.5;

		if (decimals > 0 && shifted >= DOUBLE_EXACT)
			break;
		last = decimals;
		/* The half would be lost, or round up, in large integers. */
		scaled = shifted < DOUBLE_EXACT ? (uint64_t)shifted : (uint64_t)size;
		if ((double)scaled / power[decimals] == size)
			break;
	}
	while (last > 0 && scaled % 10 == 0) {
		scaled /= 10;
		last--;
	}
	if (value < 0 && scaled)
		to[sign++] = '-';
	return sign + text_scaled(to + sign, scaled, last);
}

static void put_digits(char *to, unsigned int value, unsigned int width)
{
	while (width-- > 0) {
		to[width] = (char)('0' + value % 10);
		value /= 10;
	}
}

size_t text_time(char to[TEXT_VALUE_MAX], uint64_t time_ns)
{
	static const char shape[] = "0000-00-00T00:00:00.000Z";
	uint64_t ms = time_ns / NS_PER_MS;
	unsigned int second = (unsigned int)(ms / MS_PER_S % S_PER_DAY);
	/* Days to a date by counting from 1 March of year 0, so that leap days come last: Howard
	 * Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days. A uint64_t of
	 * nanoseconds ends in the year 2554: four digits always do. */
	unsigned int days = (unsigned int)(ms / MS_PER_S / S_PER_DAY) + 719468;
	unsigned int era = days / 146097, of_era = days % 146097;
	unsigned int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned int of_year = of_era - (365 * year + year / 4 - year / 100);
	unsigned int shifted = (5 * of_year + 2) / 153;
	unsigned int month = shifted < 10 ? shifted + 3 : shifted - 9;

	memcpy(to, shape, sizeof(shape));
	put_digits(to, era * 400 + year + (month <= 2), 4);
	put_digits(to + 5, month, 2);
	put_digits(to + 8, of_year - (153 * shifted + 2) / 5 + 1, 2);
	put_digits(to + 11, second / 3600, 2);
	put_digits(to + 14, second / 60 % 60, 2);
	put_digits(to + 17, second % 60, 2);
	put_digits(to + 20, (unsigned int)(ms % MS_PER_S), 3);
	return sizeof(shape) - 1;
}

size_t text_ip(char to[TEXT_VALUE_MAX], const struct net_address *ip)
{
	size_t n = 0;

	to[0] = '\0';
	if (ip->family == 6)
		return inet_ntop(AF_INET6, ip->bytes, to, TEXT_VALUE_MAX) ? strlen(to) : 0;
	if (ip->family != 4)
		return 0;
	/* Most addresses; inet_ntop() goes through printf. */
	for (size_t i = 0; i < 4; i++) {
		if (i)
			to[n++] = '.';
		n += put_uint(to + n, ip->bytes[i]);
	}
	return n;
}
