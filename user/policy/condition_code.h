/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/limits.h"
#include "policy/condition.h"

/* What the compiler makes and the evaluator reads: steps for a stack machine, in one array. */

enum step_op {
	/* tests; they push */
	STEP_EQ,
	STEP_NE,
	STEP_LT,
	STEP_LE,
	STEP_GT,
	STEP_GE,
	STEP_CONTAINS,
	STEP_STARTS,
	STEP_ENDS,
	STEP_MATCHES,
	STEP_IN,
	STEP_LIKE, /* one of a set of globs; of a list, one of its items is */
	STEP_EXISTS,
	STEP_HOLDS, /* a boolean field by itself; the last that looks at a field */
	STEP_MACRO,
	/* the others work on the stack */
	STEP_NOT,
	STEP_AND,
	STEP_OR,
	STEP_SKIP_FALSE, /* jumps when the top is false, which it stays */
	STEP_SKIP_TRUE,
};

/* What can be compared with what: INT and DOUBLE are both numbers. */
enum value_class { VALUE_STRING, VALUE_NUMBER, VALUE_BOOL, VALUE_TIME, VALUE_IP, VALUE_LIST };

struct value {
	enum field_type type;
	union {
		struct span string;
		int64_t integer;
		double real;
		bool boolean;
		uint64_t time_ns;
		struct {
			struct net_address ip;
			uint8_t prefix; /* bits that count */
		};
	};
};

struct value_set {
	struct value *items;
	size_t count;
	uint32_t *slots; /* strings: numbers of items from 1, by their hashes; 0: none */
	size_t mask;
	struct span
		list;  /* the name of a $list, not yet or already filled in; empty: written out */
	size_t offset; /* of the name in the text */
};

/* A condition that another one names. */
struct macro_ref {
	struct span name;
	size_t offset; /* of the name in the text */
	struct condition *target;
};

enum operand_kind { OPERAND_NONE, OPERAND_VALUE, OPERAND_FIELD, OPERAND_SET };

struct step {
	enum step_op op;
	enum field field;
	enum operand_kind operand;
	union {
		struct value value;
		enum field other;
		struct value_set *set;
		struct macro_ref *macro;
		uint32_t jump; /* the step to go on with */
	};
	struct span text; /* of a test, as written */
};

struct condition {
	struct step *steps;
	uint32_t count;
	/* With all macros written out; 0: not known yet. */
	uint32_t weight;
	uint8_t depth; /* of macros in macros */
	bool settling; /* on the way from it to what it names */
	bool broken;   /* its error has been told */
};

/* Each level of nesting holds at most an `or` side and an `and` side while the next is worked on.
 */
#define CONDITION_STACK_MAX (2 * (CONDITION_DEPTH_MAX + 1) + 1)

/* The outcome of one test. */
enum tristate step_eval(const struct step *step, const struct event *event);
enum tristate truth_and(enum tristate a, enum tristate b);
enum tristate truth_not(enum tristate a);
enum value_class value_class_of(enum field_type type);
/* A word as a value of that class (not VALUE_TIME or VALUE_LIST). false: it is none. */
bool value_parse(struct span item, enum value_class class, struct value *value);
/* An address or a network. false: neither. */
bool value_parse_ip(struct span text, struct value *value);
/* Makes the table of a set of strings. -ENOMEM. */
int value_set_index(struct value_set *set, struct arena *arena);
/* The number of the item that is this string; SIZE_MAX: none is. */
size_t value_set_find(const struct value_set *set, struct span text);

static inline bool value_set_has_string(const struct value_set *set, struct span text)
{
	return value_set_find(set, text) != SIZE_MAX;
}
