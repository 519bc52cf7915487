/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "gnomon/observation.h"

/* Numbers, times and addresses as text: no locale, no allocation, no stdio. */

/* Room for any of the texts below with its NUL: the longest is an IPv6 address with an embedded IPv4
 * one, 45 bytes. */
#define TEXT_VALUE_MAX 48

/* Each writes text and NUL and returns the text's length. */

size_t text_uint(char to[TEXT_VALUE_MAX], uint64_t value);
size_t text_int(char to[TEXT_VALUE_MAX], int64_t value);

/*
 * Decimal without an exponent: the fewest decimals that read back as the same double, at most 15 and
 * at most as many as 53 bits of mantissa bear. 0 and the empty string for what has no such text:
 * infinities, NaN, and magnitudes from 2^63.
 */
size_t text_double(char to[TEXT_VALUE_MAX], double value);

/* RFC 3339 section 5.6 in UTC with milliseconds, cut not rounded: "2026-08-22T10:15:02.413Z". The
 * argument is nanoseconds since the Unix epoch. */
size_t text_time(char to[TEXT_VALUE_MAX], uint64_t time_ns);

/* Dotted decimal, or RFC 5952; 0 and the empty string for an unknown family. */
size_t text_ip(char to[TEXT_VALUE_MAX], const struct net_address *ip);
