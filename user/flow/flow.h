/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/observation.h"
#include "util/table.h"

/*
 * Connections, keyed by socket cookie where the kernel gives one, else by their two endpoints. What a
 * later stage knows about a flow is its own: it hangs behind `detail`.
 */
struct flow {
	struct table_link link;
	uint64_t cookie; /* 0: from a capture without sockets */
	struct net_endpoint client, server;
	uint8_t transport;           /* IP protocol number */
	struct process_identity who; /* pid 0: not known */
	uint64_t started_ns, last_ns;
	uint64_t sent, received; /* the client's, transport payload, each byte once */
	bool ended;
	void *detail;
};

struct flows;

/* `release` is called for a flow that goes, before its memory does: evicted ones too. */
struct flows *flows_new(void (*release)(void *ctx, struct flow *flow), void *ctx);
/* Releases every flow. */
void flows_free(struct flows *flows);

struct flow *flows_find_cookie(struct flows *flows, uint64_t cookie);
/* The flow between two endpoints, whichever of them is the client. */
struct flow *flows_find_pair(struct flows *flows, const struct net_endpoint *a,
			     const struct net_endpoint *b, uint8_t transport);
/* A new flow; the endpoints must be set by the caller with `like`. A full table gives up its least
 * recently used flow, counted. NULL without memory. */
struct flow *flows_add(struct flows *flows, const struct flow *like);
void flows_remove(struct flows *flows, struct flow *flow);
/* The least recently touched flow, NULL: none. */
struct flow *flows_oldest(struct flows *flows);
size_t flows_count(const struct flows *flows);
uint64_t flows_evicted(const struct flows *flows);
