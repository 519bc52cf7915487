/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/ids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void test_known(void **state)
{
	char id[ID_MAX];

	(void)state;
	id_format(id, 0, 0);
	assert_string_equal(id, "0000000000000");
	id_format(id, 0, 31);
	assert_string_equal(id, "000000000000Z");
	id_format(id, 0, UINT64_MAX);
	assert_string_equal(id, "FZZZZZZZZZZZZ");
	id_format(id, 1, 0);
	assert_string_equal(id, "0000000000000G000000000000");
	id_format(id, UINT64_MAX, UINT64_MAX);
	assert_string_equal(id, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
	/* The ULID 01ARZ3NDEKTSV4RRFFQ69G5FAV as a UUID is 01563e3a-b5d3-d676-4c61-efb99302bd5b. */
	id_format(id, 0x01563e3ab5d3d676, 0x4c61efb99302bd5b);
	assert_string_equal(id, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
}

static void test_order(void **state)
{
	char before[ID_MAX], after[ID_MAX];

	(void)state;
	for (uint64_t i = 1; i < UINT64_MAX / 3; i = i * 3 + 1) {
		id_format(before, 0, i);
		id_format(after, 0, i + 1);
		assert_true(strcmp(before, after) < 0);
		id_format(before, i, UINT64_MAX);
		id_format(after, i + 1, 0);
		assert_true(strcmp(before, after) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
