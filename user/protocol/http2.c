/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/http2.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "gnomon/limits.h"
#include "protocol/http2_frame.h"
#include "protocol/http2_head.h"

/* Where one direction stands. */
enum phase {
	PHASE_PREFACE, /* requests only */
	PHASE_HEADER,  /* a frame's nine bytes */
	PHASE_PREFIX,  /* what precedes a frame's content: pad length, priority, numbers */
	PHASE_CONTENT,
	PHASE_PADDING,
	PHASE_HUNT, /* frame boundaries are lost: waiting for a turn */
	PHASE_COUNT,
};

/* One direction. */
struct half {
	enum phase phase;
	bool begun;    /* past its first frame */
	bool had_gap;  /* what looks malformed may be our fault */
	uint8_t trust; /* frames that made sense since, as far as it matters */
	uint8_t have;  /* of `small` */
	uint8_t prefix;
	char small[HTTP2_FRAME_HEADER];
	struct http2_frame frame;
	uint32_t left;          /* of the frame's payload, padding left out */
	uint32_t padding;       /* of the frame */
	uint64_t counted;       /* bytes of this frame, and of the block it belongs to, so far */
	uint32_t block_bytes;   /* of the header block in progress */
	uint16_t continuations; /* frames of it */
	uint8_t block_flags;    /* of the frame that began it */
	uint32_t preface;       /* bytes of it that have come */
	struct http2_heads heads;
};

/* One request and its response. */
struct slot {
	uint32_t stream, exchange;
	uint64_t bytes[DIR_COUNT]; /* by message; not told yet */
	bool request_done, response_seen, response_done;
	bool lost[DIR_COUNT]; /* bytes were: the message's end may be among them */
	uint8_t silent;       /* requests that began since a frame of this stream */
};

struct http2 {
	const struct exchange_listener *to;
	void *ctx;
	bool is_client;
	bool over;
	bool any; /* `last` is known */
	enum stream_dir last;
	uint32_t exchanges;
	uint32_t newest;             /* the highest stream that a request began */
	struct half half[DIR_COUNT]; /* by message: requests DIR_OUT, responses DIR_IN */
	unsigned int count;
	struct slot slots[HTTP2_STREAMS_MAX]; /* oldest first */
};

static const struct span preface = SPAN_LITERAL("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/* ---- exchanges ---- */

static struct slot *find_slot(struct http2 *h, uint32_t stream)
{
	for (unsigned int i = 0; i < h->count; i++)
		if (h->slots[i].stream == stream)
			return &h->slots[i];
	return NULL;
}

static void tell_bytes(struct http2 *h, struct slot *slot, enum stream_dir message)
{
	if (slot->bytes[message] && h->to->bytes)
		h->to->bytes(h->ctx, slot->exchange, message, slot->bytes[message]);
	slot->bytes[message] = 0;
}

/* The stream's slot while that message of it goes on. */
static struct slot *find_open(struct http2 *h, uint32_t stream, enum stream_dir message)
{
	struct slot *slot = find_slot(h, stream);

	if (slot && (message == DIR_OUT ? slot->request_done : slot->response_done))
		return NULL;
	return slot;
}

/* The frame's bytes are this message's. */
static void settle(struct half *half, struct slot *slot, enum stream_dir message)
{
	if (slot) {
		slot->bytes[message] += half->counted;
		slot->silent = 0;
	}
	half->counted = 0;
}

/* The same for a frame that is cut. */
static void settle_cut(struct http2 *h, enum stream_dir message)
{
	struct half *half = &h->half[message];
	bool inside = half->heads.block ||
		      (half->phase != PHASE_HEADER && half->frame.type == HTTP2_DATA);

	if (inside)
		settle(half, find_open(h, half->frame.stream, message), message);
}

static void end_slot(struct http2 *h, struct slot *slot, enum exchange_end how)
{
	unsigned int i = (unsigned int)(slot - h->slots);
	struct slot ended;

	for (int message = 0; message < DIR_COUNT; message++) {
		/* of what is in progress, the other stream's goes on */
		if (h->half[message].frame.stream == slot->stream)
			settle_cut(h, (enum stream_dir)message);
		tell_bytes(h, slot, (enum stream_dir)message);
	}
	ended = *slot;
	h->count--;
	memmove(slot, slot + 1, (h->count - i) * sizeof(*slot));
	if (ended.response_done)
		how = EXCHANGE_COMPLETE;
	else if (how == EXCHANGE_CUT && (ended.lost[DIR_OUT] || ended.lost[DIR_IN]))
		how = EXCHANGE_DESYNCED;
	h->to->end(h->ctx, ended.exchange, how);
}

static void message_done(struct http2 *h, struct slot *slot, enum stream_dir message)
{
	if (message == DIR_OUT && !slot->request_done) {
		slot->request_done = true;
		tell_bytes(h, slot, DIR_OUT);
		h->to->request_end(h->ctx, slot->exchange);
	} else if (message == DIR_IN) {
		slot->response_done = true;
	}
	/* whose request's end was lost has had it all the same */
	if (slot->response_done && (slot->request_done || slot->lost[DIR_OUT]))
		end_slot(h, slot, EXCHANGE_COMPLETE);
}

/* Streams whose end was lost must not hold their slots for ever. */
static void give_up_silent(struct http2 *h)
{
	for (unsigned int i = h->count; i-- > 0;) {
		struct slot *slot = &h->slots[i];

		if ((slot->lost[DIR_OUT] || slot->lost[DIR_IN]) &&
		    ++slot->silent >= HTTP2_SILENT_MAX)
			end_slot(h, slot, EXCHANGE_DESYNCED);
	}
}

static struct slot *begin_exchange(struct http2 *h, uint32_t stream, const struct http_head *head)
{
	struct slot *slot;

	give_up_silent(h);
	h->newest = stream;
	h->to->request(h->ctx, ++h->exchanges, head);
	if (h->count == HTTP2_STREAMS_MAX) {
		h->to->end(h->ctx, h->exchanges, EXCHANGE_DESYNCED);
		return NULL;
	}
	slot = &h->slots[h->count++];
	*slot = (struct slot){.stream = stream, .exchange = h->exchanges};
	return slot;
}

/* A header block is whole: a request, a final response; or an interim one or trailers. Returns the
 * slot of its stream. */
static struct slot *take_head(struct http2 *h, enum stream_dir message, uint32_t stream,
			      struct http_head *head)
{
	struct slot *slot = find_slot(h, stream);

	head->head_bytes = (uint32_t)h->half[message].counted;
	if (message == DIR_OUT)
		return slot || stream <= h->newest ? slot : begin_exchange(h, stream, head);
	if (!slot || slot->response_seen || (head->status >= 100 && head->status < 200))
		return slot;
	slot->response_seen = true;
	h->to->response(h->ctx, slot->exchange, head);
	return slot;
}

static void drop_all(struct http2 *h, enum exchange_end how)
{
	for (int message = 0; message < DIR_COUNT; message++) {
		settle_cut(h, (enum stream_dir)message);
		http2_heads_done(&h->half[message].heads);
	}
	while (h->count)
		end_slot(h, &h->slots[0], how);
}

/* ---- what is lost ---- */

/* The frame boundaries of this direction are not known any more. */
static void desync(struct http2 *h, enum stream_dir message, uint64_t bytes)
{
	struct half *half = &h->half[message];

	settle_cut(h, message);
	half->begun = half->had_gap = true;
	half->trust = 0;
	half->phase = PHASE_HUNT;
	half->have = 0;
	half->block_bytes = half->continuations = 0;
	http2_heads_lost(&half->heads);
	for (unsigned int i = 0; i < h->count; i++) {
		struct slot *slot = &h->slots[i];

		if (message == DIR_OUT ? slot->request_done : slot->response_done)
			continue;
		slot->lost[message] = true;
		h->to->body_gap(h->ctx, slot->exchange, message, bytes);
	}
}

/* What cannot be HTTP/2. After a loss the fault may be ours: something else was taken for a frame. */
static int malformed(struct http2 *h, enum stream_dir message)
{
	if (h->half[message].had_gap) {
		desync(h, message, 1);
		return 0;
	}
	h->over = true;
	drop_all(h, EXCHANGE_DESYNCED);
	return -EPROTO;
}

/* ---- frames ---- */

static int block_done(struct http2 *h, enum stream_dir message)
{
	struct half *half = &h->half[message];
	uint32_t stream = half->frame.stream;
	struct http_head head = *http2_block_head(&half->heads);
	struct slot *slot = NULL;

	if (half->block_flags != HTTP2_PUSHED)
		slot = take_head(h, message, stream, &head);
	http2_block_end(&half->heads);
	settle(half, slot, message);
	half->block_bytes = half->continuations = 0;
	if (slot && (half->block_flags & HTTP2_END_STREAM))
		message_done(h, slot, message);
	return 0;
}

static int block_begin(struct half *half)
{
	int r = http2_block_begin(&half->heads);

	half->block_flags = half->frame.type == HTTP2_PUSH_PROMISE
				    ? HTTP2_PUSHED
				    : half->frame.flags & HTTP2_END_STREAM;
	half->continuations = 0;
	half->block_bytes = half->left;
	return r;
}

/* The content of a frame has been read to its end. */
static int frame_end(struct http2 *h, enum stream_dir message)
{
	struct half *half = &h->half[message];
	struct slot *slot;

	half->phase = PHASE_HEADER;
	half->have = 0;
	switch (half->frame.type) {
	case HTTP2_DATA:
		slot = find_open(h, half->frame.stream, message);
		settle(half, slot, message);
		if (slot && (half->frame.flags & HTTP2_END_STREAM))
			message_done(h, slot, message);
		return 0;
	case HTTP2_HEADERS:
	case HTTP2_PUSH_PROMISE:
	case HTTP2_CONTINUATION:
		if (half->frame.flags & HTTP2_END_HEADERS)
			return block_done(h, message);
		return 0;
	default:
		half->counted = 0;
		return 0;
	}
}

/* After the content: padding, if any. */
static int content_end(struct http2 *h, enum stream_dir message)
{
	struct half *half = &h->half[message];

	half->phase = PHASE_PADDING;
	return half->padding ? 0 : frame_end(h, message);
}

/* A part of a header block. */
static int feed_block(struct half *half, struct span bytes)
{
	bool last = bytes.len == half->left && (half->frame.flags & HTTP2_END_HEADERS);

	return http2_block_feed(&half->heads, bytes, last);
}

static int content_begin(struct http2 *h, enum stream_dir message)
{
	struct half *half = &h->half[message];
	int r = 0;

	half->phase = PHASE_CONTENT;
	if (half->left)
		return 0;
	/* an empty fragment may be the block's last */
	if (http2_has_block(half->frame.type))
		r = feed_block(half, SPAN_LITERAL(""));
	return r < 0 ? r : content_end(h, message);
}

/* RFC 9113 section 6.8: streams over the last one were not looked at. */
static void go_away(struct http2 *h, uint32_t last)
{
	for (unsigned int i = h->count; i-- > 0;)
		if (h->slots[i].stream > last)
			end_slot(h, &h->slots[i], EXCHANGE_CUT);
}

static void take_setting(struct http2 *h, enum stream_dir message, const char *at)
{
	enum stream_dir decoded_by_it = message == DIR_OUT ? DIR_IN : DIR_OUT;

	if (get_be16(at) == HTTP2_SETTINGS_HEADER_TABLE_SIZE)
		http2_heads_table(&h->half[decoded_by_it].heads, get_be32(at + 2));
}

/* The prefix, if there is one, is whole in half->small. */
static int prefix_done(struct http2 *h, enum stream_dir message)
{
	struct half *half = &h->half[message];
	const char *at = half->small;
	struct slot *slot;

	if ((half->frame.flags & HTTP2_PADDED) && http2_may_pad(half->frame.type)) {
		half->padding = (unsigned char)at[0];
		if (half->padding > half->left)
			return -EPROTO;
		half->left -= half->padding;
	}
	switch (half->frame.type) {
	case HTTP2_HEADERS:
	case HTTP2_PUSH_PROMISE:
		if (block_begin(half) < 0)
			return -ENOMEM;
		break;
	case HTTP2_RST_STREAM:
		slot = find_slot(h, half->frame.stream);
		if (slot)
			end_slot(h, slot, EXCHANGE_CUT);
		break;
	case HTTP2_GOAWAY:
		if (message == DIR_IN)
			go_away(h, get_be32(at) & HTTP2_STREAM_MAX);
		break;
	case HTTP2_SETTINGS:
		if (!half->prefix)
			break;
		take_setting(h, message, at);
		half->have = 0;
		if (half->left) {
			half->left -= half->prefix;
			return 0;
		}
		break;
	}
	return content_begin(h, message);
}

/* While it is not sure that frames are what is read, one counts as such only when its stream makes
 * sense too: bytes of a frame's middle may look like another. */
static bool makes_sense(struct http2 *h, enum stream_dir message, const struct http2_frame *frame)
{
	bool first = h->newest == 0, newer = frame->stream > h->newest;

	if (!http2_frame_likely(frame, message))
		return false;
	if (h->half[message].trust >= HTTP2_TRUST_FRAMES)
		return true;
	if (frame->type != HTTP2_DATA && frame->type != HTTP2_HEADERS)
		return true;
	/* header blocks in several frames are rare */
	if (frame->type == HTTP2_HEADERS && !(frame->flags & HTTP2_END_HEADERS))
		return false;
	if (find_slot(h, frame->stream))
		return true;
	return frame->type == HTTP2_HEADERS && message == DIR_OUT && newer &&
	       (first || frame->stream - h->newest <= 2 * HTTP2_STREAMS_MAX);
}

static int continuation(struct half *half)
{
	if (++half->continuations > HTTP2_CONTINUATIONS_MAX)
		return -EPROTO;
	half->block_bytes += half->left;
	return half->block_bytes > HTTP2_BLOCK_MAX ? -EPROTO : 0;
}

/* The nine bytes are whole in half->small. */
static int header_done(struct http2 *h, enum stream_dir message)
{
	struct half *half = &h->half[message];
	uint32_t block_of = half->heads.block ? half->frame.stream : 0;
	struct http2_frame *frame = &half->frame;

	http2_frame_parse(half->small, frame);
	half->have = 0;
	half->padding = 0;
	if (half->had_gap && !makes_sense(h, message, frame))
		return -EPROTO;
	half->trust += half->trust < HTTP2_TRUST_FRAMES;
	/* RFC 9113 section 6.10: nothing comes between the frames of a header block. */
	if ((frame->type == HTTP2_CONTINUATION) != (block_of != 0) ||
	    (block_of && frame->stream != block_of) || !http2_frame_allowed(frame))
		return -EPROTO;
	half->prefix = http2_frame_prefix(frame);
	half->left = frame->length - half->prefix;
	if (http2_has_block(frame->type) && half->left > HTTP2_BLOCK_MAX)
		return -EPROTO;
	if (frame->type == HTTP2_CONTINUATION && continuation(half) < 0)
		return -EPROTO;
	half->phase = PHASE_PREFIX;
	return half->prefix ? 0 : prefix_done(h, message);
}

static void joined_midway(struct half *half)
{
	half->begun = half->had_gap = true;
	http2_heads_lost(&half->heads);
}

/* The first frame of a direction shows whether it is seen from its beginning on. */
static void first_frame(struct half *half)
{
	struct http2_frame frame;

	half->begun = true;
	http2_frame_parse(half->small, &frame);
	if (frame.type != HTTP2_SETTINGS || (frame.flags & HTTP2_ACK) ||
	    !http2_frame_allowed(&frame))
		joined_midway(half);
}

/* Collects `wanted` bytes in half->small; true when they are there. */
static bool collect(struct half *half, size_t wanted, struct span *bytes)
{
	size_t n = wanted - half->have;

	if (n > bytes->len)
		n = bytes->len;
	memcpy(half->small + half->have, bytes->at, n);
	half->have += (uint8_t)n;
	half->counted += n;
	*bytes = span_skip(*bytes, n);
	return half->have == wanted;
}

static int feed_preface(struct http2 *h, enum stream_dir message, struct span *bytes)
{
	struct half *half = &h->half[message];

	/* no frame that is not too long begins like that */
	if (half->preface == 0 && bytes->at[0] != preface.at[0]) {
		joined_midway(half);
		half->phase = PHASE_HEADER;
		if (!h->half[DIR_IN].begun)
			joined_midway(&h->half[DIR_IN]);
		return 0;
	}
	if (bytes->at[0] != preface.at[half->preface++])
		return -EPROTO;
	*bytes = span_skip(*bytes, 1);
	if (half->preface == preface.len)
		half->phase = PHASE_HEADER;
	return 0;
}

static int feed_header(struct http2 *h, enum stream_dir message, struct span *bytes)
{
	struct half *half = &h->half[message];

	if (!half->heads.block && !half->have)
		half->counted = 0;
	if (!collect(half, HTTP2_FRAME_HEADER, bytes))
		return 0;
	if (!half->begun)
		first_frame(half);
	return header_done(h, message);
}

static int feed_prefix(struct http2 *h, enum stream_dir message, struct span *bytes)
{
	struct half *half = &h->half[message];

	return collect(half, half->prefix, bytes) ? prefix_done(h, message) : 0;
}

/* `n` bytes of content have passed. */
static int content_passed(struct http2 *h, enum stream_dir message, uint32_t n)
{
	struct half *half = &h->half[message];

	half->left -= n;
	half->counted += n;
	return half->left ? 0 : content_end(h, message);
}

static int feed_content(struct http2 *h, enum stream_dir message, struct span *bytes)
{
	struct half *half = &h->half[message];
	uint32_t n = bytes->len < half->left ? (uint32_t)bytes->len : half->left;
	struct span content = span_of(bytes->at, n);
	int r = 0;

	*bytes = span_skip(*bytes, n);
	if (half->frame.type == HTTP2_DATA) {
		const struct slot *slot = find_open(h, half->frame.stream, message);

		if (slot)
			h->to->body(h->ctx, slot->exchange, message, content);
	} else if (http2_has_block(half->frame.type)) {
		r = feed_block(half, content);
	}
	return r < 0 ? r : content_passed(h, message, n);
}

static int feed_padding(struct http2 *h, enum stream_dir message, struct span *bytes)
{
	struct half *half = &h->half[message];
	uint32_t n = bytes->len < half->padding ? (uint32_t)bytes->len : half->padding;

	*bytes = span_skip(*bytes, n);
	half->padding -= n;
	half->counted += n;
	return half->padding ? 0 : frame_end(h, message);
}

static int feed_hunt(struct http2 *h, enum stream_dir message, struct span *bytes)
{
	(void)h;
	(void)message;
	*bytes = span_skip(*bytes, bytes->len);
	return 0;
}

/* Each gets at least one byte and takes some off the front, or changes the phase. */
static int (*const feed_phase[PHASE_COUNT])(struct http2 *h, enum stream_dir message,
					    struct span *bytes) = {
	[PHASE_PREFACE] = feed_preface, [PHASE_HEADER] = feed_header,
	[PHASE_PREFIX] = feed_prefix,   [PHASE_CONTENT] = feed_content,
	[PHASE_PADDING] = feed_padding, [PHASE_HUNT] = feed_hunt,
};

static enum stream_dir message_of(const struct http2 *h, enum stream_dir dir)
{
	return (dir == DIR_OUT) == h->is_client ? DIR_OUT : DIR_IN;
}

/* Whoever takes the turn often begins a frame. */
static void take_turn(struct http2 *h, enum stream_dir message)
{
	struct half *half = &h->half[message];

	/* and hardly ever ends in the middle of a frame's header */
	bool unsure = half->phase == PHASE_HUNT ||
		      (half->phase == PHASE_HEADER && half->had_gap && !half->trust);

	if (unsure && h->any && h->last != message) {
		half->phase = PHASE_HEADER;
		half->have = 0;
	}
	h->any = true;
	h->last = message;
}

static int http2_feed(void *state, enum stream_dir dir, struct span bytes)
{
	struct http2 *h = state;
	enum stream_dir message = message_of(h, dir);

	if (h->over)
		return -EPROTO;
	if (!bytes.len)
		return 0;
	take_turn(h, message);
	while (bytes.len)
		if (feed_phase[h->half[message].phase](h, message, &bytes) < 0 &&
		    malformed(h, message) < 0)
			return -EPROTO;
	return 0;
}

/* How many of the lost bytes lie within what is left of the current frame's payload. Of a header
 * block none may be missing. */
static uint64_t within_frame(const struct half *half, uint64_t bytes)
{
	uint64_t room = 0;

	if (half->phase == PHASE_CONTENT && !http2_has_block(half->frame.type))
		room = (uint64_t)half->left + half->padding;
	else if (half->phase == PHASE_PADDING)
		room = half->padding;
	return bytes < room ? bytes : room;
}

/* Passes over lost bytes of the current frame. */
static void pass_over(struct http2 *h, enum stream_dir message, uint64_t bytes)
{
	struct half *half = &h->half[message];
	const struct slot *slot = find_open(h, half->frame.stream, message);

	if (half->phase == PHASE_CONTENT) {
		uint32_t n = bytes < half->left ? (uint32_t)bytes : half->left;

		bytes -= n;
		if (half->frame.type == HTTP2_DATA && slot)
			h->to->body_gap(h->ctx, slot->exchange, message, n);
		content_passed(h, message, n);
	}
	if (!bytes)
		return;
	half->padding -= (uint32_t)bytes;
	half->counted += bytes;
	if (!half->padding)
		frame_end(h, message);
}

static int http2_gap(void *state, enum stream_dir dir, uint64_t bytes)
{
	struct http2 *h = state;
	enum stream_dir message = message_of(h, dir);
	uint64_t inside;

	if (h->over)
		return -EPROTO;
	if (!bytes)
		return 0;
	take_turn(h, message);
	inside = within_frame(&h->half[message], bytes);
	if (inside)
		pass_over(h, message, inside);
	if (inside < bytes) {
		desync(h, message, bytes - inside);
		/* what comes next may well begin a frame: records are lost whole */
		h->half[message].phase = PHASE_HEADER;
	}
	return 0;
}

static void http2_done(void *state)
{
	struct http2 *h = state;

	h->over = true;
	drop_all(h, EXCHANGE_CUT);
}

static void http2_init(void *state, bool is_client, const struct exchange_listener *to, void *ctx)
{
	struct http2 *h = state;

	h->is_client = is_client;
	h->to = to;
	h->ctx = ctx;
	h->half[DIR_OUT].phase = PHASE_PREFACE;
	h->half[DIR_IN].phase = PHASE_HEADER;
}

static enum protocol_guess http2_guess(struct span first, enum stream_dir dir, bool *is_client)
{
	enum stream_dir message;
	enum protocol_guess guess;

	if (first.len && first.at[0] == preface.at[0]) {
		if (!span_starts(first, preface))
			return span_starts(preface, first) ? PROTOCOL_MAYBE : PROTOCOL_NO;
		*is_client = dir == DIR_OUT;
		return PROTOCOL_YES;
	}
	guess = http2_frame_guess(first, &message);
	if (guess == PROTOCOL_YES)
		*is_client = dir == message;
	return guess;
}

const struct protocol_ops http2_protocol = {
	.name = "http2",
	.state_bytes = sizeof(struct http2),
	.guess = http2_guess,
	.init = http2_init,
	.feed = http2_feed,
	.gap = http2_gap,
	.done = http2_done,
};
