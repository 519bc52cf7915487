/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "policy/model.h"
#include "util/diag.h"

/* What the files that read a policy's YAML share. The format is told in rules/README.md. */

struct load {
	struct policy_file *file;
	struct diag *diag;
	bool failed;
};

#define load_error(load, node, ...)                                                                \
	do {                                                                                       \
		(load)->failed = true;                                                             \
		yaml_error((load)->file->document, node, (load)->diag, __VA_ARGS__);               \
	} while (0)

/* For "%.*s" with input in a message. */
static inline int quoted_len(struct span text)
{
	return (int)(text.len < MESSAGE_TEXT_MAX ? text.len : MESSAGE_TEXT_MAX);
}

/* yaml_check() that counts as a failure of the load. */
bool load_check(struct load *load, const struct yaml_node *node, const char *what,
		const struct yaml_key *keys);
/* From the file's arena; NULL with the error told. */
void *load_array(struct load *load, const struct yaml_node *node, size_t count, size_t size);
/* Which of the words (NULL at the end) is it? Says so and gives -EINVAL when none. */
int load_word(struct load *load, const struct yaml_node *node, const char *what,
	      const char *const *words);
/* The field of that name. Says so and gives -EINVAL when there is none. */
int load_field(struct load *load, const struct yaml_node *node);
/* A scalar that is not empty; NULL for a NULL node, and with the error told. */
const char *load_text(struct load *load, const struct yaml_node *node);
/* A scalar, or a sequence of scalars, none of them empty. */
struct word_list load_words(struct load *load, const struct yaml_node *node);
/* Names of rules, lists and macros: letters, digits, '_' and '-'. */
bool load_is_name(struct span text);

/* The first of a scalar or of a sequence's items, and the one behind it. */
static inline const struct yaml_node *items_first(const struct yaml_node *node)
{
	return !node || node->kind != YAML_SEQUENCE ? node : node->first;
}

static inline const struct yaml_node *items_next(const struct yaml_node *node,
						 const struct yaml_node *item)
{
	return node->kind == YAML_SEQUENCE ? item->next : NULL;
}

/* Tells an error of a condition that stands in that scalar. */
void load_condition_error(struct load *load, const struct yaml_node *scalar,
			  const struct condition_error *error);
/* The mapping's "hours" or "outside_hours". */
struct rule_hours load_hours(struct load *load, const struct yaml_node *mapping);
void load_duration(struct load *load, const struct yaml_node *node, uint64_t *ns);
/* Kind WINDOW_NONE without a node. */
struct rule_window load_window(struct load *load, const struct yaml_node *node);
/* Without a node the default of a rule with that window. */
struct rule_throttle load_throttle(struct load *load, const struct yaml_node *node,
				   const struct rule_window *window);
/* Each from the file's arena; NULL without a node, and with the error told. */
struct rule_exception *load_exceptions(struct load *load, const struct yaml_node *node,
				       const struct rule_override *override);
struct rule_tests *load_tests(struct load *load, const struct yaml_node *node,
			      const struct rule_override *override);

/* Each takes its part of the file; NULL: the file has none. */
void load_providers(struct load *load, const struct yaml_node *node);
void load_rules(struct load *load, const struct yaml_node *node);
