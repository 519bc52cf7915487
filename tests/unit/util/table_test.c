/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct item {
	struct table_link link;
	uint64_t key;
};

static bool same_key(const struct table_link *link, const void *key)
{
	return table_entry(link, const struct item, link)->key == *(const uint64_t *)key;
}

static struct item *find(struct table *t, uint64_t key)
{
	struct table_link *link = table_find(t, table_hash(t, &key, sizeof(key)), same_key, &key);

	return link ? table_entry(link, struct item, link) : NULL;
}

static void add(struct table *t, struct item *item, uint64_t key)
{
	item->key = key;
	table_add(t, &item->link, table_hash(t, &key, sizeof(key)));
}

static void finds_what_was_added_and_nothing_else(void **state)
{
	struct item items[1000];
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, 1000), 0);
	for (uint64_t i = 0; i < 1000; i++)
		add(&t, &items[i], i * 7);
	assert_true(table_full(&t));
	for (uint64_t i = 0; i < 7000; i++) {
		struct item *found = find(&t, i);

		assert_ptr_equal(found, i % 7 ? NULL : &items[i / 7]);
	}
	table_done(&t);
}

static void removal_leaves_the_others(void **state)
{
	struct item items[64];
	struct table t;

	(void)state;
	/* few buckets, so that chains are long */
	assert_int_equal(table_init(&t, 4), 0);
	for (uint64_t i = 0; i < 64; i++)
		add(&t, &items[i], i);
	for (uint64_t i = 0; i < 64; i += 3)
		table_remove(&t, &items[i].link);
	for (uint64_t i = 0; i < 64; i++)
		assert_ptr_equal(find(&t, i), i % 3 ? &items[i] : NULL);
	assert_int_equal(t.count, 64 - 22);
	table_done(&t);
}

static void order_is_that_of_use(void **state)
{
	struct item items[3];
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, 3), 0);
	for (uint64_t i = 0; i < 3; i++)
		add(&t, &items[i], i);
	assert_ptr_equal(t.oldest, &items[0].link);
	table_touch(&t, &items[0].link);
	assert_ptr_equal(t.oldest, &items[1].link);
	assert_ptr_equal(t.newest, &items[0].link);
	table_touch(&t, &items[0].link);
	table_remove(&t, &items[2].link);
	assert_ptr_equal(t.oldest, &items[1].link);
	assert_ptr_equal(t.oldest->newer, &items[0].link);
	table_remove(&t, &items[1].link);
	table_remove(&t, &items[0].link);
	assert_null(t.oldest);
	assert_null(t.newest);
	table_done(&t);
}

static void every_byte_of_a_key_counts(void **state)
{
	unsigned char key[21] = {0};
	struct table t;
	uint64_t zero;

	(void)state;
	assert_int_equal(table_init(&t, 1), 0);
	zero = table_hash(&t, key, sizeof(key));
	for (size_t i = 0; i < sizeof(key); i++) {
		key[i] = 1;
		assert_true(table_hash(&t, key, sizeof(key)) != zero);
		key[i] = 0;
	}
	assert_true(table_hash(&t, key, sizeof(key) - 1) != zero);
	table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added_and_nothing_else),
		cmocka_unit_test(removal_leaves_the_others),
		cmocka_unit_test(order_is_that_of_use),
		cmocka_unit_test(every_byte_of_a_key_counts),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
