/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "vmlinux_min.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "gnomon/abi.h"
#include "gnomon/limits.h"

/*
 * The maps, shared by all programs: weak, so that the static linker keeps one of each. Tables are HASH with
 * counted failures, not LRU: an LRU forgets silently.
 */

/* One ring for all CPUs keeps the order of records, which pairing a request with its response needs. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} records SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KLOSS_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} losses SEC(".maps") __weak;

/* What a process may still add to the ring while that is more than half full: a token bucket. */
struct share {
	__u64 left; /* bytes */
	__u64 at_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_SHARES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct share);
} shares SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_PROCESS_LOSSES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct process_loss);
} process_losses SEC(".maps") __weak;

/* A connection's identity, taken when its process connected; the key is the socket cookie. */
struct conn {
	struct record_who who;
	__u32 role;
	__u32 established;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_CONNS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct conn);
} conns SEC(".maps") __weak;

/* Who listens: accepted sockets are born in softirq and inherit this. */
struct listener_key {
	__u32 netns;
	__u32 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct listener_key);
	__type(value, struct record_who);
} listeners SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_STREAMS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct stream_key);
	__type(value, struct stream);
} streams SEC(".maps") __weak;

/* Which stream a socket carries, so that the stream ends with it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_STREAMS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct stream_key);
} linked SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_STREAMS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct stream_key);
	__type(value, struct stream_verdict);
} verdicts SEC(".maps") __weak;

/*
 * What a thread that makes TLS calls is doing: the call in progress, and the stream that it encrypted into
 * memory last, whose bytes the thread's next send will carry (Node, Bun, asyncio). Entries stay until the
 * thread ends, so that a send anywhere else on the host costs one failed look-up.
 */
struct tls_call {
	__u64 handle; /* 0: none is in progress */
	__u64 buffer;
	__u64 done; /* size_t *, of the _ex forms */
	__u64 stack_pointer;
	__u32 function;
	__u32 ignored; /* calls on ignored streams, inside this one */
};

struct thread {
	struct tls_call call;  /* the innermost in progress */
	struct tls_call outer; /* the one that it is inside of: TLS through TLS, to a proxy */
	__u64 cookie;          /* of the socket used inside the call */
	__u32 reserved;
	__u32 ambiguous; /* two streams were encrypted before a send: the next one proves nothing */
	__u64 pending;   /* handle whose socket the next send will tell, 0: none */
	__u64 received;  /* cookie of the socket that a thread with `aead` received from last */
	__u32 aead;      /* it seals and opens AEAD records */
	__u32 inner;     /* enum inner_type of the record that is being opened */
	__u64 opening;   /* handle of its half stream, 0: none is being opened */
	__u64 opened_at; /* where its content goes */
	__u64 opened_len;
	__u64 opened_done; /* size_t * that tells the length instead, 0: opened_len does */
	/* ring: the record whose additional data was hashed last */
	__u32 record_inner; /* its enum inner_type; INNER_NO_DATA: there is none, or its content is found */
	__u32 record_len;    /* bytes of its content, with the type */
	__u32 record_blocks; /* blocks hashed one by one since */
	__u32 blocks_left;   /* to be hashed until it is open; 0: another sign tells */
};

/* Preallocated: it is the one map that every probed call writes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_THREADS_MAX);
	__type(key, __u64);
	__type(value, struct thread);
} threads SEC(".maps") __weak;

/* Go: a read in progress. The goroutine keeps its address while it moves between threads, and between
 * stacks, which is why what lies on its stack is remembered by its distance from the stack pointer. */
struct go_read {
	__u64 conn;
	__u64 buffer;
	__u64 len;
	__u64 stack_pointer; /* at entry; 0: the buffer is not on the stack */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_GO_READS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct go_read_key);
	__type(value, struct go_read);
} go_reads SEC(".maps") __weak;

/* Processes that seal and open AEAD records: any of their threads may receive the next one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_AEAD_PROCESSES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u8);
} aead_processes SEC(".maps") __weak;

/* Files that were mapped executable and told to user space: each is looked at once. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH); /* a file that is forgotten is only looked at again */
	__uint(max_entries, KERNEL_FILES_MAX);
	__type(key, struct file_key);
	__type(value, __u8);
} files_seen SEC(".maps") __weak;

/* Per direction, what is left to copy: of the first handshake record, or of an HTTP request and its answer. */
struct flow_head {
	__u32 left[2];
	__u8 packets[2];
	__u8 done[2];
	/* of HTTP flows */
	__u8 http;
	__u8 client;     /* the direction of requests */
	__u8 last;       /* the latest payload's direction */
	__u8 skipped[2]; /* something was not copied since the last copy */
	__u8 tries[2]; /* payloads that are still looked at for a beginning: it was joined midway */
	__u8 tunnel;   /* it asks a proxy for a connection, or does not show yet what it is */
	__u8 tunnel_left[2]; /* packets still to be copied of that, per direction */
	__u8 reserved[2];
	__u32 ignored; /* the epoch of that verdict, plus one */
	__u64 copied;
	__u64 bytes[2]; /* of datagrams; TCP counts its own */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct flow_head);
} flow_heads SEC(".maps") __weak;

/* User space's verdicts on flows of cleartext HTTP, by socket cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, KERNEL_STREAMS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct socket_verdict);
} socket_verdicts SEC(".maps") __weak;
