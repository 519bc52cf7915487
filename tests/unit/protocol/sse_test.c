/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util/cleanup.h"

/* Events as "name|data;" with "!" before the ";" of a damaged one. */
struct log {
	FILE *file;
	char *text;
	size_t len;
	char data[4096];
	size_t data_len;
};

static void on_data(void *ctx, struct span bytes)
{
	struct log *log = ctx;

	assert_true(bytes.len > 0 && log->data_len + bytes.len < sizeof(log->data));
	memcpy(log->data + log->data_len, bytes.at, bytes.len);
	log->data_len += bytes.len;
}

static void on_end(void *ctx, struct span name, bool damaged)
{
	struct log *log = ctx;

	fprintf(log->file, "%.*s|%.*s%s;", (int)name.len, name.at, (int)log->data_len, log->data,
		damaged ? "!" : "");
	log->data_len = 0;
}

static const struct sse_listener listener = {.data = on_data, .event_end = on_end};

static void feed_copy(struct sse *sse, const char *at, size_t len)
{
	_cleanup_free_ char *copy = malloc(len ? len : 1);

	memcpy(copy, at, len);
	sse_feed(sse, span_of(copy, len));
}

/* The first `cut` bytes, then `lost` are left out, then the rest in pieces of `step`. */
static char *run(const char *text, size_t len, size_t cut, size_t lost, size_t step)
{
	struct log log = {0};
	struct sse sse;

	log.file = open_memstream(&log.text, &log.len);
	sse_init(&sse, &listener, &log);
	feed_copy(&sse, text, cut);
	if (lost)
		sse_lost(&sse);
	for (size_t i = cut + lost; i < len; i += step)
		feed_copy(&sse, text + i, step < len - i ? step : len - i);
	if (log.data_len)
		fprintf(log.file, "(%.*s)", (int)log.data_len, log.data);
	fclose(log.file);
	return log.text;
}

static void check(const char *text, const char *expected)
{
	size_t len = strlen(text);

	for (size_t cut = 0; cut <= len; cut++) {
		for (size_t step = 1; step <= len + 1; step++) {
			_cleanup_free_ char *told = run(text, len, cut, 0, step);

			assert_string_equal(told, expected);
		}
	}
}

static void test_events(void **state)
{
	(void)state;
	check("data: a\n\n", "|a;");
	check("data:a\n\ndata:  b\n\n", "|a;| b;");
	check("event: ping\ndata: {}\n\ndata: x\n\n", "ping|{};|x;");
	check("data: x\nevent:late\n\n", "late|x;");
	check("event: a\nevent: b\ndata:\n\n", "b|;");
	/* The specification's own examples. */
	check("data: YHOO\ndata: +2\ndata: 10\n\n", "|YHOO\n+2\n10;");
	check(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third "
	      "event\n\n",
	      "|first event;|second event;| third event;");
	check("data\n\ndata\ndata\n\ndata:", "|;|\n;");
	check("data:test\n\ndata: test\n\n", "|test;|test;");
}

static void test_line_ends(void **state)
{
	(void)state;
	check("data: a\r\n\r\ndata: b\r\rdata: c\n\ndata: d\r\n\ndata: e\r\n\r", "|a;|b;|c;|d;|e;");
	check("event: x\rdata: a\rdata: b\r\r", "x|a\nb;");
}

static void test_ignored(void **state)
{
	(void)state;
	check(":\n:keep alive\n\n\n\nretry: 5\n\nevent: none\n\ndata: a\n\n", "|a;");
	check("Data: a\ndatas: b\ndat: c\n data: d\ndata : e\neventually: f\n\ndata: x\n\n", "|x;");
	check("data: x: y\n\n", "|x: y;");
}

static void test_mark(void **state)
{
	(void)state;
	check("\xEF\xBB\xBF"
	      "data: a\n\n",
	      "|a;");
	check("\xEF\xBB\xBF\xEF\xBB\xBF"
	      "data: a\n\ndata: b\n\n",
	      "|b;");
	check("\xEF\xBBx\ndata: a\n\n", "|a;");
	check("\xEF"
	      "data: a\n\ndata: b\n\n",
	      "|b;");
}

static void test_unfinished(void **state)
{
	(void)state;
	check("data: a\n\ndata: b\n", "|a;(b)");
	check("data: a\n\nevent: c", "|a;");
}

static void test_long_name(void **state)
{
	char text[400] = "event: ", expected[400];

	(void)state;
	memset(text + 7, 'n', 200);
	strcpy(text + 207, "\ndata: a\n\n");
	memset(expected, 'n', SSE_NAME_MAX);
	strcpy(expected + SSE_NAME_MAX, "|a;");
	for (size_t step = 1; step < 250; step++) {
		_cleanup_free_ char *told = run(text, strlen(text), 0, 0, step);

		assert_string_equal(told, expected);
	}
}

static void test_lost(void **state)
{
	static const char text[] = "data: aaaa\n\ndata: bbbb\n\ndata: cccc\n\n";
	_cleanup_free_ char *inside = run(text, strlen(text), 20, 1, 100);
	_cleanup_free_ char *across = run(text, strlen(text), 20, 8, 100);
	_cleanup_free_ char *before = run(text, strlen(text), 12, 2, 100);

	(void)state;
	assert_string_equal(inside, "|aaaa;|bb!;|cccc;");
	assert_string_equal(across, "|aaaa;|bb!;");
	assert_string_equal(before, "|aaaa;|!;|cccc;");
}

/* Whatever is lost: undamaged events are true ones. */
static void test_every_loss(void **state)
{
	static const char text[] = "event: n\ndata: 11\r\ndata: 12\r\n\r\n:c\n\ndata: 2\n\n"
				   "data: 3\revent: m\r\rdata: 4\n\n";
	size_t len = strlen(text);

	(void)state;
	for (size_t cut = 0; cut <= len; cut++) {
		for (size_t lost = 1; cut + lost <= len; lost++) {
			_cleanup_free_ char *told = run(text, len, cut, lost, 1);
			_cleanup_free_ char *whole = run(text, len, cut, lost, len + 1);

			assert_string_equal(told, whole);
			for (char *save, *event = strtok_r(told, ";", &save); event;
			     event = strtok_r(NULL, ";", &save)) {
				bool known = strcmp(event, "n|11\n12") == 0 ||
					     strcmp(event, "|2") == 0 ||
					     strcmp(event, "m|3") == 0 || strcmp(event, "|4") == 0;

				assert_true(known || event[strlen(event) - 1] == '!' ||
					    event[0] == '(');
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),     cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_ignored),    cmocka_unit_test(test_mark),
		cmocka_unit_test(test_unfinished), cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_lost),       cmocka_unit_test(test_every_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
