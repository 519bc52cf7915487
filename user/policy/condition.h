/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/event.h"
#include "gnomon/facts.h"
#include "util/arena.h"

/*
 * The language of `when`:
 *
 *   condition  = and-part { "or" and-part }
 *   and-part   = not-part { "and" not-part }
 *   not-part   = "not" not-part | "(" condition ")" | macro | test
 *   test       = field "exists" | bool-field
 *              | field ("==" | "!=" | "<" | "<=" | ">" | ">=") (literal | field)
 *              | field ("contains" | "startswith" | "endswith" | "matches") (string | field)
 *              | field "matches" ("(" string { "," string } ")" | "$" name)
 *              | field "cidr" (string | "(" string { "," string } ")" | "$" name)
 *              | field "in" ("(" literal { "," literal } ")" | "$" name | list-field)
 *   literal    = "string" | 'string' | number | true | false
 *
 * Fields are those of event_fields.h. A test on a field that the event does not have is unknown
 * (TRI_UNKNOWN), `exists` alone is never. Kleene's logic from there: unknown and false is false,
 * unknown or true is true, not unknown is unknown.
 *
 * contains: a string holds another, or a list holds the string. matches: a glob (util/glob.h), or
 * one of several; of a list, one of its items does. `in` of a list: one of its items is in the set. IP addresses compare with addresses and, by == != in,
 * with networks ("10.0.0.0/8"); `cidr` says so by its name and takes nothing but addresses. Times
 * have `exists` and compare with times. A macro is a condition that the policy names; its name has
 * no dots, which the fields that can be compared have.
 */
struct condition;
struct value_set;

struct condition_error {
	size_t offset; /* of the byte in the text where it is wrong */
	char message[256];
};

/* Compiles into the arena, which keeps pointing into `text`. NULL with the first error in *error. */
struct condition *condition_compile(struct arena *arena, struct span text,
				    struct condition_error *error);

/* A named list of the policy. */
struct condition_list {
	struct span name;
	const struct span *items;
	size_t count;
	/* As strings, numbers, booleans and addresses, made when the first condition asks for them. */
	struct value_set *sets[4];
};

/* A named condition of the policy. */
struct condition_macro {
	struct span name;
	struct condition *condition;
};

/* What a condition may name, each in order of name. */
struct condition_names {
	struct condition_list *lists;
	size_t list_count;
	const struct condition_macro *macros;
	size_t macro_count;
};

/* Fills in the $lists and macros that the condition names. -EINVAL with the first error in *error,
 * -ENOMEM. */
int condition_bind(struct condition *condition, struct arena *arena,
		   const struct condition_names *names, struct condition_error *error);
/* Checks, when all macros are bound, that the condition does not lead back to itself through them
 * and is not too large with them. -EINVAL with the first error in *error. Call before the first
 * condition_eval(). */
int condition_settle(struct condition *condition, struct condition_error *error);

/* The fields that the condition looks at, macros written out, each once and in the order in which they
 * stand. For a settled condition. Returns their number, at most cap. */
size_t condition_fields(const struct condition *condition, enum field *fields, size_t cap);

/* Allocates nothing. */
enum tristate condition_eval(const struct condition *condition, const struct event *event);

/* The first test that kept the condition from being true, or that made it true. */
struct condition_blame {
	struct span text; /* as written; an exception's is its field */
	enum tristate truth;
	enum field field, other; /* what it compares; FIELD_COUNT: nothing */
};

/* condition_eval() that says why. */
enum tristate condition_explain(const struct condition *condition, const struct event *event,
				struct condition_blame *blame);

/* Orders spans by their bytes, the shorter of two with the same start first. */
int span_compare(struct span a, struct span b);
