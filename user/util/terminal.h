/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "gnomon/span.h"

/* Text that comes from the wire, from files or from other processes, made fit for a terminal. */

/*
 * Copies `text` to `to` with a NUL. What could steer a terminal or deceive a reader becomes U+FFFD:
 * bytes that are not UTF-8, control characters (C0, DEL, C1), invisible and bidirectional ones (Unicode
 * category Cf; Trojan Source, CVE-2021-42574). Blanks of any control kind become spaces. Text that does
 * not fit ends with an ellipsis. `cap` is at least 8. Returns the length.
 */
size_t terminal_clean(char *to, size_t cap, struct span text);

/* The columns that clean text takes: East Asian wide characters and emoji two, combining marks none. */
size_t terminal_width(struct span text);
/* The bytes of the longest start of `text` that takes at most `width` columns. */
size_t terminal_fit(struct span text, size_t width);
