/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/glob.h"

bool glob_matches(struct span pattern, struct span text)
{
	size_t p = 0, t = 0, star = 0, star_text = 0;
	bool starred = false;

	while (t < text.len) {
		if (p < pattern.len && pattern.at[p] == '*') {
			starred = true;
			star = p++;
			star_text = t;
		} else if (p < pattern.len &&
			   (pattern.at[p] == '?' || pattern.at[p] == text.at[t])) {
			p++;
			t++;
		} else if (starred) {
			/* Only the last star is tried again: an earlier one could gain nothing. */
			p = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}
