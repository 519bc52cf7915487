/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/policy.h"

#include "policy/state_internal.h"
#include "util/glob.h"

static bool words_have(const struct word_list *words, struct span text)
{
	for (size_t i = 0; i < words->count; i++)
		if (span_eq(words->items[i], text))
			return true;
	return false;
}

static bool globs_match(const struct word_list *globs, struct span text)
{
	for (size_t i = 0; i < globs->count; i++)
		if (glob_matches(globs->items[i], text))
			return true;
	return false;
}

static enum tristate truth(bool value)
{
	return value ? TRI_TRUE : TRI_FALSE;
}

/* The entry's words against one field. */
static enum tristate ask_field(const struct word_list *words, const struct event *event,
			       enum field field)
{
	if (!event_has(event, field))
		return TRI_UNKNOWN;
	return truth(words_have(words, event->value[field].string));
}

static enum tristate ask_globs(const struct word_list *globs, const struct event *event,
			       enum field field)
{
	if (!event_has(event, field))
		return TRI_UNKNOWN;
	return truth(globs_match(globs, event->value[field].string));
}

/* A known process without a container is in none, and so has no image or namespace. */
static enum tristate ask_container(const struct word_list *globs, const struct event *event,
				   enum field field)
{
	enum tristate result = ask_globs(globs, event, field);

	if (result == TRI_UNKNOWN && event_has(event, F_PROCESS_NAME) &&
	    !event_has(event, F_CONTAINER_ID))
		return TRI_FALSE;
	return result;
}

/* By name, and by path where the entry gives one. */
static enum tristate ask_processes(const struct word_list *globs, const struct event *event)
{
	enum tristate result = TRI_FALSE;

	for (size_t i = 0; i < globs->count; i++) {
		struct word_list one = {globs->items + i, 1};
		bool path = globs->items[i].at[0] == '/';
		enum tristate answer = ask_globs(&one, event,
						 path ? F_PROCESS_EXECUTABLE : F_PROCESS_NAME);

		if (answer == TRI_TRUE)
			return TRI_TRUE;
		if (answer == TRI_UNKNOWN)
			result = TRI_UNKNOWN;
	}
	return result;
}

bool hours_fit(const struct rule_hours *hours, const struct event *event)
{
	uint64_t now = event_has(event, F_TIMESTAMP) ? event->value[F_TIMESTAMP].time_ns : 0;

	return hours->count == 0 || hours_hold(hours->spans, hours->count, now) != hours->outside;
}

static enum tristate ask_models(const struct word_list *globs, const struct event *event)
{
	static const enum field fields[] = {F_GEN_AI_REQUEST_MODEL, F_GEN_AI_RESPONSE_MODEL};
	enum tristate result = TRI_UNKNOWN;

	/* A deployment's name hides the model from the request, an alias from the response. */
	for (size_t i = 0; i < 2; i++) {
		if (!event_has(event, fields[i]))
			continue;
		if (globs_match(globs, event->value[fields[i]].string))
			return TRI_TRUE;
		result = TRI_FALSE;
	}
	return result;
}

/* What the catalogue says of a service: nothing of one that it does not know. */
static enum tristate ask_catalogue(const struct word_list *words, const struct event *event,
				   enum field field)
{
	enum tristate result = ask_field(words, event, field);

	if (result == TRI_UNKNOWN &&
	    span_eq(event->value[F_SERVICE].string, SPAN_LITERAL("unknown")))
		return TRI_FALSE;
	return result;
}

static enum tristate ask_vendor(const struct provider_entry *entry, const struct event *event)
{
	if (!entry->vendors_resolved)
		return TRI_UNKNOWN;
	return truth(words_have(&entry->vendor_services, event->value[F_SERVICE].string));
}

static enum tristate entry_ask(const struct provider_entry *entry, enum entry_key key,
			       const struct event *event, enum field *asked)
{
	static const enum field fields[ENTRY_KEY_COUNT] = {
		[ENTRY_SERVICE] = F_SERVICE,
		[ENTRY_KIND] = F_SERVICE_KIND,
		[ENTRY_VENDOR] = F_SERVICE,
		[ENTRY_COUNTRY] = F_SERVICE_COUNTRY,
		[ENTRY_MODELS] = F_GEN_AI_REQUEST_MODEL,
		[ENTRY_AGENTS] = F_AGENT,
		[ENTRY_ACCOUNTS] = F_ACCOUNT_KIND,
		[ENTRY_USERS] = F_USER_NAME,
		[ENTRY_GROUPS] = F_USER_GROUP_NAME,
		[ENTRY_PROCESSES] = F_PROCESS_NAME,
		[ENTRY_IMAGES] = F_CONTAINER_IMAGE_NAME,
		[ENTRY_NAMESPACES] = F_ORCHESTRATOR_NAMESPACE,
	};
	const struct word_list *words = &entry->words[key];

	*asked = fields[key];
	switch (key) {
	case ENTRY_KIND:
	case ENTRY_COUNTRY:
		return ask_catalogue(words, event, fields[key]);
	case ENTRY_VENDOR:
		return ask_vendor(entry, event);
	case ENTRY_MODELS:
		return ask_models(words, event);
	case ENTRY_PROCESSES:
		return ask_processes(words, event);
	case ENTRY_IMAGES:
	case ENTRY_NAMESPACES:
		return ask_container(words, event, fields[key]);
	default:
		return ask_field(words, event, fields[key]);
	}
}

/* How an entry answers. */
struct answer {
	enum tristate truth;
	enum field missing; /* what kept an unknown one from being true or false */
	enum field against; /* what alone made a false one false; FIELD_COUNT: more than that */
};

/* What is asked about the service itself: an entry for another service is no near miss. */
static bool is_about_service(enum entry_key key)
{
	return key == ENTRY_SERVICE || key == ENTRY_KIND || key == ENTRY_VENDOR ||
	       key == ENTRY_COUNTRY;
}

static struct answer entry_answer(const struct provider_entry *entry, const struct event *event)
{
	static const struct answer no = {TRI_FALSE, F_SERVICE, FIELD_COUNT};
	struct answer answer = {TRI_TRUE, F_SERVICE, FIELD_COUNT};
	bool unknown = false;

	if (!hours_fit(&entry->hours, event))
		answer.against = F_TIMESTAMP;
	for (int key = 0; key < ENTRY_KEY_COUNT; key++) {
		enum tristate truth_of_key;
		enum field asked;

		if (entry->words[key].count == 0)
			continue;
		truth_of_key = entry_ask(entry, (enum entry_key)key, event, &asked);
		if (truth_of_key == TRI_UNKNOWN && !unknown) {
			unknown = true;
			answer.missing = asked;
		}
		if (truth_of_key != TRI_FALSE)
			continue;
		if (answer.against != FIELD_COUNT || is_about_service((enum entry_key)key))
			return no;
		answer.against = asked;
	}
	if (answer.against != FIELD_COUNT)
		return unknown ? no : (struct answer){TRI_FALSE, F_SERVICE, answer.against};
	answer.truth = unknown ? TRI_UNKNOWN : TRI_TRUE;
	return answer;
}

/* No entry has matched: the default, and whether it was a near miss. */
static void judge_by_default(const struct policy *policy, struct event *event,
			     const struct provider_entry *near, enum field against)
{
	event_set_text(event, F_VERDICT, verdict_names[policy->default_verdict]);
	if (near)
		event_format(event, F_VERDICT_REASON, "entry %u of %s fits but for %s",
			     near->number, yaml_name(near->file->document),
			     field_table[against].name);
	else
		event_set_text(event, F_VERDICT_REASON, "no entry of the provider list matches");
}

void policy_judge(const struct policy *policy, struct event *event)
{
	const struct provider_entry *near = NULL;
	enum field against = FIELD_COUNT;

	if (!event_has(event, F_SERVICE))
		return;
	for (size_t i = 0; i < policy->entry_count; i++) {
		const struct provider_entry *entry = policy->entries[i];
		struct answer answer = entry_answer(entry, event);

		switch (answer.truth) {
		case TRI_FALSE:
			if (near || answer.against == FIELD_COUNT ||
			    entry->verdict == VERDICT_UNSANCTIONED)
				continue;
			near = entry;
			against = answer.against;
			continue;
		case TRI_TRUE:
			event_set_text(event, F_VERDICT, verdict_names[entry->verdict]);
			event_set_text(event, F_VERDICT_REASON, entry->reason);
			return;
		case TRI_UNKNOWN:
			event_set_text(event, F_VERDICT, verdict_names[VERDICT_UNDETERMINED]);
			event_format(event, F_VERDICT_REASON,
				     "entry %u of %s depends on %s, which is not known",
				     entry->number, yaml_name(entry->file->document),
				     field_table[answer.missing].name);
			return;
		}
	}
	judge_by_default(policy, event, near, against);
}

static bool field_is(const struct event *event, enum field field, struct span text)
{
	return event_has(event, field) && span_eq(event->value[field].string, text);
}

/* llm-request, and llm-connection where no llm-request tells of the same call. */
static bool is_default_action(const struct event *event)
{
	if (field_is(event, F_EVENT_ACTION, SPAN_LITERAL("llm-request")))
		return true;
	return field_is(event, F_EVENT_ACTION, SPAN_LITERAL("llm-connection")) &&
	       !field_is(event, F_VISIBILITY, SPAN_LITERAL("plaintext"));
}

struct occasion event_occasion(const struct event *event)
{
	struct occasion occasion = {0};

	/* A preconnect or a static asset host: not a use of anything. A second hop: the first client's event is. */
	if (field_is(event, F_ACTIVITY, SPAN_LITERAL("presence")) ||
	    (event_has(event, F_RELAY) && event->value[F_RELAY].boolean))
		return occasion;
	if (event_has(event, F_EVENT_ACTION))
		occasion.action = action_bit(event->value[F_EVENT_ACTION].string);
	occasion.by_default = is_default_action(event);
	return occasion;
}

bool rule_is_about(uint32_t actions, const struct occasion *occasion)
{
	return actions ? actions & occasion->action : occasion->by_default;
}

const struct rule_exception *rule_exception(const struct rule *rule, const struct event *event,
					    const struct rule_override *override, bool all)
{
	uint64_t now = event_time(event);

	for (const struct rule_exception *e = rule->exceptions; e; e = e->next) {
		if (!all && e->override && e->override != override)
			continue;
		if (e->until_ns && now >= e->until_ns)
			continue;
		if (condition_eval(e->condition, event) == TRI_TRUE)
			return e;
	}
	return NULL;
}

/* Its condition is true: does it fire? */
static bool fires(const struct rule *rule, const struct event *event,
		  const struct rule_override *override, bool all)
{
	return hours_fit(&rule->hours, event) && !rule_exception(rule, event, override, all);
}

bool rule_fires_for(const struct rule *rule, const struct event *event,
		    const struct rule_override *override)
{
	struct occasion occasion = event_occasion(event);

	return rule_is_about(rule->actions, &occasion) &&
	       condition_eval(rule->condition, event) == TRI_TRUE &&
	       fires(rule, event, override, false);
}

/* The rule fires: is it to be told? */
static bool admits(struct policy_state *state, const struct rule *rule, const struct event *event,
		   struct finding *finding)
{
	*finding = rule->finding;
	if (!state)
		return rule->window.kind == WINDOW_NONE;
	return state_admits(state, rule, event, finding);
}

size_t policy_match(const struct policy *policy, struct policy_state *state,
		    const struct event *event, struct finding *findings, size_t cap)
{
	struct occasion occasion = event_occasion(event);
	struct guard_answers answers = {0};
	size_t n = 0;

	for (size_t i = 0; i < policy->guards.rule_count; i++) {
		const struct watched_rule *watched = &policy->guards.rules[i];

		if (!rule_is_about(watched->actions, &occasion) ||
		    !guard_opens(&policy->guards, watched->guard, &answers, event) ||
		    condition_eval(watched->condition, event) != TRI_TRUE ||
		    !fires(watched->rule, event, NULL, true))
			continue;
		if (n < cap)
			n += admits(state, watched->rule, event, &findings[n]);
		else if (state)
			state->dropped++;
	}
	return n;
}
