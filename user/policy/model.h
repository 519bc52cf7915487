/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "policy/condition.h"
#include "policy/policy.h"
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
	ENTRY_USERS,
	ENTRY_KEY_COUNT,
};

extern const char *const entry_key_names[ENTRY_KEY_COUNT];

struct word_list {
	const struct span *items;
	size_t count;
};

struct policy_file;

struct provider_entry {
	enum verdict verdict;
	struct word_list words[ENTRY_KEY_COUNT]; /* no items: not asked */
	const struct yaml_node *nodes[ENTRY_KEY_COUNT];
	struct word_list vendor_services; /* ids of the vendors' services */
	bool vendors_resolved;
	struct policy_file *file;
	unsigned int number; /* from 1, within the file */
	const char *reason;  /* gnomon.verdict_reason when it matches */
};

struct rule_test {
	const struct yaml_node *place, *event;
	bool expect_alert;
};

struct rule {
	struct finding finding;
	struct condition *condition;
	const struct yaml_node *place, *when;
	uint32_t actions; /* bits of event actions; 0: the default ones */
	struct rule_test *tests;
	size_t test_count;
	struct policy_file *file;
};

struct policy_list {
	struct condition_list list;
	const struct yaml_node *place;
	struct policy_file *file;
};

struct policy_file {
	struct policy_file *next;
	struct arena arena;
	struct yaml_document *document;
	const char *ruleset;
	bool has_default;
	enum verdict default_verdict;
	struct provider_entry *entries;
	size_t entry_count;
	struct rule *rules;
	size_t rule_count;
	struct policy_list *lists;
	size_t list_count;
};

struct policy {
	struct policy_file *files, **tail; /* in the order of adding */
	struct arena arena;
	/* Of a sealed policy. */
	enum verdict default_verdict;
	struct provider_entry **entries;
	size_t entry_count;
	struct rule **rules;
	size_t rule_count;
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
/* Does the rule look at this event, and is its condition true? */
bool rule_fires(const struct rule *rule, const struct event *event);
/* Sets a field from a test's YAML. NULL, or what is wrong. */
const char *test_set_field(struct event *event, enum field field, const struct yaml_node *value);
/* Prepares the event of a test, which takes its strings from the file. */
void test_event(const struct rule *rule, const struct rule_test *test, struct event *event);
