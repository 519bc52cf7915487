/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/sequence.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/diag.h"

#define NAME SPAN_LITERAL("file:/var/log/gnomon/events.json")
/* fnv1a of NAME: kept here so that a changed hash, which would lose everybody's numbers, fails */
#define FILE_NAME "b049fea81c5d537d.sequence"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/gnomon-sequence-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static struct sequence *open_it(void)
{
	struct sequence *sequence = NULL;
	struct diag diag = {0};

	assert_int_equal(sequence_open(&sequence, dir, NAME, &diag), 0);
	assert_false(diag_any(&diag));
	return sequence;
}

static void put_file(const char *text)
{
	char path[128];
	_cleanup_fclose_ FILE *file = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, FILE_NAME);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
}

static void test_in_memory(void **state)
{
	struct diag diag = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct sequence *sequence;

		assert_int_equal(sequence_open(&sequence, NULL, NAME, &diag), 0);
		for (uint64_t n = 1; n <= SEQUENCE_BLOCK * 2; n++)
			assert_int_equal(sequence_next(sequence), n);
		assert_int_equal(sequence_failures(sequence), 0);
		sequence_close(sequence);
	}
}

static void test_clean_restart_goes_on(void **state)
{
	uint64_t want = 1;

	(void)state;
	for (int run = 0; run < 5; run++) {
		struct sequence *sequence = open_it();

		for (int i = 0; i < run * 700; i++)
			assert_int_equal(sequence_next(sequence), want++);
		sequence_close(sequence);
	}
}

/* Dies without closing after `count` numbers; the last one is told by the pipe. */
static uint64_t run_and_die(int count)
{
	uint64_t last = 0;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		struct sequence *sequence = NULL;
		struct diag diag = {0};

		if (sequence_open(&sequence, dir, NAME, &diag) < 0)
			_exit(1);
		for (int i = 0; i < count; i++)
			last = sequence_next(sequence);
		if (write(fds[1], &last, sizeof(last)) < 0)
			_exit(2);
		raise(SIGKILL);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &last, sizeof(last)), sizeof(last));
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return last;
}

static void test_crash_never_repeats(void **state)
{
	static const int counts[] = {
		1, 2, SEQUENCE_BLOCK - 1, SEQUENCE_BLOCK, SEQUENCE_BLOCK + 1, 3 * SEQUENCE_BLOCK,
		0, 5};
	uint64_t last = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct sequence *sequence;
		uint64_t now = run_and_die(counts[i]);

		if (counts[i])
			assert_in_range(now, last + (uint64_t)counts[i],
					last + (uint64_t)counts[i] + SEQUENCE_BLOCK);
		last = counts[i] ? now : last;
		sequence = open_it();
		now = sequence_next(sequence);
		/* after a crash there is a gap: the numbers that may have been used are skipped */
		assert_in_range(now, last + 1, last + SEQUENCE_BLOCK);
		last = now;
		sequence_close(sequence);
	}
}

static void test_second_writer_is_refused(void **state)
{
	struct sequence *first = open_it(), *second = NULL;
	struct diag diag = {0};

	(void)state;
	assert_int_equal(sequence_open(&second, dir, NAME, &diag), -EBUSY);
	assert_null(second);
	assert_int_equal(diag.count, 1);
	assert_non_null(strstr(diag.messages[0], "another process already writes"));
	diag_done(&diag);
	/* another output is another sequence */
	assert_int_equal(sequence_open(&second, dir, SPAN_LITERAL("stdout"), &diag), 0);
	assert_int_equal(sequence_next(first), 1);
	assert_int_equal(sequence_next(second), 1);
	sequence_close(second);
	sequence_close(first);
}

static void test_file_contents(void **state)
{
	static const char *const bad[] = {
		"", "\n", "7", "0\n", "-1\n", "12x\n", " 1\n", "1\n2\n", "99999999999999999999\n"};
	struct sequence *sequence = NULL;
	struct diag diag = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put_file(bad[i]);
		assert_int_equal(sequence_open(&sequence, dir, NAME, &diag), -EINVAL);
		assert_null(sequence);
		assert_int_equal(diag.count, 1);
		assert_non_null(strstr(diag.messages[0], "remove it to start again at 1"));
		diag_done(&diag);
	}
	put_file("41999\n");
	sequence = open_it();
	assert_int_equal(sequence_next(sequence), 41999);
	sequence_close(sequence);
}

static void test_no_directory(void **state)
{
	struct sequence *sequence = NULL;
	struct diag diag = {0};

	(void)state;
	assert_int_equal(sequence_open(&sequence, "/nonexistent/gnomon", NAME, &diag), -ENOENT);
	assert_int_equal(diag.count, 1);
	diag_done(&diag);
}

/* A full or broken disk does not stop the numbers; it is counted, once a block. */
static void test_save_fails(void **state)
{
	struct sequence *sequence = open_it();
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/%.16s.new", dir, FILE_NAME);
	assert_int_equal(mkdir(path, 0700), 0); /* in the way of the new file */
	for (uint64_t n = 1; n <= SEQUENCE_BLOCK + 1; n++)
		assert_int_equal(sequence_next(sequence), n);
	assert_int_equal(sequence_failures(sequence), 2);
	rmdir(path);
	sequence_close(sequence);
	sequence = open_it();
	assert_int_equal(sequence_next(sequence), SEQUENCE_BLOCK + 2);
	sequence_close(sequence);
}

#define with_dir(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_memory),   with_dir(test_clean_restart_goes_on),
		with_dir(test_crash_never_repeats), with_dir(test_second_writer_is_refused),
		with_dir(test_file_contents),       with_dir(test_no_directory),
		with_dir(test_save_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
