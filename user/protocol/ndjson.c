/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/ndjson.h"

void ndjson_init(struct ndjson *lines, const struct document_listener *to, void *ctx)
{
	*lines = (struct ndjson){.to = to, .ctx = ctx};
}

static void line_bytes(struct ndjson *lines, struct span bytes)
{
	while (!lines->any && bytes.len &&
	       (bytes.at[0] == ' ' || bytes.at[0] == '\t' || bytes.at[0] == '\r'))
		bytes = span_skip(bytes, 1);
	if (!bytes.len || lines->damaged)
		return;
	lines->any = true;
	lines->to->data(lines->ctx, bytes);
}

static void line_end(struct ndjson *lines)
{
	if (lines->any || lines->damaged)
		lines->to->end(lines->ctx, (struct span){0}, lines->damaged);
	lines->any = lines->damaged = false;
}

void ndjson_feed(struct ndjson *lines, struct span bytes)
{
	while (bytes.len) {
		const char *lf = memchr(bytes.at, '\n', bytes.len);
		size_t n = lf ? (size_t)(lf - bytes.at) : bytes.len;

		if (n)
			line_bytes(lines, span_of(bytes.at, n));
		if (lf) {
			line_end(lines);
			n++;
		}
		bytes = span_skip(bytes, n);
	}
}

void ndjson_lost(struct ndjson *lines)
{
	lines->damaged = true;
}
