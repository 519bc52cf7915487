/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/kinds.h"
#include "gnomon/span.h"

/*
 * What a source delivers. Everything behind a pointer or in a span is lent by the source until its
 * next call. All ports are in host order, all times in nanoseconds.
 */

struct net_address {
	uint8_t family;    /* 4, 6, or 0: not known */
	uint8_t bytes[16]; /* network order; an IPv4 address is in the first four */
};

struct net_endpoint {
	struct net_address address;
	uint16_t port;
};

/* A process as the kernel named it at that moment. A pcap has none: the pointer is NULL then. */
struct process_identity {
	uint32_t pid; /* the thread group, in the initial pid namespace */
	uint32_t uid;
	uint32_t gid;
	uint64_t start_ns; /* CLOCK_BOOTTIME; with the pid it names the process for good */
	uint64_t cgroup_id;
	char comm[16];
};

/* One TLS stream. `generation` differs whenever the handle's memory is used for another one. */
struct stream_id {
	uint32_t pid;
	uint64_t handle;
	uint64_t generation;
};

enum observation_kind {
	OBS_PACKET,
	OBS_SEGMENT,
	OBS_SOCKET,
	OBS_STREAM_END,
	OBS_PROCESS,
	OBS_LINK,
	OBS_LOSS,
	OBS_KIND_COUNT,
};

/* A network-layer packet, or a captured frame of a link type. */
struct observed_packet {
	uint64_t cookie;     /* the socket's, 0 without one */
	uint32_t link_type;  /* a pcap DLT_ value; DLT_RAW (12) starts at the IP header */
	uint32_t wire_len;   /* bytes that were on the wire; `bytes` may hold fewer */
	enum stream_dir dir; /* meaningful with a cookie only */
	bool resumed;        /* likewise: packets before it were left out on purpose */
	struct span bytes;
};

/* Plaintext of a TLS stream. */
struct observed_segment {
	struct stream_id stream;
	uint64_t cookie;  /* the linked socket's, 0 while there is none */
	uint64_t offset;  /* of bytes.at[0] in this direction of the stream */
	uint64_t omitted; /* bytes that follow `bytes` in the stream and were counted, not copied */
	enum stream_dir dir;
	bool midway; /* the stream may have begun before anybody could read it */
	struct span bytes;
};

struct observed_socket {
	uint64_t cookie;
	enum socket_state state;
	enum socket_role role;
	struct net_endpoint local, remote;
	/* transport payload so far, each byte once, without SYN and FIN */
	uint64_t bytes_sent, bytes_received;
};

struct observed_stream_end {
	struct stream_id stream;
	uint64_t total[DIR_COUNT]; /* bytes of the stream, copied or not */
};

enum process_change { PROCESS_EXEC, PROCESS_EXIT };

struct observed_process {
	enum process_change change;
	uint32_t parent_pid;
	struct span filename; /* as given to execve; empty for exit */
};

struct observed_link {
	struct stream_id stream;
	uint64_t cookie;
	enum link_kind kind;
};

/* Where something was lost; the names in loss.c are the counters' names in events. */
enum loss_kind {
	LOSS_RING,          /* the ring buffer was full: records */
	LOSS_FAULT,         /* user memory could not be read: bytes */
	LOSS_TABLE,         /* a kernel table was full: entries */
	LOSS_STREAM_BUDGET, /* past a stream's capture budget: bytes */
	LOSS_SHARE, /* past a process's share of the ring buffer while it was more than half full: records */
	LOSS_CAPTURE,   /* a capture file or interface dropped: packets */
	LOSS_TRUNCATED, /* a capture ended in the middle of a packet, or packets were cut */
	LOSS_PARSE,     /* could not be parsed: streams */
	LOSS_STATE,     /* a user-space table was full: entries evicted */
	LOSS_OUTPUT,    /* an output refused: events */
	LOSS_KIND_COUNT,
};

struct observed_loss {
	enum loss_kind kind;
	uint64_t count; /* since the previous observation of this kind */
	bool part;      /* only says whose (`who`) some of what was or will be told are */
};

struct observation {
	enum observation_kind kind;
	uint64_t time_ns;                   /* since the Unix epoch */
	const struct process_identity *who; /* NULL: not known */
	union {
		struct observed_packet packet;
		struct observed_segment segment;
		struct observed_socket socket;
		struct observed_stream_end stream_end;
		struct observed_process process;
		struct observed_link link;
		struct observed_loss loss;
	};
};
