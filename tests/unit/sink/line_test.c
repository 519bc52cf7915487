/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/line.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <cmocka.h>

#include "util/cleanup.h"

#define LINES 300

/* Line i: its number, padding that depends on it, and the line end. */
static size_t make_line(char *line, unsigned int i)
{
	size_t len = 40 + i * 7919 % (EVENT_LINE_MAX - 40);

	memset(line, 'a' + (int)(i % 26), len);
	line[snprintf(line, 20, "%08u ", i)] = '|';
	line[len - 1] = '\n';
	return len;
}

static void expect_line(FILE *from, unsigned int i)
{
	char want[EVENT_LINE_MAX], *got = NULL;
	size_t cap = 0, len = make_line(want, i);

	assert_int_equal(getline(&got, &cap, from), len);
	assert_memory_equal(got, want, len);
	free(got);
}

struct slow_reader {
	int fd;
	FILE *copy;
};

/* A few bytes at a time, with pauses: the writer meets a full pipe all the time. */
static void *read_slowly(void *arg)
{
	struct slow_reader *reader = arg;
	char buffer[3000];
	sigset_t signals;
	ssize_t n;

	/* they are for the writer */
	sigfillset(&signals);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	while ((n = read(reader->fd, buffer, sizeof(buffer))) > 0) {
		fwrite(buffer, 1, (size_t)n, reader->copy);
		usleep(200);
	}
	return NULL;
}

static void write_to_slow_pipe(bool nonblocking)
{
	struct slow_reader reader;
	struct line_writer writer;
	char line[EVENT_LINE_MAX];
	pthread_t thread;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
	if (nonblocking)
		assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	reader = (struct slow_reader){fds[0], tmpfile()};
	assert_non_null(reader.copy);
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);

	line_writer_init(&writer, fds[1]);
	for (unsigned int i = 0; i < LINES; i++) {
		size_t len = make_line(line, i);
		int r;

		/* what an interrupted call says: nothing of this line is out */
		while ((r = line_write(&writer, line, len)) == -EINTR)
			;
		assert_int_equal(r, 0);
	}
	while (writer.rest_len)
		line_writer_flush(&writer);
	close(fds[1]);
	pthread_join(thread, NULL);
	close(fds[0]);

	rewind(reader.copy);
	for (unsigned int i = 0; i < LINES; i++)
		expect_line(reader.copy, i);
	assert_int_equal(fgetc(reader.copy), EOF);
	fclose(reader.copy);
}

static void test_slow_pipe(void **state)
{
	(void)state;
	write_to_slow_pipe(false);
}

static void test_slow_nonblocking_pipe(void **state)
{
	(void)state;
	write_to_slow_pipe(true);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* Signals every 100 us cut writes short at every place. */
static void test_signals(void **state)
{
	const struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART */
	const struct itimerval often = {{0, 100}, {0, 100}}, never = {0};

	(void)state;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	write_to_slow_pipe(false);
	write_to_slow_pipe(true);
	setitimer(ITIMER_REAL, &never, NULL);
}

static void test_reader_gone(void **state)
{
	struct line_writer writer;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	line_writer_init(&writer, fds[1]);
	assert_int_equal(line_write(&writer, "{}\n", 3), 0);
	close(fds[0]);
	assert_int_equal(line_write(&writer, "{}\n", 3), -EPIPE);
	line_writer_flush(&writer);
	close(fds[1]);
}

/* A limit on the file's size cuts a write short, then refuses, as a full disk does. */
static void limit_size(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk_takes_back(void **state)
{
	int flags[] = {0, O_APPEND};

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		char path[] = "/tmp/gnomon-line-XXXXXX", got[64] = "";
		_cleanup_close_ int fd = mkostemp(path, flags[i]);
		struct line_writer writer;

		assert_true(fd >= 0);
		unlink(path);
		line_writer_init(&writer, fd);
		assert_int_equal(line_write(&writer, "first\n", 6), 0);
		limit_size(10);
		assert_int_equal(line_write(&writer, "second\n", 7), -EFBIG);
		assert_int_equal(line_write(&writer, "2nd\n", 4), 0);
		assert_int_equal(line_write(&writer, "3rd\n", 4), -EFBIG);
		limit_size(RLIM_INFINITY);
		assert_int_equal(line_write(&writer, "third\n", 6), 0);
		assert_int_equal(pread(fd, got, sizeof(got), 0), 16);
		assert_string_equal(got, "first\n2nd\nthird\n");
	}
}

/* What broke off and cannot be taken back is ended before the next line. */
static void test_torn_line_is_ended(void **state)
{
	char path[] = "/tmp/gnomon-line-XXXXXX", got[64] = "";
	_cleanup_close_ int fd = mkostemp(path, O_APPEND);
	struct line_writer writer;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, "half", 4), 4);
	line_writer_init(&writer, fd);
	line_writer_torn(&writer);
	limit_size(4);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(line_write(&writer, "lost\n", 5), -EFBIG);
	limit_size(RLIM_INFINITY);
	assert_int_equal(line_write(&writer, "next\n", 5), 0);
	assert_int_equal(line_write(&writer, "more\n", 5), 0);
	assert_int_equal(pread(fd, got, sizeof(got), 0), 15);
	assert_string_equal(got, "half\nnext\nmore\n");
}

static void test_full_device(void **state)
{
	_cleanup_close_ int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct line_writer writer;

	(void)state;
	assert_true(fd >= 0);
	line_writer_init(&writer, fd);
	assert_int_equal(line_write(&writer, "{}\n", 3), -ENOSPC);
	assert_int_equal(writer.rest_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_pipe),
		cmocka_unit_test(test_slow_nonblocking_pipe),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_reader_gone),
		cmocka_unit_test(test_full_disk_takes_back),
		cmocka_unit_test(test_torn_line_is_ended),
		cmocka_unit_test(test_full_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
