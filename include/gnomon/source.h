/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "gnomon/observation.h"

struct steering {
	uint64_t cookie; /* of the socket whose packets are meant; 0: `stream` is */
	struct stream_id stream;
	enum steer_action action;
	uint64_t
		budget; /* STEER_FOLLOW: bytes that may have been copied in all when copying stops */
};

struct source_stats {
	uint64_t observations;
	uint64_t lost[LOSS_KIND_COUNT];
};

struct diag;

struct source_config {
	const char *path;   /* capture or script file, "-" for stdin; NULL for a live source */
	const char *filter; /* a pcap filter expression, or NULL */
	const char *
		state_directory; /* live: for what the next run would have to find again; or NULL */
	uint64_t health_ns;      /* live: probes are checked this often; 0: the usual */
	bool ai_only;            /* live: TLS is read of processes that STEER_ARM names, alone */
	uint64_t interim_ns; /* live: byte counts of open sockets are wanted this often; 0: never */
};

/*
 * A source of observations: bpf, pcap, script. One row each in `source_table`.
 */
struct source_ops {
	const char *name;
	/* Opens a source into *state. -errno, with the reason in `diag`, which names the file. */
	int (*open)(void **state, const struct source_config *config, struct diag *diag);
	/* Fills *obs, lent until the next call. 1: filled. 0: nothing within timeout_ms, or
	 * interrupted. -ENODATA: the source has ended well. Other -errno: it broke (a truncated
	 * file is -EPIPE, after everything readable was delivered). */
	int (*next)(void *state, struct observation *obs, int timeout_ms);
	/* Hands a verdict down; a no-op offline. */
	int (*steer)(void *state, const struct steering *steering);
	void (*stats)(void *state, struct source_stats *stats);
	void (*close)(void *state);
};
