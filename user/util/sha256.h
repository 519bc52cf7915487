/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/span.h"

/* Lower-case hex and the NUL. */
#define SHA256_HEX_BYTES 65

/* SHA-256 (FIPS 180-4) over several texts; each counts with its length, so that moving a byte from
 * one to the next changes the sum. */
struct sha256;

/* NULL when out of memory. */
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *sum);
/* 0, or -ENOMEM when the library refuses. */
int sha256_add(struct sha256 *sum, struct span text);
/* The sum so far; more may be added. 0, or -ENOMEM. */
int sha256_hex(const struct sha256 *sum, char hex[static SHA256_HEX_BYTES]);
