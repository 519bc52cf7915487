/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "gnomon/event.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/cleanup.h"

static struct span parent_of(const char *name, size_t len)
{
	while (len > 0 && name[len - 1] != '.')
		len--;
	return span_of(name, len);
}

/* An object that is closed by another field's name must not be opened again: the line would hold the
 * same member twice. */
static void test_objects_stand_together(void **state)
{
	(void)state;
	for (size_t i = 1; i < FIELD_COUNT; i++) {
		const char *name = field_table[i].name;

		for (struct span object = parent_of(name, field_table[i].name_len); object.len;
		     object = parent_of(name, object.len - 1)) {
			bool in_previous = strncmp(field_table[i - 1].name, name, object.len) == 0;

			for (size_t j = 0; j < i && !in_previous; j++)
				if (strncmp(field_table[j].name, name, object.len) == 0)
					fail_msg("%s and %s are apart", field_table[j].name, name);
		}
	}
}

static void test_no_leaf_is_an_object(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		for (size_t j = 0; j < FIELD_COUNT; j++) {
			size_t len = field_table[i].name_len;

			if (i != j && strncmp(field_table[i].name, field_table[j].name, len) == 0 &&
			    (field_table[j].name[len] == '.' || !field_table[j].name[len]))
				fail_msg("%s and %s", field_table[i].name, field_table[j].name);
		}
	}
}

/* The writer puts names into JSON as they are. */
static void test_names_are_plain(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		const char *name = field_table[i].name;

		assert_int_equal(field_table[i].name_len, strlen(name));
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.@"),
				 strlen(name));
		assert_null(strstr(name, ".."));
		assert_int_equal(field_by_name(span_str(name)), (int)i);
	}
	assert_int_equal(field_by_name(SPAN_LITERAL("gnomon.nothing")), -ENOENT);
}

static void test_formatted_text_is_cut_whole(void **state)
{
	struct event event;
	struct span got;

	(void)state;
	/* Fill all but a few bytes, so that the cut falls into a character of three bytes. */
	for (int room = 2; room < 9; room++) {
		event_init(&event);
		event_format(&event, F_MESSAGE, "%*s", EVENT_TEXT_MAX - room, "x");
		event_format(&event, F_ERROR, "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac");
		assert_int_equal(event_has(&event, F_ERROR), room >= 4);
		if (room < 4)
			continue;
		got = event.value[F_ERROR].string;
		assert_int_equal(got.len, (room - 1) / 3 * 3);
		assert_memory_equal(got.at, "\xe2\x82\xac\xe2\x82\xac", got.len);
	}
}

static void test_absent_values(void **state)
{
	struct net_address nowhere = {0};
	struct event event;

	(void)state;
	event_init(&event);
	event_set_text(&event, F_MESSAGE, NULL);
	event_set_text(&event, F_ERROR, "");
	event_set_ip(&event, F_SOURCE_IP, &nowhere);
	assert_false(event_append(&event, F_TAGS, span_of(NULL, 0)));
	for (size_t i = 0; i < FIELD_COUNT; i++)
		assert_false(event_has(&event, (enum field)i));
}

static void test_list_is_bounded(void **state)
{
	struct event event;

	(void)state;
	event_init(&event);
	for (size_t i = 0; i < EVENT_LIST_MAX; i++)
		assert_true(event_append(&event, F_TAGS, SPAN_LITERAL("t")));
	assert_false(event_append(&event, F_TAGS, SPAN_LITERAL("t")));
	assert_int_equal(event.value[F_TAGS].list.count, EVENT_LIST_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects_stand_together),
		cmocka_unit_test(test_no_leaf_is_an_object),
		cmocka_unit_test(test_names_are_plain),
		cmocka_unit_test(test_formatted_text_is_cut_whole),
		cmocka_unit_test(test_absent_values),
		cmocka_unit_test(test_list_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
