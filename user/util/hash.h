/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "gnomon/span.h"

#define HASH_START 0xcbf29ce484222325ull

/*
 * FNV-1a, 64 bits (the FNV Internet-Draft, draft-eastlake-fnv): names for files and short sets, stable
 * across versions and machines. Not for tables that an attacker can fill: it has no secret. Chain calls
 * by passing the previous result, HASH_START first.
 */
static inline uint64_t hash_fnv1a(uint64_t hash, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.at[i]) * 0x100000001b3ull;
	return hash;
}
