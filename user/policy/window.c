/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/state_internal.h"

/*
 * A window slides in WINDOW_STEPS steps. The step that is still filling comes on top of them, so that
 * the window never covers less than its length, and at most one step more.
 */

#define SLOTS (WINDOW_STEPS + 1)

static uint64_t step_ns(const struct rule_window *window)
{
	return window->over_ns / WINDOW_STEPS;
}

/* Clears the slots between the latest step and this one. */
static void window_advance(struct window_entry *entry, uint64_t step)
{
	if (step <= entry->newest)
		return;
	if (step - entry->newest >= SLOTS)
		memset(entry->slot, 0, sizeof(entry->slot));
	else
		for (uint64_t s = entry->newest + 1; s <= step; s++)
			entry->slot[s % SLOTS] = 0;
	entry->newest = step;
}

/* Is the step one that the window still covers? */
static bool window_covers(const struct window_entry *entry, uint64_t step)
{
	return step <= entry->newest && entry->newest - step < SLOTS;
}

static double window_value(const struct window_entry *entry)
{
	double value = 0;

	for (size_t i = 0; i < SLOTS; i++)
		value += entry->slot[i];
	return value;
}

static double number_of(const struct event *event, enum field field)
{
	const struct field_value *value = &event->value[field];
	double number = field_table[field].type == FIELD_INT ? (double)value->integer : value->real;

	return number > 0 ? number : 0;
}

/* A value that is in the window already moves to the step in which it was seen last. */
static void count_distinct(struct policy_state *state, const struct rule *rule,
			   const struct event *event, uint64_t now_ns, uint64_t step,
			   struct window_entry *entry)
{
	struct member_entry *member;
	struct state_key key = entry->base.key;
	bool fresh;

	key_add_field(&key, event, rule->window.field);
	member = (struct member_entry *)pool_get(&state->members, &key, now_ns, &fresh);
	if (!fresh && member->generation == entry->generation &&
	    window_covers(entry, member->step)) {
		if (member->step >= step)
			return;
		entry->slot[member->step % SLOTS]--;
	}
	entry->slot[step % SLOTS]++;
	member->step = step;
	member->generation = entry->generation;
	member->base.expires_ns = now_ns + rule->window.over_ns;
}

/* Was the value not seen for so long, or never? */
static bool is_new(struct policy_state *state, const struct rule *rule, const struct event *event,
		   uint64_t now_ns)
{
	struct state_key key = key_begin(state, rule, "new");
	struct seen_entry *entry;
	bool fresh, result;

	key_add_fields(&key, event, &rule->window.per);
	if (!key_add_field(&key, event, rule->window.field))
		return false;
	entry = (struct seen_entry *)pool_get(&state->seen, &key, now_ns, &fresh);
	result = fresh || now_ns > entry->last_ns + rule->window.over_ns;
	if (fresh || now_ns > entry->last_ns)
		entry->last_ns = now_ns;
	entry->base.expires_ns = entry->last_ns + rule->window.over_ns;
	state->dirty = true;
	return result;
}

static struct window_entry *window_of(struct policy_state *state, const struct rule *rule,
				      const struct event *event, uint64_t now_ns)
{
	const struct rule_window *window = &rule->window;
	struct state_key key = key_begin(state, rule, "window");
	struct window_entry *entry;
	bool fresh;

	/* a rule that counts something else from now on begins anew */
	key_add(&key, &window->kind, sizeof(window->kind));
	key_add(&key, &window->field, sizeof(window->field));
	key_add(&key, &window->over_ns, sizeof(window->over_ns));
	key_add_fields(&key, event, &window->per);
	entry = (struct window_entry *)pool_get(&state->windows, &key, now_ns, &fresh);
	if (fresh) {
		entry->newest = now_ns / step_ns(window);
		entry->generation = ++state->generations;
	}
	entry->base.expires_ns = now_ns + window->over_ns;
	return entry;
}

bool state_window(struct policy_state *state, const struct rule *rule, const struct event *event,
		  uint64_t now_ns, struct finding *finding)
{
	const struct rule_window *window = &rule->window;
	uint64_t step = now_ns / step_ns(window);
	struct window_entry *entry;
	double value;

	if (!window->every_event && !event_has(event, window->field))
		return false;
	if (window->kind == WINDOW_NEW)
		return state->lasting && is_new(state, rule, event, now_ns);
	entry = window_of(state, rule, event, now_ns);
	window_advance(entry, step);
	if (!window_covers(entry, step))
		return false; /* older than all that is remembered */
	if (window_value(entry) <= window->above)
		entry->crossed = false;
	if (window->kind == WINDOW_DISTINCT)
		count_distinct(state, rule, event, now_ns, step, entry);
	else
		entry->slot[step % SLOTS] += window->kind == WINDOW_SUM
						     ? number_of(event, window->field)
						     : 1;
	value = window_value(entry);
	if (value <= window->above || entry->crossed)
		return false;
	entry->crossed = true;
	finding->has_window = true;
	finding->window_value = value;
	finding->window_threshold = window->above;
	return true;
}
