/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/sd_notify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

#include "util/cleanup.h"

/* A bound datagram socket; `name` is in the form of the environment variable. */
static int listen_on(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	return fd;
}

static void expect(int fd, const char *want)
{
	char got[64] = "";

	assert_int_equal(recv(fd, got, sizeof(got) - 1, 0), strlen(want));
	assert_string_equal(got, want);
}

static void test_path(void **state)
{
	char dir[] = "/tmp/gnomon-notify-XXXXXX", path[64];
	_cleanup_close_ int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	fd = listen_on(path);
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(sd_notify_send("READY=1\nSTATUS=watching"), 1);
	expect(fd, "READY=1\nSTATUS=watching");
	unlink(path);
	assert_int_equal(sd_notify_send("WATCHDOG=1"), -ENOENT);
	rmdir(dir);
}

static void test_abstract(void **state)
{
	char name[64];
	_cleanup_close_ int fd = -1;

	(void)state;
	snprintf(name, sizeof(name), "@gnomon-notify-test-%d", (int)getpid());
	fd = listen_on(name);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(sd_notify_send("WATCHDOG=1"), 1);
	expect(fd, "WATCHDOG=1");
}

static void test_full_socket_does_not_block(void **state)
{
	char name[64];
	_cleanup_close_ int fd = -1;
	int r = 1;

	(void)state;
	snprintf(name, sizeof(name), "@gnomon-notify-full-%d", (int)getpid());
	fd = listen_on(name);
	setenv("NOTIFY_SOCKET", name, 1);
	for (int i = 0; i < 100000 && r == 1; i++)
		r = sd_notify_send("WATCHDOG=1");
	assert_int_equal(r, -EAGAIN);
}

static void test_nobody_asked(void **state)
{
	char longest[200];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(sd_notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(sd_notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(sd_notify_send("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(sd_notify_send("READY=1"), -EINVAL);
	memset(longest, '/', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	assert_int_equal(sd_notify_send("READY=1"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_abstract),
		cmocka_unit_test(test_full_socket_does_not_block),
		cmocka_unit_test(test_nobody_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
