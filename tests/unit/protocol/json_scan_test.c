/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/json_scan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util/cleanup.h"

static const struct json_path paths[] = {
	{"model", 1},   {"messages", 2},  {"usage", 3},
	{"usage.n", 4}, {"choices[]", 5}, {"choices[].finish", 6},
	{"a.b.c", 7},   {"grid[][]", 8},  {"choices[].x[].y", 9},
	{NULL},
};

struct log {
	FILE *file;
	char *text;
	size_t len;
};

/* "id:type=text;" with "..." after text that was cut */
static void on_value(void *ctx, const struct json_value *value)
{
	static const char types[] = "snTFNOA";
	struct log *log = ctx;

	fprintf(log->file, "%d:%c=", value->id, types[value->type]);
	for (size_t i = 0; i < value->text.len; i++)
		fprintf(log->file, (unsigned char)value->text.at[i] < ' ' ? "\\%02x" : "%c",
			value->text.at[i]);
	fprintf(log->file, "%s;", value->truncated ? "..." : "");
}

static void feed_copy(struct json_scan *scan, const char *at, size_t len)
{
	_cleanup_free_ char *copy = malloc(len ? len : 1);

	memcpy(copy, at, len);
	json_scan_feed(scan, span_of(copy, len));
}

static char *run(const char *text, size_t len, size_t cut, size_t step, int *result)
{
	struct json_paths compiled;
	struct json_scan scan;
	struct log log = {0};

	assert_int_equal(json_paths_compile(&compiled, paths), 0);
	log.file = open_memstream(&log.text, &log.len);
	json_scan_init(&scan, &compiled, on_value, &log);
	feed_copy(&scan, text, cut);
	for (size_t i = cut; i < len; i += step)
		feed_copy(&scan, text + i, step < len - i ? step : len - i);
	*result = json_scan_end(&scan);
	fclose(log.file);
	return log.text;
}

/* Under every cut into two, and in pieces of any size, the same. */
static void check(const char *text, int expected_result, const char *expected)
{
	size_t len = strlen(text);
	int result;

	for (size_t cut = 0; cut <= len; cut++) {
		_cleanup_free_ char *told = run(text, len, cut, len + 1, &result);

		assert_string_equal(told, expected);
		assert_int_equal(result, expected_result);
	}
	for (size_t step = 1; step <= len; step++) {
		_cleanup_free_ char *told = run(text, len, 0, step, &result);

		assert_string_equal(told, expected);
		assert_int_equal(result, expected_result);
	}
}

static void test_values(void **state)
{
	(void)state;
	check("{\"model\":\"gpt-4o\"}", 0, "1:s=gpt-4o;");
	check(" { \"model\" : \"m\" , \"usage\" : { \"n\" : 12 } } \r\n\t", 0,
	      "1:s=m;3:O=;4:n=12;");
	check("{\"model\":null,\"messages\":true,\"usage\":false}", 0, "1:N=;2:T=;3:F=;");
	check("{\"messages\":[{\"model\":\"no\"}],\"model\":-1.5e+3}", 0, "2:A=;1:n=-1.5e+3;");
	check("{\"usage\":[{\"n\":1}],\"usage\":{\"n\":[2]}}", 0, "3:A=;3:O=;4:A=;");
	check("{\"a\":{\"b\":{\"c\":1,\"d\":2},\"c\":3},\"b\":{\"c\":4},\"c\":5}", 0, "7:n=1;");
	check("{}", 0, "");
	check("[]", 0, "");
	check("12", 0, "");
	check("\"model\"", 0, "");
	check("{\"model\":\"\",\"\":1}", 0, "1:s=;");
}

static void test_arrays(void **state)
{
	(void)state;
	check("{\"choices\":[1,\"x\",{\"finish\":\"stop\",\"x\":[{\"y\":1},{\"y\":2,\"z\":3},[4]]},"
	      "[{\"finish\":1}],null,{},[]],\"model\":\"m\"}",
	      0, "5:n=1;5:s=x;5:O=;6:s=stop;9:n=1;9:n=2;5:A=;5:N=;5:O=;5:A=;1:s=m;");
	check("{\"grid\":[[1,2],[],[3]],\"model\":1}", 0, "8:n=1;8:n=2;8:n=3;1:n=1;");
	check("{\"choices\":{\"finish\":1}}", 0, "");
}

static void test_duplicates(void **state)
{
	(void)state;
	check("{\"model\":\"a\",\"model\":\"b\"}", 0, "1:s=a;1:s=b;");
}

static void test_passed_over(void **state)
{
	(void)state;
	check("{\"t\":\"\\\\\",\"u\":\"\\\"model\\\":\\\"no\\\"\",\"v\":[\"]\\\"}\",{\"model\":\"]"
	      "\"}],"
	      "\"w\":\"0123456789abcdef0123456789\\\\\\\"\",\"model\":\"yes\"}",
	      0, "1:s=yes;");
	check("{\"x\":{\"model\":\"no\",\"y\":[[[{}]]]},\"model\":\"yes\"}", 0, "1:s=yes;");
}

static void test_escapes(void **state)
{
	(void)state;
	check("{\"mod\\u0065l\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", 0,
	      "1:s=\"\\/\\08\\0c\\0a\\0d\\09;");
	check("{\"model\":\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00z\"}", 0,
	      "1:s=A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z;");
	/* halves of pairs */
	check("{\"model\":\"\\ud800\"}", 0, "1:s=\xEF\xBF\xBD;");
	check("{\"model\":\"\\udc00x\"}", 0, "1:s=\xEF\xBF\xBDx;");
	check("{\"model\":\"\\ud83dx\"}", 0, "1:s=\xEF\xBF\xBDx;");
	check("{\"model\":\"\\ud83d\\n\"}", 0, "1:s=\xEF\xBF\xBD\\0a;");
	check("{\"model\":\"\\ud83d\\ud83d\\ude00\"}", 0, "1:s=\xEF\xBF\xBD\xF0\x9F\x98\x80;");
	check("{\"model\":\"\\u0000\"}", 0, "1:s=\\00;");
}

static void test_invalid(void **state)
{
	(void)state;
	check("{\"model\":1,}", -EINVAL, "1:n=1;");
	check("{\"model\":01}", -EINVAL, "");
	check("{\"model\":1.}", -EINVAL, "");
	check("{\"model\":-}", -EINVAL, "");
	check("{\"model\":.5}", -EINVAL, "");
	check("{\"model\":1e}", -EINVAL, "");
	check("{\"model\":+1}", -EINVAL, "");
	check("{\"model\" \"x\"}", -EINVAL, "");
	check("{model:1}", -EINVAL, "");
	check("{\"model\":tru}", -EINVAL, "");
	check("{\"model\":nulL}", -EINVAL, "");
	check("{\"model\":\"\\x\"}", -EINVAL, "");
	check("{\"model\":\"\\u12g4\"}", -EINVAL, "");
	check("{\"model\":\"a\nb\"}", -EINVAL, "");
	check("{\"model\":1]", -EINVAL, "1:n=1;");
	check("{\"choices\":[1}", -EINVAL, "5:n=1;");
	check("{\"choices\":[,1]}", -EINVAL, "");
	check("{,}", -EINVAL, "");
	check("{} {}", -EINVAL, "");
	check("}", -EINVAL, "");
	check("x", -EINVAL, "");
	check("{\"model\":'a'}", -EINVAL, "");
	/* sticky */
	check("{\"usage\":x,\"model\":1}", -EINVAL, "");
}

static void test_incomplete(void **state)
{
	static const char text[] = "{\"t\":[{\"u\":\"v\"}],\"usage\":{\"n\":12},\"model\":\"m\"}";
	size_t len = strlen(text);
	int result;

	(void)state;
	for (size_t n = 0; n < len; n++) {
		_cleanup_free_ char *told = run(text, n, 0, len, &result);

		assert_int_equal(result, -ENODATA);
		/* a beginning of what the whole document tells */
		assert_memory_equal(told, "3:O=;4:n=12;1:s=m;", strlen(told));
		/* a number may go on until something else follows */
		if (n <= (size_t)(strstr(text, "12}") - text) + 2)
			assert_null(strstr(told, "4:"));
	}
}

static void test_cut_text(void **state)
{
	char text[2000] = "{\"model\":\"", expected[600] = "1:s=";
	size_t fill = JSON_VALUE_MAX - 1;

	(void)state;
	/* a character of two bytes that only half fits */
	memset(text + 10, 'x', fill);
	strcpy(text + 10 + fill, "\xC3\xA9tail\\u0041\",\"messages\":[]}");
	memset(expected + 4, 'x', fill);
	strcpy(expected + 4 + fill, "...;2:A=;");
	check(text, 0, expected);
	/* the same, escaped */
	strcpy(text + 10 + fill, "\\u00e9tail\",\"messages\":[]}");
	check(text, 0, expected);
	/* just fits */
	strcpy(text + 10 + fill, "y\",\"messages\":[]}");
	strcpy(expected + 4 + fill, "y;2:A=;");
	check(text, 0, expected);
}

static void test_long_key(void **state)
{
	char text[2000] = "{\"model";

	(void)state;
	memset(text + 7, 'x', 500);
	strcpy(text + 507, "\":1,\"model\":2}");
	check(text, 0, "1:n=2;");
}

/* A million brackets are counted, and what comes after them is found. */
static void test_deep(void **state)
{
	size_t deep = 1000000, len = 2 * deep + 30;
	_cleanup_free_ char *text = malloc(len);
	_cleanup_free_ char *told = NULL;
	int result;

	(void)state;
	memcpy(text, "{\"a\":", 5);
	memset(text + 5, '[', deep);
	memset(text + 5 + deep, ']', deep);
	strcpy(text + 5 + 2 * deep, ",\"model\":\"m\"}");
	told = run(text, strlen(text), 0, 4096, &result);
	assert_int_equal(result, 0);
	assert_string_equal(told, "1:s=m;");
}

static void test_lost(void **state)
{
	struct json_paths compiled;
	struct json_scan scan;
	struct log log = {0};

	(void)state;
	assert_int_equal(json_paths_compile(&compiled, paths), 0);
	log.file = open_memstream(&log.text, &log.len);
	json_scan_init(&scan, &compiled, on_value, &log);
	json_scan_feed(&scan, SPAN_LITERAL("{\"usage\":{\"n\":1"));
	json_scan_lost(&scan);
	/* were the gap inside a string, this would be text */
	json_scan_feed(&scan, SPAN_LITERAL("2},\"model\":\"m\"}"));
	assert_int_equal(json_scan_end(&scan), -ENODATA);
	json_scan_restart(&scan);
	json_scan_feed(&scan, SPAN_LITERAL("{\"model\":\"m\"}"));
	json_scan_lost(&scan);
	assert_int_equal(json_scan_end(&scan), 0);
	fclose(log.file);
	assert_string_equal(log.text, "3:O=;1:s=m;");
	free(log.text);
}

static void test_compile(void **state)
{
	static const char *const bad[] = {"",   ".",    "a.",   ".a",  "a..b",
					  "a[", "a[0]", "a[]b", "a.[]"};
	struct json_paths compiled;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct json_path wrong[] = {{bad[i], 1}, {NULL}};

		assert_int_equal(json_paths_compile(&compiled, wrong), -EINVAL);
	}
	assert_int_equal(
		json_paths_compile(&compiled, (struct json_path[]){{"a", 1}, {"a", 2}, {NULL}}),
		-EINVAL);
	assert_int_equal(json_paths_compile(&compiled, (struct json_path[]){{"a", -1}, {NULL}}),
			 -EINVAL);
	assert_int_equal(json_paths_compile(&compiled, (struct json_path[]){{"[].a", 1}, {NULL}}),
			 0);
}

static void test_too_many_nodes(void **state)
{
	static char names[JSON_PATH_NODES_MAX][16];
	struct json_path many[JSON_PATH_NODES_MAX + 1] = {0};
	struct json_paths compiled;

	(void)state;
	for (int i = 0; i < JSON_PATH_NODES_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "n%d", i);
		many[i] = (struct json_path){names[i], i};
	}
	assert_int_equal(json_paths_compile(&compiled, many), -E2BIG);
	many[JSON_PATH_NODES_MAX - 1].path = NULL;
	assert_int_equal(json_paths_compile(&compiled, many), 0);
}

/* ---- texts ---- */

static const struct json_path text_paths[] = {
	{"model", 1},
	{"model", .text = true},
	{"m[].c", .text = true},
	{"m[].c[].t", .text = true},
	{"tools", .text = true},
	{NULL},
};

static void on_text(void *ctx, struct span piece)
{
	struct log *log = ctx;

	if (piece.len)
		fwrite(piece.at, 1, piece.len, log->file);
	else
		fputc('|', log->file);
}

/* What is told of texts, and of values between, under every step. */
static void check_texts(const char *text, int expected_result, const char *expected)
{
	struct json_paths compiled;

	assert_int_equal(json_paths_compile(&compiled, text_paths), 0);
	for (size_t step = 1; step <= strlen(text) + 1; step++) {
		struct json_scan scan;
		struct log log = {0};

		log.file = open_memstream(&log.text, &log.len);
		json_scan_init(&scan, &compiled, on_value, &log);
		json_scan_tell_text(&scan, on_text);
		for (size_t i = 0; i < strlen(text); i += step)
			feed_copy(&scan, text + i,
				  step < strlen(text) - i ? step : strlen(text) - i);
		assert_int_equal(json_scan_end(&scan), expected_result);
		fclose(log.file);
		assert_string_equal(log.text, expected);
		free(log.text);
	}
}

static void test_texts(void **state)
{
	(void)state;
	check_texts("{\"m\":[{\"c\":\"a\\n\\u00e9\\ud83d\\ude00b\"},{\"c\":\"\"},{\"d\":\"no\"}]}",
		    0,
		    "a\n\xc3\xa9\xf0\x9f\x98\x80"
		    "b||");
	/* parts: text alone, not pictures */
	check_texts(
		"{\"m\":[{\"c\":[{\"t\":\"one\"},{\"url\":{\"t\":\"data\"}},{\"t\":null},{\"t\":7},"
		"{\"t\":\"two\"}]}]}",
		0, "one|two|");
	/* wanted as well */
	check_texts("{\"model\":\"gpt\"}", 0, "gpt|1:s=gpt;");
	/* as written */
	check_texts("{\"tools\":[{\"a\":\"x]\\\"y\",\"b\":[1]} ],\"model\":2}", 0,
		    "[{\"a\":\"x]\\\"y\",\"b\":[1]} ]|1:n=2;");
	check_texts("{\"m\":[{\"c\":\"cut", -ENODATA, "cut");
	check_texts("{\"tools\":[\"cut", -ENODATA, "[\"cut");
	/* half of a pair */
	check_texts("{\"m\":[{\"c\":\"\\ud83d\"}]}", 0, "\xef\xbf\xbd|");
}

/* Longer than any buffer of the scanner. */
static void test_long_text(void **state)
{
	struct json_paths compiled;
	struct json_scan scan;
	struct log log = {0};

	(void)state;
	assert_int_equal(json_paths_compile(&compiled, text_paths), 0);
	log.file = open_memstream(&log.text, &log.len);
	json_scan_init(&scan, &compiled, on_value, &log);
	json_scan_tell_text(&scan, on_text);
	feed_copy(&scan, "{\"m\":[{\"c\":\"", 12);
	for (int i = 0; i < 1000; i++)
		feed_copy(&scan, "0123456789", 10);
	feed_copy(&scan, "\"}]}", 4);
	assert_int_equal(json_scan_end(&scan), 0);
	fclose(log.file);
	assert_int_equal(log.len, 10001);
	free(log.text);
}

/* Nobody asked for texts: they are passed over. */
static void test_texts_unwanted(void **state)
{
	static const char text[] = "{\"m\":[{\"c\":\"x\"}],\"tools\":[1],\"model\":\"a\"}";
	struct json_paths compiled;
	struct json_scan scan;
	struct log log = {0};

	(void)state;
	assert_int_equal(json_paths_compile(&compiled, text_paths), 0);
	log.file = open_memstream(&log.text, &log.len);
	json_scan_init(&scan, &compiled, on_value, &log);
	feed_copy(&scan, text, sizeof(text) - 1);
	assert_int_equal(json_scan_end(&scan), 0);
	fclose(log.file);
	assert_string_equal(log.text, "1:s=a;");
	free(log.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),         cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_duplicates),     cmocka_unit_test(test_passed_over),
		cmocka_unit_test(test_escapes),        cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_incomplete),     cmocka_unit_test(test_cut_text),
		cmocka_unit_test(test_long_key),       cmocka_unit_test(test_deep),
		cmocka_unit_test(test_lost),           cmocka_unit_test(test_compile),
		cmocka_unit_test(test_too_many_nodes), cmocka_unit_test(test_texts),
		cmocka_unit_test(test_long_text),      cmocka_unit_test(test_texts_unwanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
