/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/http2_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"

/* RFC 7541 section 4.1: the default table, and what an entry costs besides its text. */
#define TABLE_DEFAULT  4096
#define ENTRY_OVERHEAD 32

struct http2_block {
	struct http_head head;
	bool broken; /* the rest of it cannot be understood */
	size_t used;
	struct http_header headers[HTTP_HEADERS_MAX];
	char text[HTTP_HEAD_MAX];
};

/* The name of entries that stand for an unknown history; no header is called so. */
static const struct span unknown_name = SPAN_LITERAL("?");

void http2_heads_done(struct http2_heads *heads)
{
	if (heads->inflater)
		nghttp2_hd_inflate_del(heads->inflater);
	free(heads->block);
	*heads = (struct http2_heads){0};
}

void http2_heads_lost(struct http2_heads *heads)
{
	uint32_t table_max = heads->table_max;

	http2_heads_done(heads);
	heads->table_max = table_max;
	heads->unknown_history = true;
}

void http2_heads_table(struct http2_heads *heads, uint32_t bytes)
{
	if (bytes > HTTP2_TABLE_MAX)
		bytes = HTTP2_TABLE_MAX;
	if (bytes > heads->table_max)
		heads->table_max = bytes;
}

/*
 * Entries of an unknown history: as many as the table can hold, so that a reference to any of them
 * finds something, and so small that none of them outlives one that the peer still has. What is
 * compressed from here on is then found where the peer puts it.
 */
static int fill_history(nghttp2_hd_inflater *inflater)
{
	/* literal with incremental indexing, new name: RFC 7541 section 6.2.1 */
	static const uint8_t entry[] = {0x40, 0x01, '?', 0x00};
	nghttp2_nv nv;
	int flags;

	for (int i = 0; i < TABLE_DEFAULT / (ENTRY_OVERHEAD + 1); i++) {
		const uint8_t *at = entry;
		size_t left = sizeof(entry);

		do {
			ssize_t n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, at, left, 1);

			if (n < 0)
				return -ENOMEM;
			at += n;
			left -= (size_t)n;
		} while (!(flags & NGHTTP2_HD_INFLATE_FINAL));
		nghttp2_hd_inflate_end_headers(inflater);
	}
	return 0;
}

static int make_inflater(struct http2_heads *heads)
{
	if (nghttp2_hd_inflate_new(&heads->inflater) != 0) {
		heads->inflater = NULL;
		return -ENOMEM;
	}
	if (!heads->unknown_history)
		return 0;
	/* what was agreed on is not known either */
	heads->table_max = HTTP2_TABLE_MAX;
	return fill_history(heads->inflater);
}

int http2_block_begin(struct http2_heads *heads)
{
	int r = heads->inflater ? 0 : make_inflater(heads);

	if (r < 0)
		return r;
	if (heads->table_max > TABLE_DEFAULT)
		nghttp2_hd_inflate_change_table_size(heads->inflater, heads->table_max);
	/* the text needs no zeros */
	heads->block = malloc(sizeof(*heads->block));
	if (!heads->block)
		return -ENOMEM;
	heads->block->head = (struct http_head){.version = SPAN_LITERAL("2")};
	heads->block->broken = false;
	heads->block->used = 0;
	return 0;
}

/* Copies into the block; empty when there is no more room. */
static struct span keep(struct http2_block *block, struct span text)
{
	char *to = block->text + block->used;

	if (text.len > sizeof(block->text) - block->used)
		return span_of(to, 0);
	memcpy(to, text.at, text.len);
	block->used += text.len;
	return span_of(to, text.len);
}

static int status_of(struct span value)
{
	int status = 0;

	if (value.len != 3)
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (value.at[i] < '0' || value.at[i] > '9')
			return 0;
		status = status * 10 + (value.at[i] - '0');
	}
	return status;
}

static void add_header(struct http2_block *block, struct span name, struct span value)
{
	struct http_head *head = &block->head;
	struct http_header *header = &block->headers[head->header_count];

	if (head->header_count == HTTP_HEADERS_MAX ||
	    name.len + value.len > sizeof(block->text) - block->used)
		return;
	header->name = keep(block, name);
	header->value = keep(block, value);
	head->header_count++;
}

static void add_field(struct http2_block *block, const nghttp2_nv *nv)
{
	struct span name = span_of((const char *)nv->name, nv->namelen);
	struct span value = span_of((const char *)nv->value, nv->valuelen);
	struct http_head *head = &block->head;

	if (span_eq(name, unknown_name))
		return;
	if (!name.len || name.at[0] != ':')
		add_header(block, name, value);
	else if (span_eq(name, SPAN_LITERAL(":method")))
		head->method = keep(block, value);
	else if (span_eq(name, SPAN_LITERAL(":path")))
		head->target = keep(block, value);
	else if (span_eq(name, SPAN_LITERAL(":authority")))
		add_header(block, SPAN_LITERAL("host"), value);
	else if (span_eq(name, SPAN_LITERAL(":status")))
		head->status = status_of(value);
}

/* Compression that cannot be followed. */
static int broken(struct http2_heads *heads)
{
	if (!heads->unknown_history)
		return -EPROTO;
	nghttp2_hd_inflate_del(heads->inflater);
	heads->inflater = NULL;
	heads->block->broken = true;
	return 0;
}

int http2_block_feed(struct http2_heads *heads, struct span bytes, bool last)
{
	struct http2_block *block = heads->block;
	int flags = 0;

	while (!block->broken) {
		nghttp2_nv nv;
		ssize_t n = nghttp2_hd_inflate_hd2(heads->inflater, &nv, &flags,
						   (const uint8_t *)bytes.at, bytes.len, last);

		if (n == NGHTTP2_ERR_NOMEM)
			return -ENOMEM;
		if (n < 0)
			return broken(heads);
		bytes = span_skip(bytes, (size_t)n);
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			add_field(block, &nv);
		if (flags & NGHTTP2_HD_INFLATE_FINAL) {
			nghttp2_hd_inflate_end_headers(heads->inflater);
			return 0;
		}
		if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && !bytes.len)
			return last ? broken(heads) : 0;
	}
	return 0;
}

const struct http_head *http2_block_head(struct http2_heads *heads)
{
	struct http2_block *block = heads->block;

	block->head.headers = block->headers;
	return &block->head;
}

void http2_block_end(struct http2_heads *heads)
{
	free(TAKE_PTR(heads->block));
}
