/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/bedrock_chunk.h"

#include "gnomon/limits.h"
#include "util/base64.h"

void bedrock_chunk_init(struct bedrock_chunk *chunk)
{
	*chunk = (struct bedrock_chunk){0};
}

/* Looks for the member; its value begins after a quote. The padding beside it is letters only. */
static void find_member(struct bedrock_chunk *chunk, char c)
{
	static const struct span name = SPAN_LITERAL("\"bytes\":\"");

	if (c == ' ' && chunk->matched >= name.len - 2)
		return;
	if (c != name.at[chunk->matched])
		chunk->matched = 0;
	chunk->matched += c == name.at[chunk->matched];
	chunk->inside = chunk->matched == name.len;
}

/* false: no byte is whole yet. */
static bool take_digit(struct bedrock_chunk *chunk, char c, char *byte)
{
	int digit = base64_digit(c);

	if (digit < 0) {
		chunk->done = c == '"';
		return false; /* padding, or an escaped slash's backslash */
	}
	chunk->bits = (uint16_t)(chunk->bits << 6 | digit);
	chunk->count += 6;
	if (chunk->count < 8)
		return false;
	chunk->count -= 8;
	*byte = (char)(chunk->bits >> chunk->count);
	return true;
}

void bedrock_chunk_feed(struct bedrock_chunk *chunk, struct span payload,
			void (*data)(void *ctx, struct span bytes), void *ctx)
{
	char out[BEDROCK_CHUNK_BYTES];
	size_t len = 0;

	for (size_t i = 0; i < payload.len && !chunk->done; i++) {
		if (!chunk->inside)
			find_member(chunk, payload.at[i]);
		else if (take_digit(chunk, payload.at[i], &out[len]))
			len++;
		if (len < sizeof(out))
			continue;
		data(ctx, span_of(out, len));
		len = 0;
	}
	if (len)
		data(ctx, span_of(out, len));
}
