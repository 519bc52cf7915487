/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/event.h"
#include "gnomon/observation.h"
#include "gnomon/source.h"

struct agents;
struct catalog;
struct fleet_salt;
struct policy;
struct policy_state;
struct prices;

/*
 * The order of the stages, and the only place that knows it:
 * observation -> flow, stream -> protocol -> api -> facts -> catalogue -> event -> policy -> deliver.
 */
struct pipeline;

struct pipeline_config {
	bool live; /* the source watches this host: names of users, processes and the host are known */
	bool all; /* also `connection` events of what is no AI service */
	const struct catalog *
		catalog; /* not owned, as are policy, prices and agents; all replaced by pipeline_rules() */
	const struct policy *policy;
	/* What the policy remembers; not owned, outlives reloads. NULL: the pipeline has its own. */
	struct policy_state *state;
	const struct prices *prices;     /* NULL: calls have no cost */
	const struct agents *agents;     /* NULL: nobody is told to be one */
	const struct source_ops *source; /* to steer; not owned */
	bool ai_only; /* the source reads the TLS of processes that STEER_ARM names, alone */
	void *source_state;
	uint64_t interim_ns; /* between events of an open connection; 0: none before its end */
	/* Why connections without plaintext have none: gnomon.visibility_reason. */
	const char *unseen_reason;
	struct span labels; /* of every event, a JSON object, at most LABELS_TEXT_MAX; not owned */
	const struct fleet_salt *salt; /* NULL: no fingerprints; not owned */
	void (*deliver)(void *ctx, const struct event *event);
	void *ctx;
};

/* A copy of config is kept. NULL without memory. */
struct pipeline *pipeline_new(const struct pipeline_config *config);
/* Frees without telling what is still open; call pipeline_finish() first to have it told. */
void pipeline_free(struct pipeline *pipeline);
void pipeline_feed(struct pipeline *pipeline, const struct observation *observation);
/* Lets time pass: interim events, idle flows, the periodic status. Cheap; call after every batch. */
void pipeline_tick(struct pipeline *pipeline, uint64_t now_ns);
/* Ends every open stream and flow. */
void pipeline_finish(struct pipeline *pipeline);
/* From the next event on these rules count, for open streams and flows too. The rules before are still to be
 * there, and are not looked at again. */
void pipeline_rules(struct pipeline *pipeline, const struct catalog *catalog,
		    const struct policy *policy, const struct prices *prices,
		    const struct agents *agents);
/* Counts a loss that the caller knows of (outputs, a truncated capture). */
void pipeline_lost(struct pipeline *pipeline, enum loss_kind kind, uint64_t count);
/* Delivers a status event: "sensor-start", "sensor-status", "sensor-stop", "policy-reload". `error` is its
 * gnomon.error, NULL without one. */
void pipeline_status(struct pipeline *pipeline, const char *action, const char *error);

struct pipeline_stats {
	uint64_t observations;
	uint64_t events;      /* delivered */
	uint64_t requests;    /* llm-request */
	uint64_t connections; /* llm-connection, interim ones not counted */
	uint64_t alerts;
	int worst; /* enum severity of the gravest alert, -1: none */
	uint64_t lost[LOSS_KIND_COUNT];
};

void pipeline_stats(const struct pipeline *pipeline, struct pipeline_stats *stats);
/* One of the processes that lost most, as "NAME (PID): ring 3 share 5"; returns its length, 0: there is no i-th. */
size_t pipeline_losers(const struct pipeline *pipeline, size_t i, char *to, size_t cap);
/* The name of a loss in events and messages: "ring", "stream_budget". */
const char *loss_name(enum loss_kind kind);
