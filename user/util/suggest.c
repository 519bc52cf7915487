/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/suggest.h"

#include "gnomon/limits.h"

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance with one row kept; both words fit the row. */
static size_t edit_distance(struct span a, struct span b)
{
	size_t row[SUGGEST_WORD_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t above = row[j];

			row[j] = least(
				above + 1, row[j - 1] + 1,
				diagonal + (ascii_lower(a.at[i - 1]) != ascii_lower(b.at[j - 1])));
			diagonal = above;
		}
	}
	return row[b.len];
}

/* "verdict" for "gnomon.verdict": the short form that people try first. */
static bool is_last_part(struct span word, struct span candidate)
{
	return candidate.len > word.len && span_ends(candidate, word) &&
	       candidate.at[candidate.len - word.len - 1] == '.';
}

void suggest_offer(struct suggestion *suggestion, struct span word, struct span candidate)
{
	size_t distance;

	if (word.len == 0 || word.len > SUGGEST_WORD_MAX || candidate.len > SUGGEST_WORD_MAX)
		return;
	if (is_last_part(word, candidate))
		distance = 1;
	else
		distance = edit_distance(word, candidate);
	if (distance > 1 && distance > word.len / 3)
		return;
	if (suggestion->best.len && suggestion->distance <= distance)
		return;
	suggestion->best = candidate;
	suggestion->distance = distance;
}
