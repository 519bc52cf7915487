/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/span.h"

/* The word that a misspelled one was meant to be. Start with a zeroed struct, offer every
 * candidate, read `best`. */
struct suggestion {
	struct span best; /* empty: nothing is near enough */
	size_t distance;
};

/* Keeps `candidate` when it is nearer to `word` than what was offered before: at most a third of
 * the word's letters, or one, differ or are swapped, or it ends with a dot and the word. Words over
 * SUGGEST_WORD_MAX never match. The candidate's text must outlive the suggestion. */
void suggest_offer(struct suggestion *suggestion, struct span word, struct span candidate);

/* ", did you mean "x"?" as arguments for a format: SUGGEST_FORMAT with SUGGEST_ARGS(s). */
#define SUGGEST_FORMAT "%s%.*s%s"
#define SUGGEST_ARGS(s)                                                                            \
	(s).best.len ? ", did you mean \"" : "", (int)(s).best.len,                                \
		(s).best.len ? (s).best.at : "", (s).best.len ? "\"?" : ""
