/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What goes many bytes at a time must find what goes byte by byte, on random bytes of the kinds that matter. */
#include "protocol/json_skip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "protocol/byte_scan.h"

#define ROUNDS 30000

static char bytes[300];
static unsigned int seed = 1;

/* Exact in size, so that reading on shows. */
static char *random_bytes(size_t *len)
{
	char *at;

	*len = (size_t)rand_r(&seed) % sizeof(bytes);
	at = malloc(*len + 1);
	for (size_t i = 0; i < *len; i++)
		at[i] = "\"\\\\{}[]ab,\n\x1f "[rand_r(&seed) % 13];
	return realloc(at, *len ? *len : 1);
}

static void test_scans(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		size_t n, two = 0, string = 0, structure = 0;
		char *p = random_bytes(&n);

		while (two < n && p[two] != '"' && p[two] != ',')
			two++;
		while (string < n && p[string] != '"' && p[string] != '\\' &&
		       (unsigned char)p[string] >= ' ')
			string++;
		while (structure < n && !strchr("\"{}[]", p[structure]))
			structure++;
		assert_int_equal(scan_two(p, n, '"', ','), two);
		assert_int_equal(scan_string(p, n), string);
		assert_int_equal(scan_structure(p, n), structure);
		free(p);
	}
}

static void test_skip(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct json_skip whole, single;
		size_t n, used, at = 0;
		char *p = random_bytes(&n);

		json_skip_begin(&whole);
		json_skip_begin(&single);
		/* many deep, or its end would come soon */
		whole.depth = single.depth = (uint64_t)rand_r(&seed) % 20 + 1;
		used = json_skip(&whole, p, n);
		while (at < n && single.depth)
			at += json_skip(&single, p + at, 1);
		assert_int_equal(used, at);
		assert_int_equal(whole.depth, single.depth);
		assert_int_equal(whole.in_string, single.in_string);
		assert_int_equal(whole.escaped, single.escaped);
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scans),
		cmocka_unit_test(test_skip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
