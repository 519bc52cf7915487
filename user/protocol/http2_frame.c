/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/http2_frame.h"

#include "gnomon/limits.h"
#include "util/cleanup.h"

/* Frames that peers send after their connection's beginning. */
#define TYPE_ALTSVC          0x0a /* RFC 7838 */
#define TYPE_ORIGIN          0x0c /* RFC 8336 */
#define TYPE_PRIORITY_UPDATE 0x10 /* RFC 9218 */

enum stream_kind { STREAM_NONE, STREAM_SOME, STREAM_EITHER };

/* By type; lengths of the payload without padding. */
static const struct {
	uint8_t flags; /* those that are defined */
	uint8_t prefix;
	enum stream_kind stream;
	uint32_t min, max;
} types[] = {
	[HTTP2_DATA] = {0x09, 0, STREAM_SOME, 0, HTTP2_FRAME_LIKELY},
	[HTTP2_HEADERS] = {0x2d, 0, STREAM_SOME, 0, HTTP2_FRAME_LIKELY},
	[HTTP2_PRIORITY] = {0x00, 0, STREAM_SOME, 5, 5},
	[HTTP2_RST_STREAM] = {0x00, 4, STREAM_SOME, 4, 4},
	[HTTP2_SETTINGS] = {0x01, 6, STREAM_NONE, 0, 6 * 64},
	[HTTP2_PUSH_PROMISE] = {0x0c, 4, STREAM_SOME, 4, HTTP2_FRAME_LIKELY},
	[HTTP2_PING] = {0x01, 0, STREAM_NONE, 8, 8},
	[HTTP2_GOAWAY] = {0x00, 8, STREAM_NONE, 8, HTTP2_FRAME_LIKELY},
	[HTTP2_WINDOW_UPDATE] = {0x00, 0, STREAM_EITHER, 4, 4},
	[HTTP2_CONTINUATION] = {0x04, 0, STREAM_SOME, 0, HTTP2_FRAME_LIKELY},
};

void http2_frame_parse(const char *at, struct http2_frame *frame)
{
	*frame = (struct http2_frame){
		.length = get_be24(at),
		.type = (uint8_t)at[3],
		.flags = (uint8_t)at[4],
		.stream = get_be32(at + 5) & HTTP2_STREAM_MAX,
	};
}

uint8_t http2_frame_prefix(const struct http2_frame *frame)
{
	uint8_t prefix;

	if (frame->type >= ARRAY_SIZE(types))
		return 0;
	prefix = types[frame->type].prefix;
	if (frame->type == HTTP2_SETTINGS && !frame->length)
		return 0;
	if ((frame->flags & HTTP2_PADDED) && http2_may_pad(frame->type))
		prefix++;
	if (frame->type == HTTP2_HEADERS && (frame->flags & HTTP2_PRIORITISED))
		prefix += 5;
	return prefix;
}

bool http2_frame_allowed(const struct http2_frame *frame)
{
	enum stream_kind stream;

	/* RFC 9113 section 4.1: unknown types are ignored. */
	if (frame->type >= ARRAY_SIZE(types))
		return true;
	stream = types[frame->type].stream;
	if (stream != STREAM_EITHER && (stream == STREAM_SOME) != (frame->stream != 0))
		return false;
	if (frame->type == HTTP2_SETTINGS && frame->length % 6)
		return false;
	return frame->length >= http2_frame_prefix(frame) &&
	       frame->length >= types[frame->type].min;
}

bool http2_frame_likely(const struct http2_frame *frame, enum stream_dir message)
{
	if (frame->type >= ARRAY_SIZE(types))
		return (frame->type == TYPE_ALTSVC || frame->type == TYPE_ORIGIN ||
			frame->type == TYPE_PRIORITY_UPDATE) &&
		       !frame->flags && frame->length <= HTTP2_FRAME_LIKELY;
	if (frame->flags & ~types[frame->type].flags || !http2_frame_allowed(frame))
		return false;
	/* what pushes, and is pushed, has even numbers */
	if (message == DIR_OUT && (frame->type == HTTP2_PUSH_PROMISE ||
				   ((frame->type == HTTP2_DATA || frame->type == HTTP2_HEADERS) &&
				    frame->stream % 2 == 0)))
		return false;
	return frame->length <= types[frame->type].max;
}

/* The first byte of a header block that gives away whose it is (RFC 7541 appendix A): a method or
 * another pseudo-header of requests; or a status. */
static enum protocol_guess guess_block(struct span block, enum stream_dir *message)
{
	unsigned char c = block.len ? (unsigned char)block.at[0] : 0;

	/* a dynamic entry first, as Go's client sends its host: the method follows */
	if (c >= 0xbe && c != 0xff && block.len > 1)
		c = (unsigned char)block.at[1];
	if ((c >= 0x82 && c <= 0x87) || (c >= 0x41 && c <= 0x47)) {
		*message = DIR_OUT;
		return PROTOCOL_YES;
	}
	if ((c >= 0x88 && c <= 0x8e) || c == 0x48) {
		*message = DIR_IN;
		return PROTOCOL_YES;
	}
	return PROTOCOL_NO;
}

enum protocol_guess http2_frame_guess(struct span first, enum stream_dir *message)
{
	struct http2_frame frame;
	size_t skip;

	/* a length under 2^16 */
	if (!first.len || first.at[0] != 0)
		return first.len ? PROTOCOL_NO : PROTOCOL_MAYBE;
	if (first.len > 3 && first.at[3] != HTTP2_SETTINGS && first.at[3] != HTTP2_HEADERS)
		return PROTOCOL_NO;
	if (first.len < HTTP2_FRAME_HEADER)
		return PROTOCOL_MAYBE;
	http2_frame_parse(first.at, &frame);
	if (frame.type == HTTP2_SETTINGS) {
		*message = DIR_IN;
		return http2_frame_likely(&frame, DIR_IN) && !(frame.flags & HTTP2_ACK)
			       ? PROTOCOL_YES
			       : PROTOCOL_NO;
	}
	if (!http2_frame_likely(&frame, DIR_OUT) || !(frame.flags & HTTP2_END_HEADERS))
		return PROTOCOL_NO;
	skip = HTTP2_FRAME_HEADER + http2_frame_prefix(&frame);
	if (first.len < skip + 2)
		return PROTOCOL_MAYBE;
	return guess_block(span_skip(first, skip), message);
}
