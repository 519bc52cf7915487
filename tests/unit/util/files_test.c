/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gnomon/limits.h"
#include "util/arena.h"
#include "util/diag.h"
#include "util/files.h"
#include "util/glob.h"
#include "util/sha256.h"
#include "util/suggest.h"

static bool glob(const char *pattern, const char *text)
{
	return glob_matches(span_str(pattern), span_str(text));
}

static void test_glob(void **state)
{
	char many[64], text[4096];

	(void)state;
	assert_true(glob("", ""));
	assert_false(glob("", "a"));
	assert_true(glob("*", ""));
	assert_true(glob("gpt-4o*", "gpt-4o"));
	assert_true(glob("gpt-4o*", "gpt-4o-mini"));
	assert_false(glob("gpt-4o*", "my-gpt-4o"));
	assert_true(glob("*claude*", "us.anthropic.claude-x"));
	assert_true(glob("a*b*c", "aXbYbZc"));
	assert_false(glob("a*b*c", "aXbYbZ"));
	assert_true(glob("a?c", "abc"));
	assert_false(glob("a?c", "ac"));
	assert_false(glob("ABC", "abc"));
	/* would take ages if each star were tried again */
	memset(many, 'a', sizeof(many));
	for (size_t i = 1; i < sizeof(many); i += 2)
		many[i] = '*';
	memset(text, 'a', sizeof(text));
	assert_false(glob_matches(span_of(many, sizeof(many) - 2), span_of("b", 1)));
	text[sizeof(text) - 1] = 'b';
	assert_false(glob_matches(span_of(many, sizeof(many) - 1), span_of(text, sizeof(text))));
}

static void test_suggest(void **state)
{
	static const char *const words[] = {"user.name", "user.id", "gnomon.verdict", "when"};
	static const struct {
		const char *word, *wanted;
	} cases[] = {
		{"user.nam", "user.name"},
		{"user.nmae", "user.name"},
		{"User.Name", "user.name"},
		{"verdict", "gnomon.verdict"},
		{"wehn", "when"},
		{"wh", ""},
		{"process", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct suggestion near = {0};
		char best[64];

		for (size_t w = 0; w < 4; w++)
			suggest_offer(&near, span_str(cases[i].word), span_str(words[w]));
		span_copy(best, sizeof(best), near.best);
		assert_string_equal(best, cases[i].wanted);
	}
}

static void test_sha256(void **state)
{
	struct sha256 *sum = sha256_new();
	char empty[SHA256_HEX_BYTES], one[SHA256_HEX_BYTES], other[SHA256_HEX_BYTES];

	(void)state;
	assert_int_equal(sha256_hex(sum, empty), 0);
	/* FIPS 180-4's sum of nothing */
	assert_string_equal(empty,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_add(sum, SPAN_LITERAL("ab"));
	sha256_add(sum, SPAN_LITERAL("c"));
	sha256_hex(sum, one);
	sha256_free(sum);
	sum = sha256_new();
	sha256_add(sum, SPAN_LITERAL("a"));
	sha256_add(sum, SPAN_LITERAL("bc"));
	sha256_hex(sum, other);
	assert_string_not_equal(one, other);
	sha256_free(sum);
}

static void test_arena(void **state)
{
	struct arena a = {0}, b = {0};
	char *large = arena_alloc(&a, ARENA_BLOCK_BYTES * 3);
	char *small = arena_string(&a, SPAN_LITERAL("x"));
	char *moved = arena_format(&b, "%d-%s", 5, "y");

	(void)state;
	assert_int_equal(large[ARENA_BLOCK_BYTES * 3 - 1], 0);
	assert_string_equal(small, "x");
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal((uintptr_t)arena_alloc(&a, i) % 16, 0);
	assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	assert_null(arena_alloc(&a, SIZE_MAX - 3));
	arena_join(&a, &b);
	arena_done(&b);
	assert_string_equal(moved, "5-y");
	arena_done(&a);
}

static void test_files(void **state)
{
	struct diag diag = {0};
	struct file_text text;
	struct file_list list;

	(void)state;
	assert_int_equal(file_read("/nonexistent/x", 10, &text, &diag), -ENOENT);
	assert_string_equal(diag.messages[0], "/nonexistent/x: No such file or directory");
	assert_int_equal(file_read("/tmp", 10, &text, &diag), -EISDIR);
	assert_int_equal(file_read("/dev/null", 10, &text, &diag), -EINVAL);
	assert_string_equal(diag.messages[2], "/dev/null: not a regular file");
	assert_int_equal(file_read("/proc/self/exe", 10, &text, &diag), -EFBIG);
	assert_int_equal(file_list_directory("/nonexistent", ".yaml", &list, &diag), -ENOENT);
	diag_done(&diag);
}

/* As many files as a directory of rules may have, and one more. */
static void test_many_files(void **state)
{
	char directory[] = "/tmp/gnomon-files-XXXXXX", path[64], message[64];
	struct file_list list = {0};
	struct diag diag = {0};

	(void)state;
	assert_non_null(mkdtemp(directory));
	for (int i = 0; i <= DIRECTORY_FILES_MAX; i++) {
		snprintf(path, sizeof(path), "%s/%04d.yaml", directory, i);
		close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		if (i == DIRECTORY_FILES_MAX - 1) {
			assert_int_equal(file_list_directory(directory, ".yaml", &list, &diag), 0);
			assert_int_equal(list.count, DIRECTORY_FILES_MAX);
			file_list_done(&list);
		}
	}
	assert_int_equal(file_list_directory(directory, ".yaml", &list, &diag), -E2BIG);
	snprintf(message, sizeof(message), "%s: too many files", directory);
	assert_string_equal(diag.messages[0], message);
	for (int i = 0; i <= DIRECTORY_FILES_MAX; i++) {
		snprintf(path, sizeof(path), "%s/%04d.yaml", directory, i);
		unlink(path);
	}
	rmdir(directory);
	diag_done(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob),   cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_sha256), cmocka_unit_test(test_arena),
		cmocka_unit_test(test_files),  cmocka_unit_test(test_many_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
