/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <nghttp2/nghttp2.h>

#include "gnomon/protocol.h"

/*
 * Header blocks of one direction of an HTTP/2 connection: undoes their compression, whose state they
 * share (RFC 7541), and makes heads of them.
 */
struct http2_heads {
	nghttp2_hd_inflater *inflater; /* NULL before the first block */
	struct http2_block *block;     /* the one in progress, NULL: none */
	bool unknown_history;          /* lost or not seen: references into it mean nothing */
	uint32_t table_max;            /* what the decoding peer allows, 0: the default */
};

/* Frees what the blocks needed. */
void http2_heads_done(struct http2_heads *heads);
/* Blocks were lost here; the one in progress is given up. */
void http2_heads_lost(struct http2_heads *heads);
/* The decoding peer's SETTINGS_HEADER_TABLE_SIZE. Up to HTTP2_TABLE_MAX is followed; less than
 * before is not enforced, for the compressing peer says itself when it does so. */
void http2_heads_table(struct http2_heads *heads, uint32_t bytes);

/* Begins a block. -ENOMEM. */
int http2_block_begin(struct http2_heads *heads);
/* More of the block; `last` when nothing of it follows. 0; -EPROTO: malformed, the state is of no
 * use any more; -ENOMEM likewise. With an unknown history, what refers beyond it ends the block
 * there instead, and the history is forgotten again. */
int http2_block_feed(struct http2_heads *heads, struct span bytes, bool last);
/* The head, once its last bytes were fed; lent until http2_block_end(). Headers over
 * HTTP_HEADERS_MAX and HTTP_HEAD_MAX are left out. */
const struct http_head *http2_block_head(struct http2_heads *heads);
void http2_block_end(struct http2_heads *heads);
