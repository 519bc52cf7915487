/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which files may hold a salt. What becomes of it is tested with the keys. */
#include "util/fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gnomon/limits.h"
#include "util/diag.h"

static char path[] = "/tmp/gnomon-salt.XXXXXX";

static void write_salt(size_t len, mode_t mode)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	for (size_t i = 0; i < len; i++)
		fputc('a', file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static int read_salt(const char *expect)
{
	struct diag diag = {0};
	struct fleet_salt salt;
	int r = fleet_salt_read(&salt, path, &diag);

	assert_int_equal(diag.count, r < 0);
	if (r < 0 && !strstr(diag.messages[0], expect))
		fail_msg("wanted \"%s\", got \"%s\"", expect, diag.messages[0]);
	diag_done(&diag);
	return r;
}

static void test_files(void **state)
{
	(void)state;
	write_salt(FLEET_SALT_MIN, 0600);
	assert_int_equal(read_salt(""), 0);
	write_salt(FLEET_SALT_MIN, 0400);
	assert_int_equal(read_salt(""), 0);
	write_salt(FLEET_SALT_MIN, 0640);
	assert_int_equal(read_salt("chmod 600"), -EPERM);
	write_salt(FLEET_SALT_MIN, 0604);
	assert_int_equal(read_salt("chmod 600"), -EPERM);
	write_salt(FLEET_SALT_MIN - 1, 0600);
	assert_int_equal(read_salt("at least 16 bytes"), -EINVAL);
	write_salt(FLEET_SALT_MAX + 1, 0600);
	assert_int_equal(read_salt("too long"), -EPERM);
	if (geteuid() == 0) {
		write_salt(FLEET_SALT_MIN, 0600);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(read_salt(""), -EPERM);
		assert_int_equal(chown(path, 0, 0), 0);
	}
	unlink(path);
	assert_int_equal(read_salt("No such file"), -ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_salt("no regular file"), -EPERM);
	unlink(path);
}

/* One line end at the end is not part of it. */
static void test_line_end(void **state)
{
	char with[FINGERPRINT_HEX_BYTES], without[FINGERPRINT_HEX_BYTES];
	struct diag diag = {0};
	struct fleet_salt salt;
	FILE *file = fopen(path, "we");

	(void)state;
	assert_non_null(file);
	fputs("0123456789abcdef\n", file);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(fleet_salt_read(&salt, path, &diag), 0);
	fingerprint(&salt, FINGERPRINT_KEY, SPAN_LITERAL("k"), with);
	assert_int_equal(fleet_salt_init(&salt, SPAN_LITERAL("0123456789abcdef")), 0);
	fingerprint(&salt, FINGERPRINT_KEY, SPAN_LITERAL("k"), without);
	assert_string_equal(with, without);
	fingerprint(NULL, FINGERPRINT_KEY, SPAN_LITERAL("k"), with);
	assert_string_equal(with, "");
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_line_end),
	};

	close(mkstemp(path));
	return cmocka_run_group_tests_name("util/fingerprint", tests, NULL, NULL);
}
