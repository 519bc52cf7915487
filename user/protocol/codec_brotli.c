/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/content_codec.h"

#include <brotli/decode.h>
#include <errno.h>
#include <stdint.h>

struct brotli_state {
	BrotliDecoderState *decoder;
	bool over;
};

static void *brotli_alloc(void *memory, size_t bytes)
{
	return codec_alloc(memory, bytes);
}

static void brotli_free(void *memory, void *at)
{
	codec_free(memory, at);
}

static int brotli_init(void *state, struct codec_memory *memory)
{
	struct brotli_state *s = state;

	s->decoder = BrotliDecoderCreateInstance(brotli_alloc, brotli_free, memory);
	return s->decoder ? 0 : -ENOMEM;
}

static int brotli_error(const struct brotli_state *s)
{
	BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(s->decoder);

	return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
			       code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
		       ? -ENOMEM
		       : -EBADMSG;
}

/* Byte by byte: at a fault the library drops what it has decoded and not given out, so that what is
 * told would depend on how the bytes were cut. It costs little: each byte makes several. */
static int brotli_decode(void *state, struct span *in, struct codec_out *out)
{
	struct brotli_state *s = state;
	uint8_t *next_out = (uint8_t *)out->at;
	size_t left = out->room;

	while (!s->over && left && (in->len || out->more)) {
		const uint8_t *next_in = (const uint8_t *)in->at;
		size_t avail_in = in->len ? 1 : 0;
		BrotliDecoderResult r = BrotliDecoderDecompressStream(
			s->decoder, &avail_in, &next_in, &left, &next_out, NULL);

		*in = span_skip(*in, (size_t)((const char *)next_in - in->at));
		out->made = out->room - left;
		out->more = r == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
		s->over = r == BROTLI_DECODER_RESULT_SUCCESS;
		if (r == BROTLI_DECODER_RESULT_ERROR)
			return brotli_error(s);
	}
	if (s->over)
		*in = span_skip(*in, in->len);
	return 0;
}

static void brotli_done(void *state)
{
	struct brotli_state *s = state;

	BrotliDecoderDestroyInstance(s->decoder);
}

const struct codec_ops codec_br = {
	.name = SPAN_LITERAL("br"),
	.state_bytes = sizeof(struct brotli_state),
	.starts = codec_not_text,
	.init = brotli_init,
	.decode = brotli_decode,
	.done = brotli_done,
};
