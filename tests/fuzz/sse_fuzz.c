/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Server-sent events: the same events whole and byte by byte. The first byte says after how many
 * bytes some are lost. */
#include "protocol/sse.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_data(void *ctx, struct span bytes)
{
	fwrite(bytes.at, 1, bytes.len, ctx);
}

static void on_end(void *ctx, struct span name, bool damaged)
{
	fprintf(ctx, "|%.*s|%d\n", (int)name.len, name.at, damaged);
	if (name.len > SSE_NAME_MAX)
		abort();
}

static const struct sse_listener listener = {.data = on_data, .event_end = on_end};

static void run(struct span bytes, size_t lost_at, bool bytewise, char **text, size_t *len)
{
	FILE *log = open_memstream(text, len);
	struct sse sse;

	sse_init(&sse, &listener, log);
	if (!bytewise && lost_at >= bytes.len) {
		sse_feed(&sse, bytes);
	} else if (!bytewise) {
		sse_feed(&sse, span_of(bytes.at, lost_at));
		sse_lost(&sse);
		sse_feed(&sse, span_skip(bytes, lost_at));
	}
	for (size_t i = 0; bytewise && i < bytes.len; i++) {
		if (i == lost_at)
			sse_lost(&sse);
		sse_feed(&sse, span_of(bytes.at + i, 1));
	}
	fclose(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span bytes = span_of((const char *)data + 1, size ? size - 1 : 0);
	char *whole, *single;
	size_t a, b;

	if (!size)
		return 0;
	run(bytes, data[0], false, &whole, &a);
	run(bytes, data[0], true, &single, &b);
	if (a != b || memcmp(whole, single, a) != 0)
		abort();
	free(whole);
	free(single);
	return 0;
}
