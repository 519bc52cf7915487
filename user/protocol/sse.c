/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/sse.h"

#include "protocol/byte_scan.h"

enum sse_where {
	AT_LINE, /* nothing of the line seen */
	IN_LABEL,
	AT_VALUE, /* right after the colon: one blank is dropped */
	IN_VALUE,
};

enum sse_field { FIELD_OTHER, FIELD_DATA, FIELD_EVENT };

/* U+FEFF in UTF-8; one is dropped at the start of the stream. */
static const char byte_order_mark[] = "\xEF\xBB\xBF";
#define BOM_DONE 3

void sse_init(struct sse *sse, const struct sse_listener *to, void *ctx)
{
	*sse = (struct sse){.to = to, .ctx = ctx};
}

static enum sse_field field_of(const struct sse *sse)
{
	struct span label = span_of(sse->label, sse->label_len);

	if (span_eq(label, SPAN_LITERAL("data")))
		return FIELD_DATA;
	if (span_eq(label, SPAN_LITERAL("event")))
		return FIELD_EVENT;
	return FIELD_OTHER;
}

/* The field's name is known: its value begins. */
static void value_begin(struct sse *sse)
{
	sse->field = (uint8_t)field_of(sse);
	if (sse->damaged)
		return;
	if (sse->field == FIELD_EVENT)
		sse->name_len = 0;
	if (sse->field == FIELD_DATA) {
		if (sse->has_data)
			sse->to->data(sse->ctx, SPAN_LITERAL("\n"));
		sse->has_data = true;
	}
}

static void value_bytes(struct sse *sse, struct span bytes)
{
	size_t room = SSE_NAME_MAX - sse->name_len;

	if (sse->damaged || !bytes.len)
		return;
	if (sse->field == FIELD_DATA) {
		sse->to->data(sse->ctx, bytes);
	} else if (sse->field == FIELD_EVENT) {
		if (bytes.len > room)
			bytes.len = room;
		memcpy(sse->name + sse->name_len, bytes.at, bytes.len);
		sse->name_len += (uint8_t)bytes.len;
	}
}

static void line_end(struct sse *sse)
{
	bool blank = sse->where == AT_LINE;

	/* A line without a colon is a field with an empty value. */
	if (sse->where == IN_LABEL)
		value_begin(sse);
	sse->where = AT_LINE;
	sse->label_len = 0;
	if (!blank)
		return;
	if (sse->has_data || sse->damaged)
		sse->to->event_end(sse->ctx, span_of(sse->name, sse->name_len), sse->damaged);
	sse->has_data = sse->damaged = false;
	sse->name_len = 0;
}

/* Bytes of one line, without its end. */
static void line_bytes(struct sse *sse, struct span bytes)
{
	while (bytes.len && sse->where <= IN_LABEL) {
		char c = bytes.at[0];

		bytes = span_skip(bytes, 1);
		sse->where = IN_LABEL;
		if (c == ':') {
			value_begin(sse);
			sse->where = AT_VALUE;
		} else if (sse->label_len < sizeof(sse->label)) {
			/* One byte more than the names that matter: a longer one equals none. */
			sse->label[sse->label_len++] = c;
		}
	}
	if (!bytes.len)
		return;
	if (sse->where == AT_VALUE && bytes.at[0] == ' ')
		bytes = span_skip(bytes, 1);
	sse->where = IN_VALUE;
	value_bytes(sse, bytes);
}

/* Drops a byte order mark; a beginning of one that comes to nothing is an unknown field's. */
static struct span skip_mark(struct sse *sse, struct span bytes)
{
	while (bytes.len && sse->bom < BOM_DONE) {
		if (bytes.at[0] != byte_order_mark[sse->bom]) {
			line_bytes(sse, span_of(byte_order_mark, sse->bom));
			sse->bom = BOM_DONE;
			break;
		}
		sse->bom++;
		bytes = span_skip(bytes, 1);
	}
	return bytes;
}

void sse_feed(struct sse *sse, struct span bytes)
{
	if (sse->bom < BOM_DONE)
		bytes = skip_mark(sse, bytes);
	while (bytes.len) {
		size_t n;

		if (sse->after_cr && bytes.at[0] == '\n') {
			sse->after_cr = false;
			bytes = span_skip(bytes, 1);
			continue;
		}
		sse->after_cr = false;
		n = scan_two(bytes.at, bytes.len, '\n', '\r');
		if (n)
			line_bytes(sse, span_of(bytes.at, n));
		if (n < bytes.len) {
			sse->after_cr = bytes.at[n] == '\r';
			line_end(sse);
			n++;
		}
		bytes = span_skip(bytes, n);
	}
}

void sse_lost(struct sse *sse)
{
	/* Whether a line began or ended in what was lost is not known: the next line end ends a
	 * line that had something in it. */
	sse->damaged = true;
	sse->where = IN_VALUE;
	sse->field = FIELD_OTHER;
	sse->after_cr = false;
	sse->bom = BOM_DONE;
}
