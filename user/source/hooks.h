/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "gnomon/limits.h"

/*
 * What the live source could hook and what not: for the start-up summary and for doctor. Filled by the
 * source, read by commands.
 */
enum hook_state { HOOK_ATTACHED, HOOK_UNAVAILABLE, HOOK_FAILED };

enum hook_id {
	HOOK_PROCESS,
	HOOK_SOCKETS,
	HOOK_FOUND, /* sockets that were open before the sensor */
	HOOK_PACKETS,
	HOOK_DATAGRAMS, /* the ends of QUIC's sockets */
	HOOK_SAMPLES,   /* byte counts of open sockets */
	HOOK_LINK,
	HOOK_TLS,
	HOOK_COUNT,
};

struct probe_means;

struct hook_report {
	enum hook_state state;
	char detail[160]; /* how it is attached, or why it is not */
};

struct tls_file_report {
	char path[256];
	const char *library; /* the tlslib row's name */
	unsigned int hooks;  /* functions hooked */
	int error;           /* -errno, 0: hooked */
};

struct hooks_report {
	struct hook_report hook[HOOK_COUNT];
	struct tls_file_report files[TLS_FILES_MAX];
	size_t file_count;
	uint64_t searched;                /* files that no earlier run had searched; atomic */
	const struct probe_means *probes; /* how TLS functions are hooked */
	bool uprobe_multi;
};

const char *hook_name(enum hook_id id);

/* The live source's report; `state` is what its open gave. Valid until its close. */
const struct hooks_report *bpf_source_hooks(const void *state);
/* Judges every open stream and connection anew: call after policy was loaded again. */
void bpf_source_rejudge(void *state);
