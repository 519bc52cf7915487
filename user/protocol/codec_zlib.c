/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/content_codec.h"

#include <errno.h>
#include <limits.h>
#include <zlib.h>

/* gzip, deflate with and without its header: all by zlib. */

struct zlib_state {
	z_stream z;
	int bits;   /* windowBits of inflateInit2() */
	bool over;  /* the data has ended; what follows is ignored */
	bool ended; /* so has a member, which another may follow */
};

static void *zlib_alloc(void *memory, unsigned int count, unsigned int size)
{
	return codec_alloc(memory, (size_t)count * size);
}

static void zlib_free(void *memory, void *at)
{
	codec_free(memory, at);
}

static int zlib_init(struct zlib_state *s, struct codec_memory *memory, int bits)
{
	s->z.zalloc = zlib_alloc;
	s->z.zfree = zlib_free;
	s->z.opaque = memory;
	s->bits = bits;
	return inflateInit2(&s->z, bits) == Z_OK ? 0 : -ENOMEM;
}

static int gzip_init(void *state, struct codec_memory *memory)
{
	return zlib_init(state, memory, 16 + MAX_WBITS);
}

/* Becomes raw once the first bytes are no zlib header. */
static int deflate_init(void *state, struct codec_memory *memory)
{
	return zlib_init(state, memory, MAX_WBITS);
}

static int raw_init(void *state, struct codec_memory *memory)
{
	return zlib_init(state, memory, -MAX_WBITS);
}

static void zlib_restart(void *state)
{
	struct zlib_state *s = state;

	inflateReset2(&s->z, s->bits);
	s->over = s->ended = false;
}

/* More bytes come behind the end of a member. */
static void next_member(struct zlib_state *s, struct span in)
{
	bool goes_on = s->bits < 0 || (s->bits > MAX_WBITS && in.at[0] == 0x1f);

	if (goes_on)
		inflateReset(&s->z);
	s->over = !goes_on;
	s->ended = false;
}

static int zlib_decode(void *state, struct span *in, struct codec_out *out)
{
	struct zlib_state *s = state;
	int r;

	out->more = false;
	if (s->ended && in->len)
		next_member(s, *in);
	if (s->over || s->ended) {
		*in = span_skip(*in, in->len);
		return 0;
	}
	s->z.next_in = (unsigned char *)in->at;
	s->z.avail_in = in->len < INT_MAX ? (unsigned int)in->len : INT_MAX;
	s->z.next_out = (unsigned char *)out->at;
	s->z.avail_out = (unsigned int)out->room;
	r = inflate(&s->z, Z_SYNC_FLUSH);
	*in = span_skip(*in, (size_t)((const char *)s->z.next_in - in->at));
	out->made = out->room - s->z.avail_out;
	s->ended = r == Z_STREAM_END;
	out->more = s->z.avail_out == 0 && !s->ended;
	if (r == Z_MEM_ERROR)
		return -ENOMEM;
	return s->ended || r == Z_OK || r == Z_BUF_ERROR ? 0 : -EBADMSG;
}

/* The first call has the two bytes that a zlib header has (RFC 1950 section 2.2). */
static int deflate_decode(void *state, struct span *in, struct codec_out *out)
{
	struct zlib_state *s = state;

	if (s->bits == MAX_WBITS && !s->z.total_in && in->len >= 2) {
		unsigned int method = (unsigned char)in->at[0], flags = (unsigned char)in->at[1];

		if ((method & 15) != Z_DEFLATED || (method << 8 | flags) % 31) {
			s->bits = -MAX_WBITS;
			inflateReset2(&s->z, s->bits);
		}
	}
	return zlib_decode(state, in, out);
}

static void zlib_done(void *state)
{
	struct zlib_state *s = state;

	inflateEnd(&s->z);
}

static enum codec_start gzip_starts(struct span first)
{
	struct span magic = SPAN_LITERAL("\x1f\x8b\x08");

	if (span_starts(first, magic))
		return CODEC_YES;
	return span_starts(magic, first) ? CODEC_MORE : CODEC_NO;
}

static enum codec_start deflate_starts(struct span first)
{
	enum codec_start start = codec_not_text(first);

	return start == CODEC_YES && first.len < 2 ? CODEC_MORE : start;
}

static enum codec_start raw_starts(struct span first)
{
	(void)first;
	return CODEC_YES;
}

const struct codec_ops codec_gzip = {
	.name = SPAN_LITERAL("gzip"),
	.alias = SPAN_LITERAL("x-gzip"),
	.state_bytes = sizeof(struct zlib_state),
	.starts = gzip_starts,
	.init = gzip_init,
	.decode = zlib_decode,
	.done = zlib_done,
};

const struct codec_ops codec_deflate = {
	.name = SPAN_LITERAL("deflate"),
	.state_bytes = sizeof(struct zlib_state),
	.starts = deflate_starts,
	.init = deflate_init,
	.decode = deflate_decode,
	.done = zlib_done,
};

const struct codec_ops codec_raw_deflate = {
	.state_bytes = sizeof(struct zlib_state),
	.starts = raw_starts,
	.init = raw_init,
	.decode = zlib_decode,
	.restart = zlib_restart,
	.done = zlib_done,
};
