/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * The records that the kernel half puts into the ring buffer, and the maps' values that both halves
 * touch. Fixed width, natural alignment, no padding that is not named. Included by bpf/ and by
 * user/source/ alone.
 */

#ifdef __bpf__
typedef __u8 abi_u8;
typedef __u16 abi_u16;
typedef __u32 abi_u32;
typedef __u64 abi_u64;
#else
#include <assert.h>
#include <stdint.h>
typedef uint8_t abi_u8;
typedef uint16_t abi_u16;
typedef uint32_t abi_u32;
typedef uint64_t abi_u64;
#endif

#include "gnomon/kinds.h"

/* Raised with every change of a struct below; the loader refuses a kernel half of another one. */
#define GNOMON_ABI_VERSION 2

enum record_type {
	RECORD_SEGMENT = 1,
	RECORD_STREAM_END,
	RECORD_LINK,
	RECORD_SOCKET,
	RECORD_PACKET,
	RECORD_EXEC,
	RECORD_EXIT,
	RECORD_MAPPED,
	RECORD_JOIN,
};

struct record_who {
	abi_u32 pid, uid, gid, reserved;
	abi_u64 start_ns; /* CLOCK_BOOTTIME */
	abi_u64 cgroup_id;
	abi_u8 comm[16];
};

struct record_header {
	abi_u32 type;
	abi_u32 len;     /* of the bytes that follow the record's fixed part */
	abi_u64 time_ns; /* CLOCK_BOOTTIME */
	struct record_who who;
};

struct record_stream {
	abi_u64 handle;
	abi_u64 generation;
};

struct record_segment {
	struct record_header header;
	struct record_stream stream;
	abi_u64 cookie;
	abi_u64 offset;
	abi_u64 omitted;
	abi_u32 dir;  /* enum stream_dir */
	abi_u32 half; /* the stream is one direction of a stream that a RECORD_JOIN will name */
	abi_u8 bytes[];
};

struct record_stream_end {
	struct record_header header;
	struct record_stream stream;
	abi_u64 total[2];
};

struct record_link {
	struct record_header header;
	struct record_stream stream;
	abi_u64 cookie;
	abi_u32 kind; /* enum link_kind */
	abi_u32 reserved;
};

/* What was sent so far under one key belongs to a stream; there it begins at `offset`. */
struct record_join {
	struct record_header header;
	struct record_stream half;
	struct record_stream stream;
	abi_u64 cookie;
	abi_u64 offset;
	abi_u64 bytes;
	abi_u32 dir; /* enum stream_dir */
	abi_u32 reserved;
};

struct record_socket {
	struct record_header header;
	abi_u64 cookie;
	abi_u64 bytes_sent, bytes_received;
	abi_u32 state;                   /* enum socket_state */
	abi_u32 role;                    /* enum socket_role */
	abi_u16 family;                  /* AF_INET, AF_INET6 */
	abi_u16 local_port, remote_port; /* host order */
	abi_u16 reserved;
	abi_u8 local[16], remote[16]; /* network order; AF_INET in the first four */
};

/* What the `socket_bytes` iterator writes of each open connection; no record of the ring. */
struct socket_sample {
	abi_u64 cookie;
	abi_u64 bytes_sent, bytes_received;
};

/* Packets before this one were left out in its direction. */
#define PACKET_RESUMED 1

struct record_packet {
	struct record_header header; /* who: of cleartext HTTP alone, the socket's process */
	abi_u64 cookie;
	abi_u32 wire_len;
	abi_u32 dir;   /* enum stream_dir */
	abi_u32 flags; /* PACKET_* */
	abi_u32 reserved;
	abi_u8 bytes[];
};

/* A file, apart from others that have or had its inode number. The key of `files_seen`. */
struct file_key {
	abi_u64 inode;
	abi_u64 size;
	abi_u32 device;
	abi_u32 reserved;
};

/* What the `held_files` iterator writes of each descriptor of its reader. */
enum held_use { HELD_UNMAPPED, HELD_MAPPED, HELD_OVERLAY };

struct held_file {
	struct file_key key;
	abi_u32 fd;
	abi_u32 use; /* enum held_use */
};

struct record_exec {
	struct record_header header;
	struct file_key file;
	abi_u32 parent_pid;
	abi_u32 new_file;     /* it was not told before */
	abi_u8 filename[256]; /* header.len says how much of it */
};

struct record_exit {
	struct record_header header;
};

/* A file that was not told before was mapped executable. */
struct record_mapped {
	struct record_header header;
	struct file_key file;
};

/* Per-CPU counters; the order is that of enum loss_kind's kernel kinds. */
enum kernel_loss {
	KLOSS_RING,
	KLOSS_FAULT,
	KLOSS_TABLE,
	KLOSS_STREAM_BUDGET,
	KLOSS_SHARE,
	KLOSS_COUNT
};

/* Whose losses they were; the key is the pid. User space reads and deletes. */
struct process_loss {
	struct record_who who;
	abi_u64 lost[KLOSS_COUNT];
};

struct stream_key {
	abi_u32 pid;
	abi_u32 reserved;
	abi_u64 handle;
};

/* A TLS stream. The counters are written by the thread that holds the TLS library's own lock on the
 * handle, so they need no atomics. User space reads what else is to be deleted with it. */
struct stream {
	struct record_who who;
	abi_u64 generation;
	abi_u64 cookie;
	abi_u64 offset[2];
	abi_u64 copied;
	abi_u32 turn_left; /* of HEADS_*_BYTES, in this turn of direction */
	abi_u32 last_dir;
	abi_u64 reader;    /* Go: the goroutine that read last */
	abi_u64 halves[2]; /* AEAD: the handles of its directions' half streams, 0: none */
	abi_u32 half;      /* it is a half stream itself; with a cookie, one that has been joined */
	abi_u32 reserved;
};

/* The key of `go_reads`. */
struct go_read_key {
	abi_u32 pid;
	abi_u32 reserved;
	abi_u64 goroutine;
};

/* Written by user space only. Valid while `epoch` is the programs' current one and `generation` is
 * the stream's, so that a policy reload, or a reused handle, is judged anew. */
struct stream_verdict {
	abi_u64 generation;
	abi_u64 budget; /* bytes that may have been copied in all when copying stops */
	abi_u32 action; /* enum steer_action */
	abi_u32 epoch;
};

/* The same of a cleartext HTTP flow; the key is its socket's cookie. */
struct socket_verdict {
	abi_u64 budget;
	abi_u32 action;
	abi_u32 epoch;
};

/* A file's page is a page of memory, of at least so many bytes: addresses agree in the rest of the division. */
#define PLACES_PER_PAGE 4096

#ifndef __bpf__
static_assert(sizeof(struct record_who) == 48, "record_who is part of the ABI");
static_assert(sizeof(struct record_header) == 64, "record_header is part of the ABI");
static_assert(sizeof(struct record_segment) == 112, "record_segment is part of the ABI");
static_assert(sizeof(struct record_join) == 128, "record_join is part of the ABI");
static_assert(sizeof(struct record_socket) == 136, "record_socket is part of the ABI");
static_assert(sizeof(struct stream_verdict) == 24, "stream_verdict is part of the ABI");
#endif
