/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "util/cleanup.h"
#include "util/diag.h"

/* Files are written by hand, so that a reader's and a writer's error cannot cancel out. */

#define PCAP_HEADER(magic, link) magic "\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0" link "\0\0\0"
#define MICRO                    "\xd4\xc3\xb2\xa1"
#define NANO                     "\x4d\x3c\xb2\xa1"
/* seconds 2, fraction 7, 4 bytes of 4 */
#define PACKET                                                                                     \
	"\2\0\0\0\7\0\0\0\4\0\0\0\4\0\0\0"                                                         \
	"ABCD"
/* 3 bytes of 1500 */
#define CUT_PACKET                                                                                 \
	"\3\0\0\0\7\0\0\0\3\0\0\0\xdc\5\0\0"                                                       \
	"EFG"

/* Section header; interface of DLT_RAW with if_tsresol 9; a packet at 2.000000007. */
#define PCAPNG_SECTION                                                                             \
	"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0" \
	"\0\0"
#define PCAPNG_INTERFACE(link)                                                                     \
	"\1\0\0\0\x20\0\0\0" link "\0\0\0\0\0\4\0\x09\0\1\0\x09\0\0\0\0\0\0\0\x20\0\0\0"
#define PCAPNG_PACKET                                                                              \
	"\6\0\0\0\x24\0\0\0\0\0\0\0\0\0\0\0\7\x94\x35\x77\4\0\0\0\4\0\0\0"                         \
	"ABCD\x24\0\0\0"

struct file {
	char path[32];
};

static struct file write_file(const char *bytes, size_t len)
{
	struct file f = {"/tmp/pcap_test.XXXXXX"};
	int fd = mkstemp(f.path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	return f;
}

#define WRITE_FILE(s) write_file(s, sizeof(s) - 1)

static void *open_ok(const char *path, const char *filter)
{
	const struct source_config config = {.path = path, .filter = filter};
	struct diag diag = {0};
	void *state = NULL;

	assert_int_equal(pcap_source.open(&state, &config, &diag), 0);
	assert_non_null(state);
	assert_false(diag_any(&diag));
	return state;
}

/* The first message after the path, which must be there. */
static void assert_refused(const char *path, const char *filter, int expect, const char *message)
{
	const struct source_config config = {.path = path, .filter = filter};
	struct diag diag = {0};
	void *state = NULL;

	assert_int_equal(pcap_source.open(&state, &config, &diag), expect);
	assert_null(state);
	assert_int_equal(diag.count, 1);
	assert_memory_equal(diag.messages[0], path, strlen(path));
	assert_memory_equal(diag.messages[0] + strlen(path), ": ", 2);
	if (!strstr(diag.messages[0], message))
		fail_msg("\"%s\" lacks \"%s\"", diag.messages[0], message);
	diag_done(&diag);
}

static void assert_packet(void *state, uint64_t time_ns, const char *bytes, uint32_t wire_len)
{
	struct observation obs;

	assert_int_equal(pcap_source.next(state, &obs, 0), 1);
	assert_int_equal(obs.kind, OBS_PACKET);
	assert_null(obs.who);
	assert_true(obs.time_ns == time_ns);
	assert_int_equal(obs.packet.cookie, 0);
	assert_int_equal(obs.packet.link_type, DLT_RAW);
	assert_int_equal(obs.packet.wire_len, wire_len);
	assert_int_equal(obs.packet.bytes.len, strlen(bytes));
	assert_memory_equal(obs.packet.bytes.at, bytes, strlen(bytes));
}

static void assert_end(void *state, int expect, uint64_t observations, uint64_t truncated)
{
	struct observation obs;
	struct source_stats stats;

	assert_int_equal(pcap_source.next(state, &obs, 0), expect);
	assert_int_equal(pcap_source.next(state, &obs, 0), expect);
	pcap_source.stats(state, &stats);
	assert_int_equal(stats.observations, observations);
	assert_int_equal(stats.lost[LOSS_TRUNCATED], truncated);
	pcap_source.close(state);
}

static void whole_files(void **unused)
{
	struct file micro = WRITE_FILE(PCAP_HEADER(MICRO, "\x65") PACKET CUT_PACKET);
	struct file nano = WRITE_FILE(PCAP_HEADER(NANO, "\x65") PACKET);
	struct file ng = WRITE_FILE(PCAPNG_SECTION PCAPNG_INTERFACE("\x65") PCAPNG_PACKET);
	void *state;

	(void)unused;
	state = open_ok(micro.path, NULL);
	assert_packet(state, 2000007000, "ABCD", 4);
	assert_packet(state, 3000007000, "EFG", 1500);
	assert_int_equal(pcap_source.steer(state, NULL), 0);
	assert_end(state, -ENODATA, 2, 0);

	state = open_ok(nano.path, "");
	assert_packet(state, 2000000007, "ABCD", 4);
	assert_end(state, -ENODATA, 1, 0);

	state = open_ok(ng.path, NULL);
	assert_packet(state, 2000000007, "ABCD", 4);
	assert_end(state, -ENODATA, 1, 0);
	unlink(micro.path);
	unlink(nano.path);
	unlink(ng.path);
}

static void cut_files_deliver_all_before(void **unused)
{
	static const char whole[] = PCAP_HEADER(NANO, "\x65") PACKET PACKET;
	static const char ng[] = PCAPNG_SECTION PCAPNG_INTERFACE("\x65")
		PCAPNG_PACKET PCAPNG_PACKET;
	struct file f;
	void *state;

	(void)unused;
	for (size_t cut = 1; cut < sizeof(PACKET) - 1; cut++) {
		f = write_file(whole, sizeof(whole) - 1 - cut);
		state = open_ok(f.path, NULL);
		assert_packet(state, 2000000007, "ABCD", 4);
		assert_end(state, -EPIPE, 1, 1);
		unlink(f.path);
	}
	for (size_t cut = 1; cut < sizeof(PCAPNG_PACKET) - 1; cut++) {
		f = write_file(ng, sizeof(ng) - 1 - cut);
		state = open_ok(f.path, NULL);
		assert_packet(state, 2000000007, "ABCD", 4);
		assert_end(state, -EPIPE, 1, 1);
		unlink(f.path);
	}
}

static void filters(void **unused)
{
	/* an IPv4 header with the protocol TCP, then one with UDP */
#define IPV4_PACKET(protocol)                                                                      \
	"\2\0\0\0\7\0\0\0\x14\0\0\0\x14\0\0\0"                                                     \
	"\x45\0\0\x14\0\0\0\0\x40" protocol "\0\0\1\1\1\1\2\2\2\2"
	struct file f = WRITE_FILE(PCAP_HEADER(NANO, "\x65") IPV4_PACKET("\6") IPV4_PACKET("\x11"));
	struct observation obs;
	void *state = open_ok(f.path, "udp");

	(void)unused;
	assert_int_equal(pcap_source.next(state, &obs, 0), 1);
	assert_int_equal(obs.packet.bytes.at[9], 0x11);
	assert_end(state, -ENODATA, 1, 0);
	assert_refused(f.path, "no such filter", -EINVAL, "filter \"no such filter\": ");
	assert_refused(f.path, "vlan 7", -EINVAL, "vlan"); /* not on this link type */
	unlink(f.path);
}

static void refused_files(void **unused)
{
	struct file text = WRITE_FILE("this is a text file and no capture at all\n");
	struct file nothing = WRITE_FILE("");
	struct file wifi = WRITE_FILE(PCAP_HEADER(MICRO, "\x69") PACKET);

	(void)unused;
	assert_refused("/nonexistent/file.pcap", NULL, -ENOENT, "No such file");
	assert_refused("/tmp", NULL, -EBADMSG, "not a readable capture file");
	assert_refused(text.path, NULL, -EBADMSG, "not a readable capture file");
	assert_refused(nothing.path, NULL, -EBADMSG, "not a readable capture file");
	assert_refused(wifi.path, NULL, -ENOTSUP, "link type IEEE802_11 (105) is not supported");
	unlink(text.path);
	unlink(nothing.path);
	unlink(wifi.path);
}

static void a_second_link_type_breaks(void **unused)
{
	struct file f = WRITE_FILE(PCAPNG_SECTION PCAPNG_INTERFACE("\x65")
					   PCAPNG_PACKET PCAPNG_INTERFACE("\1") PCAPNG_PACKET);
	void *state = open_ok(f.path, NULL);

	(void)unused;
	assert_packet(state, 2000000007, "ABCD", 4);
	assert_end(state, -EBADMSG, 1, 0);
	unlink(f.path);
}

static void standard_input(void **unused)
{
	struct file f = WRITE_FILE(PCAP_HEADER(NANO, "\x65") PACKET);
	_cleanup_close_ int saved = dup(STDIN_FILENO), fd = open(f.path, O_RDONLY | O_CLOEXEC);
	void *state;

	(void)unused;
	assert_true(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	state = open_ok("-", NULL);
	assert_packet(state, 2000000007, "ABCD", 4);
	assert_end(state, -ENODATA, 1, 0);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* still open */
	if (saved >= 0)
		dup2(saved, STDIN_FILENO);
	unlink(f.path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files),
		cmocka_unit_test(cut_files_deliver_all_before),
		cmocka_unit_test(filters),
		cmocka_unit_test(refused_files),
		cmocka_unit_test(a_second_link_type_breaks),
		cmocka_unit_test(standard_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
