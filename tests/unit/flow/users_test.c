/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"

#define SECOND 1000000000ull

struct fixture {
	char dir[64], passwd[96], group[96], fresh[96];
	struct users *users;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->dir, "/tmp/gnomon-users-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->passwd, sizeof(f->passwd), "%s/passwd", f->dir);
	snprintf(f->group, sizeof(f->group), "%s/group", f->dir);
	snprintf(f->fresh, sizeof(f->fresh), "%s/fresh", f->dir);
	f->users = users_new(f->passwd, f->group);
	*state = f;
	return f->users ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[96];

	users_free(f->users);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	free(f);
	return system(command);
}

/* By rename, as vipw and useradd do. */
static void put_file(struct fixture *f, const char *path, const char *text)
{
	FILE *file = fopen(f->fresh, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(rename(f->fresh, path), 0);
}

static void expect_name(struct fixture *f, uint32_t uid, uint64_t now, const char *want)
{
	const char *got = users_name(f->users, uid, now);

	if (want) {
		assert_non_null(got);
		assert_string_equal(got, want);
	} else {
		assert_null(got);
	}
}

static void test_names(void **state)
{
	struct fixture *f = *state;

	put_file(f, f->passwd,
		 "root:x:0:0:root:/root:/bin/bash\n"
		 "alice:x:1000:1000:Alice,,,:/home/alice:/bin/zsh\n"
		 "toor:x:0:0:a second root:/root:/bin/sh\n"
		 "nobody:*:65534:65534::/:\n"
		 "max:x:4294967295:1:::\n"
		 "bob:x:1001:1001:no line end:/:");
	put_file(f, f->group, "wheel:x:0:root,alice\nstaff:x:50:\n");
	expect_name(f, 0, 0, "root");
	expect_name(f, 1000, 0, "alice");
	expect_name(f, 1001, 0, "bob");
	expect_name(f, 65534, 0, "nobody");
	expect_name(f, UINT32_MAX, 0, "max");
	expect_name(f, 2, 0, NULL);
	assert_string_equal(users_group(f->users, 0, 0), "wheel");
	assert_string_equal(users_group(f->users, 50, 0), "staff");
	assert_null(users_group(f->users, 1000, 0));
}

static void test_malformed_lines(void **state)
{
	struct fixture *f = *state;

	put_file(f, f->passwd,
		 "\n:\n::\n:::\n"
		 "#comment:x:1:1:::\n"
		 ":x:2:2:no name::\n"
		 "empty:x::3:::\n"
		 "sign:x:-4:4:::\n"
		 "hex:x:0x5:5:::\n"
		 "big:x:4294967296:6:::\n"
		 "huge:x:99999999999999999999:7:::\n"
		 "short:x:8\n"
		 "+@nisgroup\n"
		 "good:x:9:9:::\n");
	for (uint32_t uid = 0; uid < 9; uid++)
		expect_name(f, uid, 0, NULL);
	expect_name(f, 9, 0, "good");
}

/* A line longer than the buffer counts when the id is in its first part, and its rest is no line. */
static void test_long_lines(void **state)
{
	struct fixture *f = *state;
	char text[USERS_LINE_MAX * 6] = "", name[USERS_LINE_MAX * 2];
	size_t used;

	memset(name, 'n', sizeof(name));
	/* too long a name; and one that leaves the id's first digit in the buffer, not the second */
	used = (size_t)snprintf(text, sizeof(text), "%.*s:x:77:\n", USERS_LINE_MAX, name);
	used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s:x:12:0:\n",
				 USERS_LINE_MAX - 5, name);
	used += (size_t)snprintf(text + used, sizeof(text) - used, "many:x:10:%.*s,x:y:11:\n",
				 USERS_LINE_MAX, name);
	snprintf(text + used, sizeof(text) - used, "last:x:13:\n");
	put_file(f, f->group, text);
	assert_string_equal(users_group(f->users, 10, 0), "many");
	assert_string_equal(users_group(f->users, 13, 0), "last");
	assert_null(users_group(f->users, 77, 0));
	assert_null(users_group(f->users, 1, 0));
	assert_null(users_group(f->users, 12, 0));
	assert_null(users_group(f->users, 11, 0));
}

static void test_changes_are_seen_after_a_second(void **state)
{
	struct fixture *f = *state;

	expect_name(f, 1000, 5 * SECOND, NULL);
	put_file(f, f->passwd, "alice:x:1000:1000:::\n");
	expect_name(f, 1000, 5 * SECOND + 999999999, NULL);
	expect_name(f, 1000, 6 * SECOND, "alice");
	put_file(f, f->passwd, "carol:x:1000:1000:::\n");
	expect_name(f, 1000, 6 * SECOND + 1, "alice");
	expect_name(f, 1000, 7 * SECOND, "carol");
	/* a file that is gone leaves what was known */
	assert_int_equal(unlink(f->passwd), 0);
	expect_name(f, 1000, 8 * SECOND, "carol");
}

/* The names of one moment stay valid while that moment's other names are asked. */
static void test_names_of_one_moment(void **state)
{
	struct fixture *f = *state;
	const char *user;

	put_file(f, f->passwd, "alice:x:1000:1000:::\n");
	put_file(f, f->group, "staff:x:50:\n");
	user = users_name(f->users, 1000, SECOND);
	put_file(f, f->passwd, "mallory:x:1000:1000:::\n");
	put_file(f, f->group, "other:x:50:\n");
	assert_string_equal(users_group(f->users, 50, SECOND), "staff");
	assert_string_equal(user, "alice");
}

static void test_bounded(void **state)
{
	struct fixture *f = *state;
	FILE *file = fopen(f->passwd, "we");

	assert_non_null(file);
	/* from the highest down, so that each goes to the front */
	for (unsigned int i = 0; i < USERS_CACHED_MAX + 10; i++)
		fprintf(file, "user%u:x:%u:0:::\n", i, 1000000 - i);
	fclose(file);
	expect_name(f, 1000000, 0, "user0");
	expect_name(f, 1000000 - USERS_CACHED_MAX + 1, 0, "user1023");
	expect_name(f, 1000000 - USERS_CACHED_MAX, 0, NULL);
}

#define with_files(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_files(test_names),
		with_files(test_malformed_lines),
		with_files(test_long_lines),
		with_files(test_changes_are_seen_after_a_second),
		with_files(test_names_of_one_moment),
		with_files(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
