/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "policy/state_internal.h"
#include "util/mix.h"

/* ---- pools ------------------------------------------------------------------------------- */

int pool_init(struct pool *pool, size_t max, size_t stride)
{
	int r = table_init(&pool->table, max);

	if (r < 0)
		return r;
	pool->stride = stride;
	pool->memory = calloc(max, stride);
	return pool->memory ? 0 : -ENOMEM;
}

void pool_done(struct pool *pool)
{
	table_done(&pool->table);
	free(pool->memory);
	*pool = (struct pool){0};
}

static bool same_key(const struct table_link *link, const void *key)
{
	const struct pool_entry *entry = table_entry(link, const struct pool_entry, link);
	const struct state_key *wanted = key;

	return entry->key.a == wanted->a && entry->key.b == wanted->b;
}

struct pool_entry *pool_find(const struct pool *pool, const struct state_key *key)
{
	struct table_link *link = table_find(&pool->table, key->a, same_key, key);

	return link ? table_entry(link, struct pool_entry, link) : NULL;
}

struct pool_entry *pool_get(struct pool *pool, const struct state_key *key, uint64_t now_ns,
			    bool *fresh)
{
	struct pool_entry *entry = pool_find(pool, key);

	*fresh = !entry;
	if (entry) {
		table_touch(&pool->table, &entry->link);
		return entry;
	}
	if (table_full(&pool->table)) {
		entry = table_entry(pool->table.oldest, struct pool_entry, link);
		pool->evicted += entry->expires_ns > now_ns;
		table_remove(&pool->table, &entry->link);
	} else {
		entry = (struct pool_entry *)(void *)(pool->memory + pool->used++ * pool->stride);
	}
	memset(entry, 0, pool->stride);
	entry->key = *key;
	table_add(&pool->table, &entry->link, key->a);
	return entry;
}

static void pool_clear(struct pool *pool)
{
	while (pool->table.oldest)
		table_remove(&pool->table, pool->table.oldest);
	pool->used = 0;
}

void state_clear(struct policy_state *state)
{
	pool_clear(&state->throttles);
	pool_clear(&state->windows);
	pool_clear(&state->members);
	pool_clear(&state->seen);
}

/* ---- keys -------------------------------------------------------------------------------- */

void key_add(struct state_key *key, const void *bytes, size_t len)
{
	const char *at = bytes;
	uint64_t word = len;

	/* the length first, so that "ab", "c" is not "a", "bc" */
	for (;;) {
		key->a = hash_mix(key->a ^ word);
		key->b = hash_mix(key->b + (word ^ 0x9e3779b97f4a7c15ULL));
		if (len == 0)
			break;
		word = 0;
		memcpy(&word, at, len < sizeof(word) ? len : sizeof(word));
		at += len < sizeof(word) ? len : sizeof(word);
		len -= len < sizeof(word) ? len : sizeof(word);
	}
}

struct state_key key_begin(const struct policy_state *state, const struct rule *rule,
			   const char *purpose)
{
	struct state_key key = state->salt;

	key_add(&key, purpose, strlen(purpose));
	key_add(&key, rule->finding.rule_id, strlen(rule->finding.rule_id));
	return key;
}

bool key_add_field(struct state_key *key, const struct event *event, enum field field)
{
	const struct field_value *value = &event->value[field];
	unsigned char truth;

	if (!event_has(event, field))
		return false;
	key_add(key, field_table[field].name, field_table[field].name_len);
	switch (field_table[field].type) {
	case FIELD_STRING:
		key_add(key, value->string.at, value->string.len);
		break;
	case FIELD_IP:
		key_add(key, value->ip.bytes, value->ip.family == 4 ? 4 : 16);
		break;
	case FIELD_BOOL:
		truth = value->boolean;
		key_add(key, &truth, 1);
		break;
	case FIELD_INT:
		key_add(key, &value->integer, sizeof(value->integer));
		break;
	default:
		break; /* the loader takes no others */
	}
	return true;
}

void key_add_fields(struct state_key *key, const struct event *event, const struct field_key *per)
{
	/* a container by its image: jobs and pods come in new containers all the time */
	static const enum field instead[] = {F_CONTAINER_IMAGE_NAME, F_CONTAINER_ID,
					     F_PROCESS_EXECUTABLE, F_SOURCE_IP};

	for (size_t i = 0; i < per->count; i++) {
		/* which field it is, whatever stands for it */
		key_add(key, field_table[per->fields[i]].name,
			field_table[per->fields[i]].name_len);
		if (key_add_field(key, event, per->fields[i]))
			continue;
		for (size_t n = 0; n < sizeof(instead) / sizeof(instead[0]); n++)
			if (key_add_field(key, event, instead[n]))
				break;
	}
}

/* ---- life -------------------------------------------------------------------------------- */

struct policy_state *policy_state_new(bool lasting)
{
	struct policy_state *state = calloc(1, sizeof(*state));

	if (!state)
		return NULL;
	state->dir_fd = -1;
	state->lasting = lasting;
	if (pool_init(&state->throttles, STATE_THROTTLES_MAX, sizeof(struct throttle_entry)) ||
	    pool_init(&state->windows, STATE_WINDOWS_MAX, sizeof(struct window_entry)) ||
	    pool_init(&state->members, STATE_MEMBERS_MAX, sizeof(struct member_entry)) ||
	    pool_init(&state->seen, STATE_SEEN_MAX, sizeof(struct seen_entry))) {
		policy_state_free(state);
		return NULL;
	}
	/* without entropy yet the keys can be guessed, and are still right */
	if (getrandom(&state->salt, sizeof(state->salt), GRND_NONBLOCK) < 0)
		state->salt = (struct state_key){0};
	return state;
}

void policy_state_free(struct policy_state *state)
{
	if (!state)
		return;
	pool_done(&state->throttles);
	pool_done(&state->windows);
	pool_done(&state->members);
	pool_done(&state->seen);
	if (state->dir_fd >= 0)
		close(state->dir_fd);
	free(state);
}

void policy_state_stats(const struct policy_state *state, struct policy_state_stats *stats)
{
	*stats = (struct policy_state_stats){
		.suppressed = state->suppressed,
		.evicted = state->throttles.evicted + state->windows.evicted +
			   state->members.evicted + state->seen.evicted,
		.dropped = state->dropped,
	};
}

/* ---- events ------------------------------------------------------------------------------ */

static bool action_is(const struct event *event, struct span action)
{
	return event_has(event, F_EVENT_ACTION) &&
	       span_eq(event->value[F_EVENT_ACTION].string, action);
}

/* Has the rule looked at this connection before, when it was told of while still open? */
static bool told_before(struct policy_state *state, const struct rule *rule,
			const struct event *event, uint64_t now_ns)
{
	bool open = event_has(event, F_INTERIM) && event->value[F_INTERIM].boolean, fresh;
	struct pool_entry *entry;
	struct state_key key;

	if (!event_has(event, F_FLOW_ID) || !(action_is(event, SPAN_LITERAL("llm-connection")) ||
					      action_is(event, SPAN_LITERAL("connection"))))
		return false;
	key = key_begin(state, rule, "flow");
	key_add_field(&key, event, F_FLOW_ID);
	if (!open)
		return pool_find(&state->members, &key) != NULL;
	entry = pool_get(&state->members, &key, now_ns, &fresh);
	/* told of again within the interval, twice of which is silence */
	entry->expires_ns = now_ns + UINT64_C(2000000000) * CONNECTION_INTERIM_S;
	return !fresh;
}

static bool throttle_passes(struct policy_state *state, const struct rule *rule,
			    const struct event *event, uint64_t now_ns, struct finding *finding)
{
	struct throttle_entry *entry;
	struct state_key key;
	bool fresh;

	if (rule->throttle.every_ns == 0)
		return true;
	key = key_begin(state, rule, "throttle");
	key_add_fields(&key, event, &rule->throttle.per);
	entry = (struct throttle_entry *)pool_get(&state->throttles, &key, now_ns, &fresh);
	/* a clock that was set back must not open the gate */
	if (!fresh && now_ns < entry->since_ns + rule->throttle.every_ns) {
		entry->suppressed++;
		state->suppressed++;
		state->dirty = true;
		return false;
	}
	finding->suppressed = entry->suppressed;
	entry->suppressed = 0;
	entry->since_ns = now_ns;
	entry->base.expires_ns = now_ns + rule->throttle.every_ns;
	state->dirty = true;
	return true;
}

bool state_admits(struct policy_state *state, const struct rule *rule, const struct event *event,
		  struct finding *finding)
{
	uint64_t now_ns = event_time(event);

	if (now_ns > state->now_ns)
		state->now_ns = now_ns;
	/* bytes of an open connection are told piece by piece, the connection once */
	if (rule->window.kind != WINDOW_SUM && told_before(state, rule, event, now_ns))
		return false;
	if (rule->window.kind != WINDOW_NONE && !state_window(state, rule, event, now_ns, finding))
		return false;
	return throttle_passes(state, rule, event, now_ns, finding);
}
