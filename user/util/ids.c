/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/ids.h"

#define DIGITS_64  13 /* 5 bits each */
#define DIGITS_128 26

_Static_assert(DIGITS_128 + 1 == ID_MAX, "an id and its NUL");

void id_format(char out[ID_MAX], uint64_t high, uint64_t low)
{
	/* Without I, L, O and U, which people misread. */
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	unsigned int width = high ? DIGITS_128 : DIGITS_64;

	out[width] = '\0';
	while (width-- > 0) {
		out[width] = alphabet[low & 31];
		low = low >> 5 | high << 59;
		high >>= 5;
	}
}
