/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/envelope.h"

#include "util/bytes.h"

#define FLAG_COMPRESSED 0x01

void envelope_init(struct envelope *envelope, const struct document_listener *to, void *ctx)
{
	*envelope = (struct envelope){.to = to, .ctx = ctx};
}

static void message_end(struct envelope *e)
{
	e->inside = false;
	e->have = 0;
	e->messages++;
	e->to->end(e->ctx, (struct span){0}, e->flags & FLAG_COMPRESSED);
}

static void header_done(struct envelope *e)
{
	e->flags = (uint8_t)e->small[0];
	e->left = get_be32(e->small + 1);
	e->bytes += e->left;
	e->inside = true;
	if (!e->left)
		message_end(e);
}

void envelope_feed(struct envelope *envelope, struct span bytes)
{
	while (bytes.len && !envelope->lost) {
		struct span part = bytes;

		if (!envelope->inside) {
			envelope->small[envelope->have++] = bytes.at[0];
			bytes = span_skip(bytes, 1);
			if (envelope->have == sizeof(envelope->small))
				header_done(envelope);
			continue;
		}
		if (part.len > envelope->left)
			part.len = envelope->left;
		if (!(envelope->flags & FLAG_COMPRESSED))
			envelope->to->data(envelope->ctx, part);
		envelope->left -= (uint32_t)part.len;
		bytes = span_skip(bytes, part.len);
		if (!envelope->left)
			message_end(envelope);
	}
}

void envelope_lost(struct envelope *envelope)
{
	if (envelope->inside && !envelope->lost)
		envelope->to->end(envelope->ctx, (struct span){0}, true);
	envelope->lost = true;
}
