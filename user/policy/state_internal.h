/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "policy/model.h"
#include "policy/state.h"
#include "util/table.h"

/* A keyed hash of a rule's id and of values; 128 bits, so that no two keys ever meet. */
struct state_key {
	uint64_t a, b;
};

/* A bounded table whose entries begin with this, and live in one block. */
struct pool_entry {
	struct table_link link;
	struct state_key key;
	uint64_t expires_ns; /* from when on it is not missed */
};

struct pool {
	struct table table;
	size_t stride, used;
	char *memory;
	uint64_t evicted;
};

int pool_init(struct pool *pool, size_t max, size_t stride);
void pool_done(struct pool *pool);
struct pool_entry *pool_find(const struct pool *pool, const struct state_key *key);
/* The entry of that key, made the newest; *fresh: it was not there and is zeroed. */
struct pool_entry *pool_get(struct pool *pool, const struct state_key *key, uint64_t now_ns,
			    bool *fresh);

struct throttle_entry {
	struct pool_entry base;
	uint64_t since_ns, suppressed;
};

struct window_entry {
	struct pool_entry base;
	uint64_t newest; /* the latest step's number; step N is in slot N % (WINDOW_STEPS + 1) */
	uint64_t generation;
	double slot[WINDOW_STEPS + 1];
	bool crossed;
};

/* A value that a window counts, or a connection that a rule has looked at. */
struct member_entry {
	struct pool_entry base;
	uint64_t step, generation; /* of the window */
};

struct seen_entry {
	struct pool_entry base;
	uint64_t last_ns;
};

struct policy_state {
	struct state_key salt;
	struct pool throttles, windows, members, seen;
	uint64_t generations;
	uint64_t suppressed, dropped;
	uint64_t now_ns; /* of the latest event */
	int dir_fd;      /* -1: nothing is kept */
	bool lasting, dirty;
};

/* Forgets everything but what it counted. */
void state_clear(struct policy_state *state);
/* May the rule, which fires on this event, say so? Takes the event into account either way, and
 * completes the finding. */
bool state_admits(struct policy_state *state, const struct rule *rule, const struct event *event,
		  struct finding *finding);
/* What its window says of it, the throttle not asked. */
bool state_window(struct policy_state *state, const struct rule *rule, const struct event *event,
		  uint64_t now_ns, struct finding *finding);

/* Keys: begin with the rule, add, use. */
struct state_key key_begin(const struct policy_state *state, const struct rule *rule,
			   const char *purpose);
void key_add(struct state_key *key, const void *bytes, size_t len);
/* The value of a field; false: the event has none. */
bool key_add_field(struct state_key *key, const struct event *event, enum field field);
/* The values of the fields; in place of an absent one the container's image, else its id, else the
 * executable, else the client's address. */
void key_add_fields(struct state_key *key, const struct event *event, const struct field_key *per);
