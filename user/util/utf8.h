/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gnomon/span.h"

/* What utf8_decode() tells of bytes that are not UTF-8. */
#define UTF8_INVALID UINT32_MAX

/*
 * Decodes what stands at the start of `s`, which must not be empty. Returns the bytes it takes (1 to
 * 4). Ill-formed bytes (stray, overlong, surrogate, above U+10FFFF, cut short) give UTF8_INVALID and
 * the length of the "maximal subpart", so that one U+FFFD takes the place of each as The Unicode
 * Standard recommends (section 3.9, tables 3-7 and 3-8).
 */
size_t utf8_decode(struct span s, uint32_t *code);

/* The length of `s` without a sequence that its end cuts short. */
size_t utf8_whole(struct span s);
/* The length, at most `max`, to which `s` can be cut without splitting a sequence. */
size_t utf8_cut(struct span s, size_t max);
