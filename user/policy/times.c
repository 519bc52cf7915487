/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/times.h"

#include <errno.h>
#include <time.h>

#include "gnomon/limits.h"

#define NS_PER_S      UINT64_C(1000000000)
#define DAY_S         86400
#define DAY_MINUTES   1440
#define WEEK_DAYS     7
#define WEEK_MONDAY_S INT64_C(1780272000) /* 2026-06-01 00:00 UTC */

static const char *const day_names[WEEK_DAYS] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

/* Cuts digits off the front; at most `max` of them. -1: there are none. */
static int64_t take_number(struct span *text, size_t max)
{
	int64_t number = 0;
	size_t n = 0;

	while (n < max && n < text->len && text->at[n] >= '0' && text->at[n] <= '9')
		number = number * 10 + (text->at[n++] - '0');
	*text = span_skip(*text, n);
	return n ? number : -1;
}

static bool take_char(struct span *text, char c)
{
	if (text->len == 0 || text->at[0] != c)
		return false;
	*text = span_skip(*text, 1);
	return true;
}

int duration_parse(struct span text, uint64_t *ns)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}, {'w', WEEK_DAYS * DAY_S}};
	int64_t number = take_number(&text, 9);

	if (number <= 0 || text.len != 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t seconds = (uint64_t)number * units[i].seconds;

		if (text.at[0] != units[i].unit)
			continue;
		if (seconds > DURATION_MAX_S)
			return -EINVAL;
		*ns = seconds * NS_PER_S;
		return 0;
	}
	return -EINVAL;
}

int date_parse_end(struct span text, uint64_t *ns)
{
	struct tm tm = {0}, back;
	int64_t year, month, day;
	time_t seconds;

	if (text.len != 10)
		return -EINVAL;
	year = take_number(&text, 4);
	if (year < 1970 || !take_char(&text, '-'))
		return -EINVAL;
	month = take_number(&text, 2);
	if (month < 1 || !take_char(&text, '-'))
		return -EINVAL;
	day = take_number(&text, 2);
	if (day < 1 || text.len)
		return -EINVAL;
	tm.tm_year = (int)year - 1900;
	tm.tm_mon = (int)month - 1;
	tm.tm_mday = (int)day;
	seconds = timegm(&tm);
	/* timegm() makes the 1st of March of the 30th of February */
	if (!gmtime_r(&seconds, &back) || back.tm_mday != (int)day || back.tm_mon != (int)month - 1)
		return -EINVAL;
	/* the year 2500 is near the end of 64 bits of nanoseconds */
	if (year > 2499)
		return -EINVAL;
	*ns = ((uint64_t)seconds + DAY_S) * NS_PER_S;
	return 0;
}

static int take_day(struct span *text)
{
	for (int day = 0; day < WEEK_DAYS; day++) {
		if (!span_starts(*text, span_str(day_names[day])))
			continue;
		*text = span_skip(*text, 3);
		return day;
	}
	return -EINVAL;
}

/* "mon-fri,sun": a range may go over the end of the week. */
static const char *take_days(struct span *text, uint8_t *days)
{
	static const char wrong[] = "a day is one of mon tue wed thu fri sat sun";

	*days = 0;
	do {
		int first = take_day(text), last = first;

		if (first >= 0 && take_char(text, '-'))
			last = take_day(text);
		if (first < 0 || last < 0)
			return wrong;
		for (int day = first;; day = (day + 1) % WEEK_DAYS) {
			*days |= (uint8_t)(1U << day);
			if (day == last)
				break;
		}
	} while (take_char(text, ','));
	return NULL;
}

/* "08:00" to "24:00". */
static const char *take_clock(struct span *text, uint16_t *minutes)
{
	static const char wrong[] = "a time is HH:MM, from 00:00 to 24:00";
	size_t before = text->len;
	int64_t hour = take_number(text, 2), minute;

	if (before - text->len != 2 || !take_char(text, ':'))
		return wrong;
	before = text->len;
	minute = take_number(text, 2);
	if (before - text->len != 2 || minute > 59 || hour * 60 + minute > DAY_MINUTES)
		return wrong;
	*minutes = (uint16_t)(hour * 60 + minute);
	return NULL;
}

/* What may follow: nothing, or " utc". */
static const char *take_zone(struct span text, bool *utc)
{
	*utc = span_eq(text, SPAN_LITERAL(" utc"));
	if (text.len && !*utc)
		return "only \"utc\" may follow; without it the time is local";
	return NULL;
}

const char *hours_parse(struct span text, struct hours *hours)
{
	static const char form[] = "hours are written \"mon-fri 08:00-18:00\"";
	const char *wrong = take_days(&text, &hours->days);

	if (!wrong && !take_char(&text, ' '))
		wrong = form;
	if (!wrong)
		wrong = take_clock(&text, &hours->from);
	if (!wrong && !take_char(&text, '-'))
		wrong = form;
	if (!wrong)
		wrong = take_clock(&text, &hours->to);
	if (!wrong && hours->from == DAY_MINUTES)
		wrong = "24:00 can only be an end";
	if (!wrong && hours->from == hours->to)
		wrong = "the hours are empty; a whole day is 00:00-24:00";
	return wrong ? wrong : take_zone(text, &hours->utc);
}

/* The moment's day of the week and minute of the day. */
static bool clock_of(uint64_t time_ns, bool utc, int *day, uint16_t *minute)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	struct tm tm;

	if (!(utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)))
		return false;
	*day = tm.tm_wday;
	*minute = (uint16_t)(tm.tm_hour * 60 + tm.tm_min);
	return true;
}

static bool span_holds(const struct hours *hours, int day, uint16_t minute)
{
	bool today = hours->days >> day & 1;
	bool yesterday = hours->days >> (day + WEEK_DAYS - 1) % WEEK_DAYS & 1;

	if (hours->from < hours->to)
		return today && minute >= hours->from && minute < hours->to;
	return (today && minute >= hours->from) || (yesterday && minute < hours->to);
}

bool hours_hold(const struct hours *hours, size_t count, uint64_t time_ns)
{
	int day[2] = {-1, -1}; /* local and UTC, as far as asked for */
	uint16_t minute[2];

	for (size_t i = 0; i < count; i++) {
		bool utc = hours[i].utc;

		if (day[utc] < 0 && !clock_of(time_ns, utc, &day[utc], &minute[utc]))
			return false;
		if (span_holds(&hours[i], day[utc], minute[utc]))
			return true;
	}
	return false;
}

const char *moment_parse(struct span text, uint64_t *ns)
{
	static const char form[] = "a moment is written \"mon 22:15\" or \"mon 22:15 utc\"";
	int day = take_day(&text);
	uint16_t minutes;
	struct tm tm = {.tm_isdst = -1};
	time_t seconds;
	bool utc;

	if (day < 0 || !take_char(&text, ' ') || take_clock(&text, &minutes) ||
	    take_zone(text, &utc))
		return form;
	seconds = WEEK_MONDAY_S + (day + WEEK_DAYS - 1) % WEEK_DAYS * DAY_S;
	gmtime_r(&seconds, &tm);
	tm.tm_hour = minutes / 60;
	tm.tm_min = minutes % 60;
	tm.tm_isdst = -1;
	seconds = utc ? timegm(&tm) : mktime(&tm);
	*ns = (uint64_t)seconds * NS_PER_S;
	return NULL;
}
