/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "util/cleanup.h"
#include "util/diag.h"

struct fixture {
	char dir[64], path[128], other[128], spec[160];
	struct diag diag;
	struct event event;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->dir, "/tmp/gnomon-output-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/events.json", f->dir);
	snprintf(f->other, sizeof(f->other), "%s/events.json.1", f->dir);
	snprintf(f->spec, sizeof(f->spec), "file:%s", f->path);
	event_init(&f->event);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	diag_done(&f->diag);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	free(f);
	return system(command);
}

static struct output *open_it(struct fixture *f, const char *sequence_dir)
{
	struct output *output = output_open(f->spec, "ecs", sequence_dir, &f->diag);

	diag_print(&f->diag, stderr);
	assert_non_null(output);
	return output;
}

static void expect_file(const char *path, const char *want)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char got[512] = "";

	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	assert_string_equal(got, want);
}

static void put_file(const char *path, const char *text)
{
	_cleanup_fclose_ FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
}

#define LINE(n) "{\"event\":{\"sequence\":" #n "}}\n"

static void test_appends(void **state)
{
	struct fixture *f = *state;
	struct output_stats stats;
	struct output *output;
	struct stat st;

	umask(0);
	for (int i = 0; i < 2; i++) {
		output = open_it(f, NULL);
		assert_int_equal(output_write(output, &f->event), 0);
		assert_int_equal(output_write(output, &f->event), 0);
		output_stats(output, &stats);
		assert_int_equal(stats.written, 2);
		assert_int_equal(stats.refused, 0);
		assert_int_equal(stats.unsaved, 0);
		output_close(output);
	}
	expect_file(f->path, LINE(1) LINE(2) LINE(1) LINE(2));
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_sequence_is_kept(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		struct output *output = open_it(f, f->dir);

		output_write(output, &f->event);
		output_write(output, &f->event);
		output_close(output);
	}
	expect_file(f->path, LINE(1) LINE(2) LINE(3) LINE(4));
}

static void test_rotation(void **state)
{
	struct fixture *f = *state;
	struct output *output = open_it(f, NULL);

	output_write(output, &f->event);
	assert_int_equal(rename(f->path, f->other), 0);
	output_write(output, &f->event); /* still the old file: nothing is lost in between */
	assert_int_equal(output_reopen(output, &f->diag), 0);
	output_write(output, &f->event);
	expect_file(f->other, LINE(1) LINE(2));
	expect_file(f->path, LINE(3));

	/* "create" of logrotate made the file, and copytruncate is survived too */
	assert_int_equal(truncate(f->path, 0), 0);
	output_write(output, &f->event);
	expect_file(f->path, LINE(4));
	output_close(output);
}

static void test_failed_reopen_keeps_the_old(void **state)
{
	struct fixture *f = *state;
	struct output *output = open_it(f, NULL);

	output_write(output, &f->event);
	assert_int_equal(rename(f->path, f->other), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(output_reopen(output, &f->diag), -EISDIR);
	assert_int_equal(f->diag.count, 1);
	assert_int_equal(output_write(output, &f->event), 0);
	expect_file(f->other, LINE(1) LINE(2));
	output_close(output);
}

static void test_torn_file_is_repaired(void **state)
{
	struct fixture *f = *state;
	struct output *output;

	put_file(f->path, "{\"event\":{\"sequ");
	output = open_it(f, NULL);
	output_write(output, &f->event);
	output_close(output);
	expect_file(f->path, "{\"event\":{\"sequ\n" LINE(1));
}

/* The number rises, so that the gap shows what the full disk has cost. */
static void test_full_disk(void **state)
{
	struct rlimit limit;
	struct fixture *f = *state;
	struct output *output = open_it(f, NULL);
	struct output_stats stats;

	signal(SIGXFSZ, SIG_IGN);
	output_write(output, &f->event);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = sizeof(LINE(1)) + 5;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(output_write(output, &f->event), -EFBIG);
	assert_int_equal(output_write(output, &f->event), -EFBIG);
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(output_write(output, &f->event), 0);
	output_stats(output, &stats);
	assert_int_equal(stats.written, 2);
	assert_int_equal(stats.refused, 2);
	output_close(output);
	expect_file(f->path, LINE(1) LINE(4));
}

static void test_full_device(void **state)
{
	struct fixture *f = *state;
	struct output *output;

	strcpy(f->spec, "file:/dev/full");
	output = open_it(f, NULL);
	assert_int_equal(output_write(output, &f->event), -ENOSPC);
	assert_int_equal(output_write(output, &f->event), -ENOSPC);
	output_close(output);
}

static void expect_refusal(struct fixture *f, const char *spec, const char *format,
			   const char *message)
{
	assert_null(output_open(spec, format, NULL, &f->diag));
	assert_true(f->diag.count >= 1);
	if (!strstr(f->diag.messages[0], message))
		fail_msg("\"%s\" is not in \"%s\"", message, f->diag.messages[0]);
	diag_done(&f->diag);
}

static void test_bad_specs(void **state)
{
	struct fixture *f = *state;
	char spec[160];

	expect_refusal(f, "syslogg", "ecs", "\"syslogg\"; there are: stdout, file");
	expect_refusal(f, "", "ecs", "there are: stdout, file");
	expect_refusal(f, "fil", "ecs", "there are: stdout, file");
	expect_refusal(f, "File:/tmp/x", "ecs", "there are: stdout, file");
	expect_refusal(f, "stdout", "xml", "\"xml\"; there are: ecs");
	expect_refusal(f, "stdout:x", "ecs", "takes no argument");
	expect_refusal(f, "file", "ecs", "needs a path");
	expect_refusal(f, "file:", "ecs", "needs a path");
	expect_refusal(f, "file:/nonexistent/x", "ecs", "No such file");
	expect_refusal(f, "file:/tmp", "ecs", "directory");

	assert_int_equal(symlink("target", f->path), 0);
	expect_refusal(f, f->spec, "ecs", "symbolic link");
	assert_int_equal(mkfifo(f->other, 0600), 0);
	snprintf(spec, sizeof(spec), "file:%s", f->other);
	expect_refusal(f, spec, "ecs", "not a file");
}

/* Standard output into a pipe whose reader goes away. */
static void test_stdout(void **state)
{
	struct fixture *f = *state;
	int saved = dup(STDOUT_FILENO), fds[2];
	char got[128] = "";
	struct output *output;
	int written, gone;

	signal(SIGPIPE, SIG_IGN);
	fflush(stdout);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	dup2(fds[1], STDOUT_FILENO);
	close(fds[1]);
	output = output_open("stdout", "ecs", NULL, &f->diag);
	written = output ? output_write(output, &f->event) : -1;
	if (read(fds[0], got, sizeof(got) - 1) < 0)
		got[0] = '\0';
	close(fds[0]);
	gone = output ? output_write(output, &f->event) : 0;
	if (output)
		output_reopen(output, &f->diag);
	output_close(output);
	dup2(saved, STDOUT_FILENO);
	close(saved);

	assert_int_equal(written, 0);
	assert_string_equal(got, LINE(1));
	assert_int_equal(gone, -EPIPE);
}

#define with_dir(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_dir(test_appends),
		with_dir(test_sequence_is_kept),
		with_dir(test_rotation),
		with_dir(test_failed_reopen_keeps_the_old),
		with_dir(test_torn_file_is_repaired),
		with_dir(test_full_disk),
		with_dir(test_full_device),
		with_dir(test_bad_specs),
		with_dir(test_stdout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
