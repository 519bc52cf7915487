/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Makes messages of Amazon's event stream for tests. */

static inline void put32(char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(value >> (24 - 8 * i));
}

static inline size_t put_header(char *to, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value);

	to[0] = (char)n;
	memcpy(to + 1, name, n);
	to[1 + n] = 7;
	to[2 + n] = (char)(v >> 8);
	to[3 + n] = (char)v;
	memcpy(to + 4 + n, value, v);
	return 4 + n + v;
}

/* Writes one message with Bedrock's headers; returns its length. */
static inline size_t put_event(char *to, const char *event, const char *payload)
{
	size_t headers = 12, len = strlen(payload), total;

	headers += put_header(to + headers, ":event-type", event);
	headers += put_header(to + headers, ":content-type", "application/json");
	headers += put_header(to + headers, ":message-type", "event");
	memcpy(to + headers, payload, len);
	total = headers + len + 4;
	put32(to, (uint32_t)total);
	put32(to + 4, (uint32_t)headers - 12);
	put32(to + 8, (uint32_t)crc32(0, (const unsigned char *)to, 8));
	put32(to + total - 4,
	      (uint32_t)crc32(0, (const unsigned char *)to, (unsigned int)total - 4));
	return total;
}
