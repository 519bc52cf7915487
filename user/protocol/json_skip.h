/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Passes over one JSON object or array (RFC 8259), 64 bytes at a time: of what is in it, only brackets
 * are counted, of either kind alike, and where strings end.
 */
struct json_skip {
	uint64_t depth; /* brackets open; 0: it has ended */
	bool in_string, escaped;
};

/* Its opening bracket has been read. */
static inline void json_skip_begin(struct json_skip *skip)
{
	*skip = (struct json_skip){.depth = 1};
}

/* Returns how many bytes are its own: up to and with the bracket that ends it, or all. The same however
 * the bytes are cut. */
size_t json_skip(struct json_skip *skip, const char *p, size_t n);
