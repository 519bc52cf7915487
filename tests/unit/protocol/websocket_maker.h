/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Makes WebSocket frames for tests. */

#define SOCKET_BYTES_MAX (256u << 10)

struct socket_bytes {
	char at[SOCKET_BYTES_MAX];
	size_t len;
};

static inline void socket_raw(struct socket_bytes *s, const void *at, size_t len)
{
	if (s->len + len > sizeof(s->at))
		abort();
	if (len)
		memcpy(s->at + s->len, at, len);
	s->len += len;
}

static inline void socket_text(struct socket_bytes *s, const char *text)
{
	socket_raw(s, text, strlen(text));
}

/* One frame; `first` is its first byte. Lengths are written in the shortest form. */
static inline void socket_frame(struct socket_bytes *s, unsigned int first, bool masked,
				const char *at, size_t len)
{
	static const char key[4] = {0x37, (char)0xfa, 0x21, 0x3d};
	unsigned char head[10] = {(unsigned char)first};
	size_t n = 2, mask = masked ? 0x80 : 0;

	if (len < 126) {
		head[1] = (unsigned char)(mask | len);
	} else if (len < 65536) {
		head[1] = (unsigned char)(mask | 126);
		head[2] = (unsigned char)(len >> 8);
		head[3] = (unsigned char)len;
		n = 4;
	} else {
		head[1] = (unsigned char)(mask | 127);
		for (int i = 0; i < 8; i++)
			head[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
		n = 10;
	}
	socket_raw(s, head, n);
	if (masked)
		socket_raw(s, key, 4);
	for (size_t i = 0; i < len; i++) {
		char c = (char)(at[i] ^ (masked ? key[i & 3] : 0));

		socket_raw(s, &c, 1);
	}
}

/* A text message by permessage-deflate, in one frame or in two. */
static inline void socket_deflated(struct socket_bytes *s, z_stream *z, bool masked, bool reset,
				   bool split, const char *text)
{
	static char packed[65536];
	size_t len;

	if (!z->state)
		deflateInit2(z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
	if (reset)
		deflateReset(z);
	z->next_in = (unsigned char *)text;
	z->avail_in = (unsigned int)strlen(text);
	z->next_out = (unsigned char *)packed;
	z->avail_out = sizeof(packed);
	deflate(z, Z_SYNC_FLUSH);
	len = sizeof(packed) - z->avail_out - 4;
	if (!split) {
		socket_frame(s, 0xc1, masked, packed, len);
		return;
	}
	socket_frame(s, 0x41, masked, packed, len / 2);
	socket_frame(s, 0x80, masked, packed + len / 2, len - len / 2);
}
