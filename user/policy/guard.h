/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/limits.h"
#include "policy/condition_code.h"

struct rule;

/* What the matcher goes through: small, and in one piece. */
struct watched_rule {
	struct rule *rule;
	/* The rule's. */
	const struct condition *condition;
	uint32_t actions;
	uint32_t guard; /* GUARDS_MAX: none */
};

/* Guards that want one field to be one of several texts: one look-up answers them all. */
struct guard_group {
	enum field field;
	uint32_t first, count; /* of the guards */
	struct value_set texts;
};

struct guards {
	struct watched_rule *rules;
	size_t rule_count;
	struct step *steps; /* each a test that at least one rule needs to be true */
	size_t count;
	const struct guard_group **group_of; /* by guard; NULL: it stands alone */
};

/* The answers of one event; begin with zeroes. */
struct guard_answers {
	uint8_t known[GUARDS_MAX]; /* 0: not asked, 1: not true, 2: true */
};

/* For bound and settled conditions. -ENOMEM. */
int guards_make(struct guards *guards, struct rule *const *rules, size_t count,
		struct arena *arena);

/* Answers this guard, and with it all of its group. */
void guard_ask(const struct guards *guards, uint32_t guard, struct guard_answers *answers,
	       const struct event *event);

/* Can the rule's condition be true? */
static inline bool guard_opens(const struct guards *guards, uint32_t guard,
			       struct guard_answers *answers, const struct event *event)
{
	if (guard >= GUARDS_MAX)
		return true;
	if (!answers->known[guard])
		guard_ask(guards, guard, answers, event);
	return answers->known[guard] == 2;
}
