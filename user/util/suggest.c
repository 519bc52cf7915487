/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/suggest.h"

#include "gnomon/limits.h"

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Letters inserted, left out, changed or swapped with their neighbour (optimal string alignment).
 * Two rows are kept besides the one that is made; both words fit them. */
static size_t edit_distance(struct span a, struct span b)
{
	size_t rows[3][SUGGEST_WORD_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		const size_t *before = rows[(i + 1) % 3], *last = rows[(i - 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			char x = ascii_lower(a.at[i - 1]), y = ascii_lower(b.at[j - 1]);

			row[j] = least(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == ascii_lower(b.at[j - 2]) &&
			    ascii_lower(a.at[i - 2]) == y)
				row[j] = least(row[j], before[j - 2] + 1, row[j]);
		}
	}
	return rows[a.len % 3][b.len];
}

/* "verdict" for "gnomon.verdict": the short form that people try first. */
static bool is_last_part(struct span word, struct span candidate)
{
	return candidate.len > word.len && span_ends(candidate, word) &&
	       candidate.at[candidate.len - word.len - 1] == '.';
}

void suggest_offer(struct suggestion *suggestion, struct span word, struct span candidate)
{
	size_t allowed = word.len / 3 ? word.len / 3 : 1, distance;
	size_t longer = word.len > candidate.len ? word.len - candidate.len
						 : candidate.len - word.len;

	if (word.len == 0 || word.len > SUGGEST_WORD_MAX || candidate.len > SUGGEST_WORD_MAX)
		return;
	if (is_last_part(word, candidate))
		distance = 1;
	else if (longer > allowed)
		return; /* each letter too many is a mistake: no need to count */
	else
		distance = edit_distance(word, candidate);
	if (distance > allowed)
		return;
	if (suggestion->best.len && suggestion->distance <= distance)
		return;
	suggestion->best = candidate;
	suggestion->distance = distance;
}
