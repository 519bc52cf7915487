/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "policy/condition.h"
#include "policy/guard.h"
#include "policy/policy.h"
#include "policy/times.h"
#include "util/arena.h"
#include "util/sha256.h"
#include "util/yaml.h"

/* What a policy is made of: the loader fills it, the matcher reads it. */

enum verdict { VERDICT_SANCTIONED, VERDICT_TOLERATED, VERDICT_UNSANCTIONED, VERDICT_UNDETERMINED };

/* gnomon.verdict's words. */
extern const char *const verdict_names[];

/* What an entry of the provider list may ask for, in the order of asking: the cheap first. */
enum entry_key {
	ENTRY_SERVICE,
	ENTRY_KIND,
	ENTRY_VENDOR,
	ENTRY_COUNTRY,
	ENTRY_MODELS,
	ENTRY_AGENTS,
	ENTRY_ACCOUNTS,
	ENTRY_USERS,
	ENTRY_GROUPS,
	ENTRY_PROCESSES, /* names; paths when they begin with '/' */
	ENTRY_IMAGES,
	ENTRY_NAMESPACES,
	ENTRY_KEY_COUNT,
};

extern const char *const entry_key_names[ENTRY_KEY_COUNT];

struct word_list {
	const struct span *items;
	size_t count;
};

struct rule_hours {
	const struct hours *spans;
	size_t count; /* 0: at all hours */
	bool outside; /* it is the time outside of the spans that counts */
};

struct policy_file;

struct provider_entry {
	enum verdict verdict;
	struct word_list words[ENTRY_KEY_COUNT]; /* no items: not asked */
	const struct yaml_node *nodes[ENTRY_KEY_COUNT];
	struct word_list vendor_services; /* ids of the vendors' services */
	bool vendors_resolved;
	struct rule_hours hours;
	struct policy_file *file;
	unsigned int number; /* from 1, within the file */
	const char *reason;  /* gnomon.verdict_reason when it matches */
};

struct rule_test {
	const struct yaml_node *place, *event, *events; /* one event, or a sequence of them */
	bool expect_alert;
	uint64_t time_ns;
	unsigned int repeat; /* times that it all comes */
	uint64_t step_ns;    /* from one event to the next */
};

/* Tests that stand together: a rule's own, or those of one override. */
struct rule_tests {
	struct rule_tests *next;
	struct policy_file *file;
	const struct rule_override *override; /* NULL: the rule's own */
	struct rule_test *items;
	size_t count;
};

/* When all of its fields have one of the values that it names, the rule does not fire. */
struct rule_exception {
	struct rule_exception *next;
	struct policy_file *file;
	const struct yaml_node *place;
	const struct rule_override *override; /* NULL: the rule's own */
	struct condition *condition;
	uint64_t until_ns; /* 0: for ever */
	const char *reason, *ticket;
};

enum rule_mode { RULE_OFF, RULE_OBSERVE, RULE_ALERT };

/* By mode, ends with NULL. */
extern const char *const rule_mode_names[];

/* Fields whose values together make a key. */
struct field_key {
	const enum field *fields;
	size_t count;
};

struct rule_throttle {
	struct field_key per;
	uint64_t every_ns; /* 0: none */
};

struct rule_window {
	enum finding_window kind;
	bool every_event; /* counts events whether or not they have a field */
	enum field field;
	struct field_key per;
	uint64_t over_ns;
	const char *over; /* as written */
	double above;
};

struct rule {
	struct finding finding;
	enum rule_mode mode;
	struct condition *condition;
	const struct yaml_node *place, *when;
	uint32_t actions; /* bits of event actions; 0: the default ones */
	struct rule_hours hours;
	struct rule_window window;
	struct rule_throttle throttle;
	struct rule_exception *exceptions;
	struct rule_tests *tests;
	struct policy_file *file;
};

/* What a later file makes of a rule. */
struct rule_override {
	struct policy_file *file;
	const struct yaml_node *place; /* the rule's id */
	bool has_mode, has_severity, has_throttle;
	bool has_throttle_per; /* else the rule's keys stay */
	enum rule_mode mode;
	enum severity severity;
	struct rule_throttle throttle;
	struct rule_exception *exceptions;
	struct rule_tests *tests;
};

struct policy_list {
	struct condition_list list;
	const struct yaml_node *place;
	struct policy_file *file;
};

struct policy_macro {
	struct condition_macro macro;
	const struct yaml_node *place, *text;
	struct policy_file *file;
};

struct policy_file {
	struct policy_file *next;
	struct arena arena;
	struct yaml_document *document;
	const char *ruleset;
	bool built_in; /* its lists and macros give way to others of their names */
	bool has_default;
	enum verdict default_verdict;
	struct provider_entry *entries;
	size_t entry_count;
	struct rule *rules;
	size_t rule_count;
	struct rule_override *overrides;
	size_t override_count;
	struct policy_list *lists;
	size_t list_count;
	struct policy_macro *macros;
	size_t macro_count;
};

struct policy {
	struct policy_file *files, **tail; /* in the order of adding */
	struct arena arena;
	/* Of a sealed policy. */
	enum verdict default_verdict;
	struct provider_entry **entries;
	size_t entry_count;
	struct rule **rules; /* all of them, in the order of adding */
	size_t rule_count;
	struct guards guards; /* with the rules that are not off */
	struct sha256 *sum;
	char hex[SHA256_HEX_BYTES];
};

/* Reads one file. NULL with every error in `diag`. An empty ruleset name stands for the file's. */
struct policy_file *policy_file_load(const char *name, const char *ruleset, struct span text,
				     struct diag *diag);
void policy_file_free(struct policy_file *file);

/* The event actions that rules can be about, the default first; ends with NULL. */
extern const char *const action_names[];
/* The bit of an event.action, 0 when rules cannot be about it. */
uint32_t action_bit(struct span action);
/* @timestamp; 0: none. */
static inline uint64_t event_time(const struct event *event)
{
	return event_has(event, F_TIMESTAMP) ? event->value[F_TIMESTAMP].time_ns : 0;
}

/* Is it the hour? */
bool hours_fit(const struct rule_hours *hours, const struct event *event);
/* What rules are about, of an event. */
struct occasion {
	uint32_t action; /* the bit of its action; 0: none, or it was no use of anything */
	bool by_default; /* rules that name no action are about it */
};

struct occasion event_occasion(const struct event *event);
/* Is it an event of those that the rule looks at? */
bool rule_is_about(uint32_t actions, const struct occasion *occasion);
/* The exception for this event; those that are over no longer count. The rule's own and those of one
 * override (NULL: none), or with `all` those of every override. NULL: there is none. */
const struct rule_exception *rule_exception(const struct rule *rule, const struct event *event,
					    const struct rule_override *override, bool all);
/* Is the rule about this event, its condition true, the hour right, and no exception made? As the
 * rule's author wrote it, or with this override alone: for tests. */
bool rule_fires_for(const struct rule *rule, const struct event *event,
		    const struct rule_override *override);
/* Sets a field from a test's YAML. NULL, or what is wrong. */
const char *test_set_field(struct event *event, enum field field, const struct yaml_node *value);
