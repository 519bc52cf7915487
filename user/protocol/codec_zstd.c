/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/content_codec.h"

#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "gnomon/limits.h"

#define BLOCK_HEADER_BYTES 3 /* RFC 8878 section 3.1.1.2 */

struct zstd_state {
	ZSTD_DCtx *decoder;
	struct codec_memory *memory;
	size_t charged;
	size_t hint; /* bytes to the end of the current block and of the next one's header */
	bool any_frame, over;
};

static int zstd_init(void *state, struct codec_memory *memory)
{
	struct zstd_state *s = state;

	s->memory = memory;
	s->decoder = ZSTD_createDCtx();
	if (!s->decoder)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(s->decoder, ZSTD_d_windowLogMax, CODING_ZSTD_WINDOW_LOG);
	if (codec_charge(memory, &s->charged, ZSTD_sizeof_DCtx(s->decoder)) == 0)
		return 0;
	ZSTD_freeDCtx(s->decoder);
	return -ENOMEM;
}

static int zstd_error(struct zstd_state *s, size_t r)
{
	switch (ZSTD_getErrorCode(r)) {
	case ZSTD_error_prefix_unknown:
		/* something else behind a whole frame */
		s->over = s->any_frame;
		return s->over ? 0 : -EBADMSG;
	case ZSTD_error_frameParameter_windowTooLarge:
	case ZSTD_error_memory_allocation:
		return -ENOMEM;
	default:
		return -EBADMSG;
	}
}

/* How much of the input to hand over at once: no more than the current block, for at a fault the
 * library drops what the same call has decoded before. */
static size_t step_of(const struct zstd_state *s, size_t have)
{
	size_t step = s->hint > BLOCK_HEADER_BYTES ? s->hint - BLOCK_HEADER_BYTES : 1;

	return step < have ? step : have;
}

static int zstd_decode(void *state, struct span *in, struct codec_out *to)
{
	struct zstd_state *s = state;
	ZSTD_outBuffer out = {to->at, to->room, 0};

	while (!s->over && out.pos < to->room && (in->len || to->more)) {
		ZSTD_inBuffer from = {in->at, step_of(s, in->len), 0};
		size_t r = ZSTD_decompressStream(s->decoder, &out, &from);

		if (ZSTD_isError(r)) {
			int error = zstd_error(s, r);

			if (error < 0)
				return error;
			break;
		}
		*in = span_skip(*in, from.pos);
		to->made = out.pos;
		s->hint = r;
		s->any_frame |= r == 0;
		/* a full buffer may hide more; nothing at all comes of asking in vain */
		to->more = out.pos == to->room;
		if (codec_charge(s->memory, &s->charged, ZSTD_sizeof_DCtx(s->decoder)) < 0)
			return -ENOMEM;
	}
	if (s->over) {
		*in = span_skip(*in, in->len);
		to->more = false;
	}
	return 0;
}

static void zstd_done(void *state)
{
	struct zstd_state *s = state;

	codec_charge(s->memory, &s->charged, 0);
	ZSTD_freeDCtx(s->decoder);
}

static enum codec_start zstd_starts(struct span first)
{
	struct span frame = SPAN_LITERAL("\x28\xB5\x2F\xFD"),
		    skippable = SPAN_LITERAL("\x2A\x4D\x18");
	struct span rest = span_skip(first, 1);

	if (span_starts(first, frame))
		return CODEC_YES;
	if (span_starts(frame, first))
		return CODEC_MORE;
	if ((first.at[0] & 0xf0) != 0x50 || !span_starts(skippable, rest))
		return CODEC_NO;
	return rest.len == skippable.len ? CODEC_YES : CODEC_MORE;
}

const struct codec_ops codec_zstd = {
	.name = SPAN_LITERAL("zstd"),
	.state_bytes = sizeof(struct zstd_state),
	.starts = zstd_starts,
	.init = zstd_init,
	.decode = zstd_decode,
	.done = zstd_done,
};
