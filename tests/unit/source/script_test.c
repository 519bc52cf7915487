/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/sources.h"

#include <errno.h>
#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "gnomon/limits.h"
#include "source/script.h"
#include "util/cleanup.h"
#include "util/diag.h"

#define FIRST    "#gnomon-script 1\n"
#define EPOCH_NS 1767225600000000000ull

static char path[32];

static int write_script(void **unused)
{
	int fd;

	(void)unused;
	strcpy(path, "/tmp/script_test.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_script(void **unused)
{
	(void)unused;
	return unlink(path);
}

static int open_script(const char *text, void **state, struct diag *diag)
{
	const struct source_config config = {.path = path};
	_cleanup_fclose_ FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fflush(file);
	return script_source.open(state, &config, diag);
}

static void *open_ok(const char *text)
{
	struct diag diag = {0};
	void *state = NULL;
	int r = open_script(text, &state, &diag);

	if (r)
		fail_msg("%s", diag.count ? diag.messages[0] : "no message");
	assert_false(diag_any(&diag));
	return state;
}

static struct observation next(void *state, enum observation_kind kind)
{
	struct observation obs;

	assert_int_equal(script_source.next(state, &obs, 0), 1);
	assert_int_equal(obs.kind, kind);
	return obs;
}

static void assert_end(void *state)
{
	struct observation obs;

	assert_int_equal(script_source.next(state, &obs, 0), -ENODATA);
	assert_int_equal(script_source.next(state, &obs, 0), -ENODATA);
	script_source.close(state);
}

static void processes(void **unused)
{
	void *state = open_ok(FIRST "process pid=1 comm=init\n"
				    "exec pid=100 ppid=1 uid=1000 gid=1001 comm=curl\n"
				    "    file=\"/opt/my curl\" start=5.25 cgroup=0x9 # continued\n"
				    "at 1.5\n"
				    "exec pid=100 file=/bin/sh\n"
				    "at +0.000000001\n"
				    "exit pid=100");
	struct observation obs = next(state, OBS_PROCESS);

	(void)unused;
	assert_true(obs.time_ns == EPOCH_NS);
	assert_int_equal(obs.process.change, PROCESS_EXEC);
	assert_int_equal(obs.process.parent_pid, 1);
	assert_true(span_eq(obs.process.filename, SPAN_LITERAL("/opt/my curl")));
	assert_int_equal(obs.who->pid, 100);
	assert_int_equal(obs.who->uid, 1000);
	assert_int_equal(obs.who->gid, 1001);
	assert_true(obs.who->start_ns == 5250000000ull);
	assert_int_equal(obs.who->cgroup_id, 9);
	assert_string_equal(obs.who->comm, "curl");

	obs = next(state, OBS_PROCESS);
	assert_true(obs.time_ns == EPOCH_NS + 1500000000);
	assert_int_equal(obs.who->uid, 1000); /* what is not said again stays */
	assert_true(span_eq(obs.process.filename, SPAN_LITERAL("/bin/sh")));

	obs = next(state, OBS_PROCESS);
	assert_true(obs.time_ns == EPOCH_NS + 1500000001);
	assert_int_equal(obs.process.change, PROCESS_EXIT);
	assert_int_equal(obs.process.filename.len, 0);
	assert_end(state);
}

static void sockets(void **unused)
{
	static const uint8_t loopback6[16] = {[15] = 1};
	void *state = open_ok(
		FIRST "process pid=100 uid=5\n"
		      "socket established cookie=7 role=connected pid=100 local=10.0.0.2:40000"
		      " remote=203.0.113.7:443\n"
		      "socket closed cookie=7 sent=100 received=200\n"
		      "socket listening cookie=8 local=[::1]:11434\n");
	struct observation obs = next(state, OBS_SOCKET);

	(void)unused;
	assert_int_equal(obs.socket.cookie, 7);
	assert_int_equal(obs.socket.state, SOCKET_ESTABLISHED);
	assert_int_equal(obs.socket.role, SOCKET_CONNECTED);
	assert_int_equal(obs.who->uid, 5);

	obs = next(state, OBS_SOCKET);
	assert_int_equal(obs.socket.state, SOCKET_CLOSED);
	assert_int_equal(obs.socket.bytes_sent, 100);
	assert_int_equal(obs.socket.bytes_received, 200);
	assert_int_equal(obs.socket.local.port, 40000);
	assert_int_equal(obs.socket.remote.address.family, 4);
	assert_memory_equal(obs.socket.remote.address.bytes, "\xcb\0\x71\7", 4);
	assert_int_equal(obs.socket.remote.port, 443);
	assert_int_equal(obs.who->pid, 100);

	obs = next(state, OBS_SOCKET);
	assert_int_equal(obs.socket.state, SOCKET_LISTENING);
	assert_int_equal(obs.socket.local.address.family, 6);
	assert_memory_equal(obs.socket.local.address.bytes, loopback6, 16);
	assert_null(obs.who);
	assert_end(state);
}

static void streams(void **unused)
{
	void *state = open_ok(
		FIRST "process pid=100\n"
		      "segment pid=100 handle=0x10 gen=2 dir=out \"GET\\x20/\\r\\n\" \"\\\"\\0\"\n"
		      "link pid=100 handle=0x10 gen=2 cookie=7 kind=thread\n"
		      "segment pid=100 handle=0x10 gen=2 dir=out \"ab\" repeat=3 omitted=5\n"
		      "gap pid=100 handle=0x10 gen=2 dir=out bytes=500\n"
		      "segment pid=100 handle=0x10 gen=2 dir=in offset=1000 \"x\"\n"
		      "segment pid=100 handle=0x10 gen=3 dir=out \"other\"\n"
		      "segment pid=100 handle=0x10 gen=2 dir=out \"y\"\n"
		      "end pid=100 handle=0x10 gen=2\n");
	struct observation obs = next(state, OBS_SEGMENT);

	(void)unused;
	assert_true(span_eq(obs.segment.bytes, SPAN_LITERAL("GET /\r\n\"\0")));
	assert_int_equal(obs.segment.stream.pid, 100);
	assert_int_equal(obs.segment.stream.handle, 16);
	assert_int_equal(obs.segment.stream.generation, 2);
	assert_int_equal(obs.segment.cookie, 0);
	assert_int_equal(obs.who->pid, 100);

	obs = next(state, OBS_LINK);
	assert_int_equal(obs.link.kind, LINK_THREAD);
	assert_int_equal(obs.link.cookie, 7);
	assert_int_equal(obs.link.stream.generation, 2);

	obs = next(state, OBS_SEGMENT);
	assert_true(span_eq(obs.segment.bytes, SPAN_LITERAL("ababab")));
	assert_int_equal(obs.segment.offset, 9);
	assert_int_equal(obs.segment.omitted, 5);
	assert_int_equal(obs.segment.cookie, 7);

	obs = next(state, OBS_SEGMENT);
	assert_int_equal(obs.segment.bytes.len, 0);
	assert_int_equal(obs.segment.offset, 20);
	assert_int_equal(obs.segment.omitted, 500);

	obs = next(state, OBS_SEGMENT);
	assert_int_equal(obs.segment.dir, DIR_IN);
	assert_int_equal(obs.segment.offset, 1000);

	obs = next(state, OBS_SEGMENT);
	assert_int_equal(obs.segment.offset, 0);
	assert_int_equal(obs.segment.stream.generation, 3);

	obs = next(state, OBS_SEGMENT);
	assert_int_equal(obs.segment.offset, 520);

	obs = next(state, OBS_STREAM_END);
	assert_int_equal(obs.stream_end.total[DIR_OUT], 521);
	assert_int_equal(obs.stream_end.total[DIR_IN], 1001);
	assert_end(state);
}

static void long_segments_come_in_parts(void **unused)
{
	void *state = open_ok(
		FIRST "process pid=1\n"
		      "segment pid=1 handle=1 dir=in \"0123456789\" repeat=4000 omitted=9\n");
	static const size_t parts[] = {SEGMENT_BYTES_MAX, SEGMENT_BYTES_MAX,
				       40000 - 2 * SEGMENT_BYTES_MAX};
	uint64_t offset = 0;

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		struct observation obs = next(state, OBS_SEGMENT);

		assert_int_equal(obs.segment.bytes.len, parts[i]);
		assert_int_equal(obs.segment.offset, offset);
		assert_int_equal(obs.segment.bytes.at[0], '0' + (int)(offset % 10));
		assert_int_equal(obs.segment.omitted, i == 2 ? 9 : 0);
		offset += parts[i];
	}
	assert_end(state);
}

static void losses_and_packets(void **unused)
{
	void *state = open_ok(FIRST "loss kind=ring count=3\n"
				    "loss kind=stream_budget\n"
				    "packet hex=4500ABcd cookie=7 dir=in wire=1500\n"
				    "packet link=ethernet hex=00\n");
	struct source_stats stats;
	struct observation obs = next(state, OBS_LOSS);

	(void)unused;
	assert_int_equal(obs.loss.kind, LOSS_RING);
	assert_int_equal(obs.loss.count, 3);
	obs = next(state, OBS_LOSS);
	assert_int_equal(obs.loss.kind, LOSS_STREAM_BUDGET);
	assert_int_equal(obs.loss.count, 1);

	obs = next(state, OBS_PACKET);
	assert_int_equal(obs.packet.link_type, DLT_RAW);
	assert_true(span_eq(obs.packet.bytes, SPAN_LITERAL("\x45\0\xab\xcd")));
	assert_int_equal(obs.packet.cookie, 7);
	assert_int_equal(obs.packet.dir, DIR_IN);
	assert_int_equal(obs.packet.wire_len, 1500);
	assert_null(obs.who);
	obs = next(state, OBS_PACKET);
	assert_int_equal(obs.packet.link_type, DLT_EN10MB);
	assert_int_equal(obs.packet.wire_len, 1);

	script_source.stats(state, &stats);
	assert_int_equal(stats.observations, 4);
	assert_int_equal(stats.lost[LOSS_RING], 3);
	assert_int_equal(stats.lost[LOSS_STREAM_BUDGET], 1);
	assert_int_equal(script_source.steer(state, NULL), 0);
	assert_end(state);
}

static void errors_name_their_place(void **unused)
{
	static const struct {
		const char *text, *message; /* after the path */
	} cases[] = {
		{"", ":1:1: the first line is not \"#gnomon-script 1\""},
		{"#gnomon-script 2\n", ":1:1: the first line is not \"#gnomon-script 1\""},
		{FIRST "\n  frobnicate\n", ":3:3: unknown statement"},
		{FIRST "exec uid=1\n", ":2:11: exec needs pid"},
		{FIRST "exec pid=1 colour=red\n", ":2:12: \"colour\" is no attribute of exec"},
		{FIRST "exec pid=1 pid=2\n", ":2:12: pid is given twice"},
		{FIRST "exec pid=x\n", ":2:10: not a number"},
		{FIRST "exec pid=0x\n", ":2:10: not a number"},
		{FIRST "exec pid=4294967296\n", ":2:10: more than 4294967295"},
		{FIRST "exec pid=1 comm=sixteen-bytes-xx\n", ":2:1: comm has more than 15 bytes"},
		{FIRST "exit pid=1\n", ":2:1: no process or exec line before has this pid"},
		{FIRST "socket\n", ":2:7: the state is missing"},
		{FIRST "socket open cookie=1\n", ":2:8: not one of established, closed ..."},
		{FIRST "socket closed cookie=1 local=1.2.3:4\n", ":2:30: not an address"},
		{FIRST "socket closed cookie=1 local=1.2.3.4\n", ":2:30: not ADDRESS:PORT"},
		{FIRST "socket closed cookie=1 local=[::1:4\n", ":2:30: not ADDRESS:PORT"},
		{FIRST "socket closed cookie=1 local=1.2.3.4:65536\n", ":2:38: more than 65535"},
		{FIRST "process pid=1\nsegment pid=1 handle=1 dir=out \"a\n",
		 ":3:32: the string does not end on its line"},
		{FIRST "process pid=1\nsegment pid=1 handle=1 dir=out \"\\q\"\n",
		 ":3:34: unknown escape in a string"},
		{FIRST "process pid=1\nsegment pid=1 handle=1 dir=out \"a\"b\n",
		 ":3:35: a blank must follow a string"},
		{FIRST "process pid=1\nsegment pid=1 handle=1 dir=out \"abc\" repeat=9999999\n",
		 ":3:1: all payloads together have more than 16777216 bytes"},
		{FIRST "process pid=1\nsegment pid=1 handle=1 dir=out\n",
		 ":3:31: segment needs string"},
		{FIRST
		 "process pid=1\ngap pid=1 handle=1 dir=in bytes=1 offset=1152921504606846976\n",
		 ":3:1: the stream is too long"},
		{FIRST "packet hex=123\n", ":2:14: not a pair of hexadecimal digits"},
		{FIRST "loss kind=memory\n", ":2:11: not one of ring, fault ..."},
		{FIRST "at\n", ":2:3: at needs a number of seconds"},
		{FIRST "at 1\nat 0.5\n", ":3:4: the clock cannot go there"},
		{FIRST "at 1.0000000001\n", ":2:15: not a number of seconds"},
		{FIRST "at 9999999999\n", ":2:4: more than 30 years"},
		{FIRST "at 1 2\n", ":2:6: nothing more may follow"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct diag diag = {0};
		void *state = NULL;

		assert_int_equal(open_script(cases[i].text, &state, &diag), -EINVAL);
		assert_null(state);
		assert_int_equal(diag.count, 1);
		assert_memory_equal(diag.messages[0], path, strlen(path));
		assert_string_equal(diag.messages[0] + strlen(path), cases[i].message);
		diag_done(&diag);
	}
}

/* Every beginning of a script is a script or is refused with a reason. */
static void every_truncation(void **unused)
{
	static const char text[] = FIRST
		"process pid=1 comm=\"a\\x20b\" start=1.5\n"
		"socket established cookie=7 pid=1 local=[::1]:80\n"
		"segment pid=1 handle=1 dir=out \"a\\n\"\n  \"b\" repeat=2 # x\n"
		"packet link=sll hex=0011\n"
		"at +2\nend pid=1 handle=1\n";

	(void)unused;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len);
		struct script script = {0};
		struct diag diag = {0};
		int r;

		memcpy(copy, text, len);
		r = script_parse(span_of(copy, len), "x", &script, &diag);
		assert_int_equal(diag.count, r ? 1 : 0);
		script_done(&script);
		diag_done(&diag);
		free(copy);
	}
}

static void other_refusals(void **unused)
{
	struct source_config config = {.path = "/nonexistent/script"};
	struct diag diag = {0};
	void *state = NULL;
	FILE *file = fopen(path, "we");

	(void)unused;
	assert_int_equal(script_source.open(&state, &config, &diag), -ENOENT);
	assert_string_equal(diag.messages[0], "/nonexistent/script: No such file or directory");
	config.path = path;
	config.filter = "tcp";
	assert_int_equal(script_source.open(&state, &config, &diag), -EINVAL);

	config.filter = NULL;
	fputs(FIRST, file);
	for (size_t i = 0; i < SCRIPT_BYTES_MAX / 2; i++)
		fputs("\n\n", file);
	fclose(file);
	assert_int_equal(script_source.open(&state, &config, &diag), -EFBIG);
	assert_int_equal(diag.count, 3);
	diag_done(&diag);
}

static void detection(void **unused)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {{FIRST "exit pid=1\n", true},
		     {FIRST, true},
		     {"", false},
		     {"#gnomon-script 1", false},
		     {"#gnomon-script 12\n", false},
		     {"\xd4\xc3\xb2\xa1", false}};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *file = fopen(path, "we");

		fputs(cases[i].text, file);
		fclose(file);
		assert_int_equal(script_source_detect(path), cases[i].is);
	}
	assert_false(script_source_detect("-"));
	assert_false(script_source_detect("/nonexistent/script"));
	assert_false(script_source_detect("/tmp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes),
		cmocka_unit_test(sockets),
		cmocka_unit_test(streams),
		cmocka_unit_test(long_segments_come_in_parts),
		cmocka_unit_test(losses_and_packets),
		cmocka_unit_test(errors_name_their_place),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(other_refusals),
		cmocka_unit_test(detection),
	};

	return cmocka_run_group_tests(tests, write_script, remove_script);
}
