/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <nghttp2/nghttp2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon/observation.h"
#include "gnomon/span.h"
#include "protocol/http2_frame.h"

/* Makes HTTP/2 connections for tests: turns of bytes by direction. */

#define MADE_BYTES_MAX (256u << 10)
#define MADE_TURNS_MAX 128

struct made {
	nghttp2_hd_deflater *deflater[DIR_COUNT];
	char bytes[MADE_BYTES_MAX];
	size_t len;
	struct {
		enum stream_dir dir;
		size_t end;
	} turns[MADE_TURNS_MAX];
	size_t count;
};

static inline void made_raw(struct made *m, enum stream_dir dir, const void *at, size_t len)
{
	if (m->len + len > MADE_BYTES_MAX)
		abort();
	if (!m->count || m->turns[m->count - 1].dir != dir) {
		if (m->count == MADE_TURNS_MAX)
			abort();
		m->turns[m->count++].dir = dir;
	}
	if (len)
		memcpy(m->bytes + m->len, at, len);
	m->len += len;
	m->turns[m->count - 1].end = m->len;
}

static inline void made_frame(struct made *m, enum stream_dir dir, uint8_t type, uint8_t flags,
			      uint32_t stream, const void *at, size_t len)
{
	const unsigned char head[9] = {
		(unsigned char)(len >> 16),
		(unsigned char)(len >> 8),
		(unsigned char)len,
		type,
		flags,
		(unsigned char)(stream >> 24),
		(unsigned char)(stream >> 16),
		(unsigned char)(stream >> 8),
		(unsigned char)stream,
	};

	made_raw(m, dir, head, sizeof(head));
	made_raw(m, dir, at, len);
}

/* "name: value" lines, compressed with the direction's history. Returns the length. */
static inline size_t made_block(struct made *m, enum stream_dir dir, const char *lines, char *to,
				size_t cap)
{
	nghttp2_nv nv[64];
	size_t count = 0;
	ssize_t n;

	if (!m->deflater[dir])
		nghttp2_hd_deflate_new(&m->deflater[dir], 4096);
	while (*lines) {
		const char *colon = strchr(lines + 1, ':'), *end = strchr(lines, '\n');

		nv[count++] = (nghttp2_nv){
			.name = (uint8_t *)lines,
			.namelen = (size_t)(colon - lines),
			.value = (uint8_t *)colon + 2,
			.valuelen = (size_t)(end - colon - 2),
		};
		lines = end + 1;
	}
	n = nghttp2_hd_deflate_hd(m->deflater[dir], (uint8_t *)to, cap, nv, count);
	if (n < 0)
		abort();
	return (size_t)n;
}

static inline void made_headers(struct made *m, enum stream_dir dir, uint32_t stream, bool ends,
				const char *lines)
{
	char block[16384];
	size_t n = made_block(m, dir, lines, block, sizeof(block));

	made_frame(m, dir, HTTP2_HEADERS, HTTP2_END_HEADERS | (ends ? HTTP2_END_STREAM : 0), stream,
		   block, n);
}

static inline void made_data(struct made *m, enum stream_dir dir, uint32_t stream, bool ends,
			     const char *text)
{
	made_frame(m, dir, HTTP2_DATA, ends ? HTTP2_END_STREAM : 0, stream, text, strlen(text));
}

/* Preface and settings of both, as curl and nginx begin. */
static inline void made_begin(struct made *m)
{
	memset(m, 0, sizeof(*m));
	made_raw(m, DIR_OUT, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
	made_frame(m, DIR_OUT, HTTP2_SETTINGS, 0, 0, "\0\3\0\0\0d\0\4\2\0\0\0", 12);
	made_frame(m, DIR_OUT, HTTP2_WINDOW_UPDATE, 0, 0, "\1\377\0\1", 4);
	made_frame(m, DIR_IN, HTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\200", 6);
	made_frame(m, DIR_IN, HTTP2_SETTINGS, HTTP2_ACK, 0, NULL, 0);
	made_frame(m, DIR_OUT, HTTP2_SETTINGS, HTTP2_ACK, 0, NULL, 0);
}

static inline void made_done(struct made *m)
{
	for (int dir = 0; dir < DIR_COUNT; dir++)
		if (m->deflater[dir])
			nghttp2_hd_deflate_del(m->deflater[dir]);
	memset(m->deflater, 0, sizeof(m->deflater));
}

#define MADE_POST(path)                                                                            \
	":method: POST\n:scheme: https\n:authority: api.example.com\n:path: " path                 \
	"\ncontent-type: application/json\nuser-agent: test/1\n"
#define MADE_OK ":status: 200\ncontent-type: application/json\nserver: stand-in\n"
