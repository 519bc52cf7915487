/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "gnomon/limits.h"

/*
 * Writes an id as text, with its NUL: Crockford's Base32, upper case, most significant digit first.
 * 13 digits when `high` is 0, else the 26 of the 128-bit number, which is how a ULID is written. Texts
 * of the same width sort as the numbers do.
 */
void id_format(char out[ID_MAX], uint64_t high, uint64_t low);
