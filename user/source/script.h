/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/observation.h"
#include "gnomon/source.h"
#include "gnomon/span.h"

/*
 * The script language. The first line is `#gnomon-script 1`. A line is a statement: a word, then
 * name=value pairs in any order, and for some a "string"; a value may be a string too. A line that
 * begins with a blank continues the one before. `#` begins a comment where a word could begin.
 * Numbers are decimal or 0x hexadecimal. Strings take the escapes \n \r \t \0 \\ \" \xHH; strings
 * that follow each other are one.
 *
 * at 1.5
 *	The clock: seconds since 2026-01-01T00:00:00Z, never backwards.
 * at +0.25
 *	The clock: seconds later.
 * process pid=100 uid=1000 gid=1000 comm=curl start=5 cgroup=1
 *	What is known of a process, without an observation; start in seconds. A pid must have been
 *	told by this or by exec before other lines name it; they carry that identity.
 * exec pid=100 ppid=1 uid=1000 gid=1000 comm=curl file=/usr/bin/curl start=5 cgroup=1
 * exit pid=100
 * socket established cookie=7 role=connected pid=100 local=10.0.0.2:40000 remote=[2001:db8::1]:443
 * socket closed cookie=7 sent=100 received=200
 * socket listening cookie=9 pid=100 local=127.0.0.1:11434
 * socket found cookie=8 role=connected pid=100 local=10.0.0.2:40001 remote=10.0.0.1:443 sent=9 received=9
 *	role, pid, addresses and byte counts of a cookie stay until changed.
 * segment pid=100 handle=0x10 gen=1 dir=out "POST / HTTP/1.1\r\n"
 *         repeat=1 cookie=7 offset=0 omitted=0 midway=0
 *	offset: by default where the direction ended. cookie: by default the stream's last. gen: 1.
 *	More than SEGMENT_BYTES_MAX come as several segments.
 * gap pid=100 handle=0x10 gen=1 dir=in bytes=500
 *	A segment without bytes and 500 omitted.
 * link pid=100 handle=0x10 gen=1 cookie=7 kind=in_call
 *	kind: in_call (the default), thread, none.
 * end pid=100 handle=0x10 gen=1
 * loss kind=ring count=3
 *	kind: ring fault table stream_budget capture truncated parse state output. count: 1.
 * packet link=raw hex=4500... cookie=7 dir=out pid=100 wire=1500
 *	link: raw (the default), ethernet, sll, sll2, null. wire: by default the captured length.
 */

struct diag;

/* One observation to come. obs.who and every span in obs are set when it is delivered. */
struct script_item {
	struct observation obs;
	struct process_identity who;
	bool has_who;
	char *bytes; /* of a segment, a packet, or a file name; owned */
	size_t len;
};

struct script {
	struct script_item *items;
	size_t count;
};

/* Parses a script. 0, -ENOMEM, or -EINVAL with the first error in `diag` as name:line:column. The
 * script is filled only with 0; it is released by script_done. */
int script_parse(struct span text, const char *name, struct script *script, struct diag *diag);
void script_done(struct script *script);
