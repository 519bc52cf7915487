/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Content codings: the same bytes and the same fault however the input is cut, within the memory that
 * was promised. The first byte chooses the coding, the rest is its data. */
#include "protocol/content_coding.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	uint64_t hash, len;
};

static void on_bytes(void *ctx, struct span bytes)
{
	struct told *told = ctx;

	if (!bytes.len)
		abort();
	told->len += bytes.len;
	for (size_t i = 0; i < bytes.len; i++)
		told->hash = told->hash * 31 + (unsigned char)bytes.at[i];
}

static int run(uint8_t which, struct span bytes, size_t step, struct told *told)
{
	static const struct span names[] = {SPAN_LITERAL("gzip"), SPAN_LITERAL("deflate"),
					    SPAN_LITERAL("br"), SPAN_LITERAL("zstd")};
	struct budget budget = {.max = CODINGS_MEMORY_MAX};
	struct content_coding *coding;
	size_t name = which % 5;
	int r = name < 4 ? content_coding_new(&coding, names[name], &budget, on_bytes, told)
			 : content_coding_new_raw(&coding, &budget, on_bytes, told);

	if (r < 0)
		abort();
	for (; bytes.len; bytes = span_skip(bytes, step)) {
		int before = r;

		r = content_coding_feed(coding,
					span_of(bytes.at, step < bytes.len ? step : bytes.len));
		if (budget.used > CODING_MEMORY_MAX || (before && r != before))
			abort();
	}
	content_coding_free(coding);
	if (budget.used)
		abort();
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told whole = {0}, bytes = {0}, pieces = {0};
	struct span rest;
	int r;

	if (size < 2)
		return 0;
	rest = span_of((const char *)data + 1, size - 1);
	r = run(data[0], rest, size, &whole);
	if (run(data[0], rest, 1, &bytes) != r || run(data[0], rest, 7, &pieces) != r)
		abort();
	/* where a bomb is stopped depends on the pieces */
	if (whole.len > CODING_FREE_BYTES)
		return 0;
	if (whole.len != bytes.len || whole.hash != bytes.hash || whole.len != pieces.len ||
	    whole.hash != pieces.hash)
		abort();
	return 0;
}
