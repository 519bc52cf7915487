/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/eventstream.h"

#include <zlib.h>

#include "util/bytes.h"

enum phase {
	PHASE_PRELUDE, /* lengths of the message and of its headers, and their checksum */
	PHASE_LABEL_LEN,
	PHASE_LABEL,
	PHASE_TYPE,
	PHASE_VALUE_LEN, /* strings and byte arrays: two bytes of length */
	PHASE_VALUE,
	PHASE_PAYLOAD,
	PHASE_CHECKSUM,
	PHASE_HUNT, /* a prelude is looked for */
};

#define PRELUDE_BYTES  12
#define CHECKSUM_BYTES 4

/* Types of header values; those below the byte array have a fixed size. */
enum {
	TYPE_TRUE,
	TYPE_FALSE,
	TYPE_BYTE,
	TYPE_SHORT,
	TYPE_INTEGER,
	TYPE_LONG,
	TYPE_BYTES,
	TYPE_STRING,
	TYPE_TIME,
	TYPE_UUID,
	TYPE_COUNT
};

static const uint8_t value_bytes[TYPE_COUNT] = {
	[TYPE_BYTE] = 1, [TYPE_SHORT] = 2, [TYPE_INTEGER] = 4,
	[TYPE_LONG] = 8, [TYPE_TIME] = 8,  [TYPE_UUID] = 16,
};

static uint32_t crc_of(uint32_t crc, struct span bytes)
{
	return (uint32_t)crc32(crc, (const unsigned char *)bytes.at, (unsigned int)bytes.len);
}

void eventstream_init(struct eventstream *stream, const struct document_listener *to, void *ctx)
{
	*stream = (struct eventstream){.to = to, .ctx = ctx};
}

static void next_message(struct eventstream *s, enum phase phase)
{
	s->phase = (uint8_t)phase;
	s->have = s->name_len = 0;
	s->crc = 0;
	s->damaged = false;
}

static bool is_prelude(const struct eventstream *s)
{
	uint32_t total = get_be32(s->small), headers = get_be32(s->small + 4);

	return total >= PRELUDE_BYTES + CHECKSUM_BYTES && total <= EVENTSTREAM_MESSAGE_MAX &&
	       headers <= total - PRELUDE_BYTES - CHECKSUM_BYTES &&
	       crc_of(0, span_of(s->small, 8)) == get_be32(s->small + 8);
}

static void headers_end(struct eventstream *s)
{
	s->phase = s->left ? PHASE_PAYLOAD : PHASE_CHECKSUM;
	s->have = 0;
}

static void next_header(struct eventstream *s)
{
	if (!s->headers)
		headers_end(s);
	else
		s->phase = PHASE_LABEL_LEN;
}

static void prelude_done(struct eventstream *s)
{
	if (!is_prelude(s)) {
		/* perhaps it begins with the next byte */
		memmove(s->small, s->small + 1, PRELUDE_BYTES - 1);
		s->have = PRELUDE_BYTES - 1;
		s->phase = PHASE_HUNT;
		return;
	}
	next_message(s, PHASE_PRELUDE);
	s->crc = crc_of(0, span_of(s->small, PRELUDE_BYTES));
	s->headers = get_be32(s->small + 4);
	s->left = get_be32(s->small) - s->headers - PRELUDE_BYTES - CHECKSUM_BYTES;
	next_header(s);
}

static bool names_event(const struct eventstream *s)
{
	struct span label = span_of(s->label, s->label_len);

	return s->value_type == TYPE_STRING && (span_eq(label, SPAN_LITERAL(":event-type")) ||
						span_eq(label, SPAN_LITERAL(":exception-type")));
}

/* One byte of the headers; `field` bytes of the current part are to come. */
static void header_byte(struct eventstream *s, char c)
{
	s->headers--;
	switch ((enum phase)s->phase) {
	case PHASE_LABEL_LEN:
		s->field = (unsigned char)c;
		s->label_len = 0;
		s->phase = s->field ? PHASE_LABEL : PHASE_TYPE;
		break;
	case PHASE_LABEL:
		if (s->label_len < sizeof(s->label))
			s->label[s->label_len++] = c;
		if (!--s->field)
			s->phase = PHASE_TYPE;
		break;
	case PHASE_TYPE:
		s->value_type = (uint8_t)c;
		if (s->value_type >= TYPE_COUNT) {
			/* the rest of the headers cannot be read, the payload can */
			s->field = s->headers;
			s->phase = PHASE_VALUE;
		} else if (s->value_type == TYPE_BYTES || s->value_type == TYPE_STRING) {
			s->field = 0;
			s->have = 0;
			s->phase = PHASE_VALUE_LEN;
		} else {
			s->field = value_bytes[s->value_type];
			s->phase = PHASE_VALUE;
		}
		if (s->phase == PHASE_VALUE && !s->field)
			next_header(s);
		break;
	case PHASE_VALUE_LEN:
		s->field = s->field << 8 | (unsigned char)c;
		if (++s->have == 2) {
			s->phase = PHASE_VALUE;
			if (names_event(s))
				s->name_len = 0;
			if (!s->field)
				next_header(s);
		}
		break;
	default:
		if (names_event(s) && s->name_len < sizeof(s->name))
			s->name[s->name_len++] = c;
		if (!--s->field)
			next_header(s);
		break;
	}
	/* a field that the headers have no room for */
	if (!s->headers && s->phase < PHASE_PAYLOAD)
		headers_end(s);
}

static void message_done(struct eventstream *s)
{
	bool damaged = s->damaged || get_be32(s->small) != s->crc;
	struct span name = span_of(s->name, s->name_len);

	s->to->end(s->ctx, name, damaged);
	next_message(s, PHASE_PRELUDE);
}

/* Collects `wanted` bytes in small; true when they are there. */
static bool collect(struct eventstream *s, size_t wanted, struct span *bytes)
{
	s->small[s->have++] = bytes->at[0];
	*bytes = span_skip(*bytes, 1);
	return s->have == wanted;
}

void eventstream_feed(struct eventstream *stream, struct span bytes)
{
	while (bytes.len) {
		struct span part = span_of(bytes.at, 1);

		switch ((enum phase)stream->phase) {
		case PHASE_PRELUDE:
		case PHASE_HUNT:
			if (collect(stream, PRELUDE_BYTES, &bytes))
				prelude_done(stream);
			continue;
		case PHASE_CHECKSUM:
			if (collect(stream, CHECKSUM_BYTES, &bytes))
				message_done(stream);
			continue;
		case PHASE_PAYLOAD:
			part.len = bytes.len < stream->left ? bytes.len : stream->left;
			stream->crc = crc_of(stream->crc, part);
			stream->to->data(stream->ctx, part);
			stream->left -= (uint32_t)part.len;
			if (!stream->left)
				headers_end(stream);
			break;
		default:
			stream->crc = crc_of(stream->crc, part);
			header_byte(stream, bytes.at[0]);
			break;
		}
		bytes = span_skip(bytes, part.len);
	}
}

void eventstream_lost(struct eventstream *stream)
{
	if (stream->phase == PHASE_PAYLOAD || stream->phase == PHASE_CHECKSUM)
		stream->to->end(stream->ctx, span_of(stream->name, stream->name_len), true);
	next_message(stream, PHASE_HUNT);
}
