/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "net/reassembly.h"

#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"

/*
 * The stream is numbered from 0 with 64 bits; only the distance of a segment from `next` is
 * computed with 32. `held` is sorted, its ranges do not overlap, and all of them lie beyond
 * `next`: there is always a hole between `next` and the first.
 */

/* A run of the stream that came before its turn. */
struct range {
	uint64_t offset, len;
	uint64_t captured; /* of the first `captured` bytes the content is known */
	char *content;     /* NULL when nothing is kept: not captured, or only counting */
};

struct reassembly {
	bool started, stopped;
	uint32_t first_sequence; /* that of offset 0 */
	uint64_t next;           /* first offset that was neither told nor given up */
	uint64_t unique;
	struct range *held; /* REASSEMBLY_SEGMENTS_MAX entries, or NULL while none is held */
	size_t held_count, held_bytes;
};

/* What is left to do of one pushed segment. */
struct piece {
	uint64_t offset, len;
	struct span content; /* of the first content.len bytes */
};

struct reassembly *reassembly_new(void)
{
	return calloc(1, sizeof(struct reassembly));
}

void reassembly_free(struct reassembly *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->held_count; i++)
		free(r->held[i].content);
	free(r->held);
	free(r);
}

void reassembly_start(struct reassembly *r, uint32_t initial_sequence)
{
	if (r->started)
		return;
	r->started = true;
	r->first_sequence = initial_sequence + 1;
}

uint64_t reassembly_bytes(const struct reassembly *r)
{
	return r->unique;
}

void reassembly_stop(struct reassembly *r)
{
	r->stopped = true;
	for (size_t i = 0; i < r->held_count; i++) {
		free(r->held[i].content);
		r->held[i].content = NULL;
		r->held[i].captured = 0;
	}
	r->held_bytes = 0;
}

/* `n` bytes of which the first content.len are known have their turn. */
static void tell(struct reassembly *r, struct span content, uint64_t n,
		 const struct reassembly_sink *to)
{
	r->next += n;
	if (content.len && !r->stopped)
		to->bytes(to->ctx, content);
	if (content.len < n && !r->stopped)
		to->gap(to->ctx, n - content.len);
}

static struct range held_remove(struct reassembly *r, size_t i)
{
	struct range range = r->held[i];

	r->held_count--;
	memmove(&r->held[i], &r->held[i + 1], (r->held_count - i) * sizeof(*r->held));
	r->held_bytes -= range.captured;
	if (r->held_count == 0) {
		free(r->held);
		r->held = NULL;
	}
	return range;
}

/* Tells what is held and has its turn now. A range leaves the table before its callback, which may
 * stop the reassembly and with that empty the table's contents. */
static void drain(struct reassembly *r, const struct reassembly_sink *to)
{
	while (r->held_count && r->held[0].offset == r->next) {
		struct range range = held_remove(r, 0);
		_cleanup_free_ char *content = range.content;

		tell(r, span_of(content, range.captured), range.len, to);
	}
}

/* Gives up the bytes up to `offset`, which is at most the first held range's. */
static void give_up(struct reassembly *r, uint64_t offset, const struct reassembly_sink *to)
{
	tell(r, (struct span){0}, offset - r->next, to);
	drain(r, to);
}

/* The part of `piece` from `from` on. */
static void piece_skip(struct piece *piece, uint64_t n)
{
	piece->offset += n;
	piece->len -= n;
	if (n < piece->content.len)
		piece->content = span_skip(piece->content, n);
	else
		piece->content = (struct span){0};
}

/* Without content to keep, ranges that touch are one: a loss then takes one entry, however long. */
static bool merge(struct reassembly *r, size_t i, const struct piece *piece, uint64_t n)
{
	struct range *before = i > 0 ? &r->held[i - 1] : NULL;
	struct range *after = i < r->held_count ? &r->held[i] : NULL;

	if (!r->stopped)
		return false;
	if (before && before->offset + before->len == piece->offset) {
		before->len += n;
		if (after && before->offset + before->len == after->offset) {
			before->len += after->len;
			held_remove(r, i);
		}
		return true;
	}
	if (after && piece->offset + n == after->offset) {
		after->offset = piece->offset;
		after->len += n;
		return true;
	}
	return false;
}

/* Holds the first `n` bytes of `piece` as entry `i`. False: there is no room. */
static bool hold(struct reassembly *r, size_t i, const struct piece *piece, uint64_t n)
{
	size_t captured = piece->content.len < n ? piece->content.len : n;
	char *content = NULL;

	if (merge(r, i, piece, n))
		return true;
	if (r->stopped)
		captured = 0;
	if (r->held_count == REASSEMBLY_SEGMENTS_MAX ||
	    captured > REASSEMBLY_BYTES_MAX - r->held_bytes)
		return false;
	if (!r->held)
		r->held = calloc(REASSEMBLY_SEGMENTS_MAX, sizeof(*r->held));
	if (r->held && captured)
		content = malloc(captured);
	if (!r->held || (captured && !content)) {
		if (r->held_count == 0) {
			free(r->held);
			r->held = NULL;
		}
		return false;
	}
	if (captured)
		memcpy(content, piece->content.at, captured);
	memmove(&r->held[i + 1], &r->held[i], (r->held_count - i) * sizeof(*r->held));
	r->held[i] = (struct range){piece->offset, n, captured, content};
	r->held_count++;
	r->held_bytes += captured;
	return true;
}

/* Deals with the front of `piece`, which does not lie before `next`. */
static void step(struct reassembly *r, struct piece *piece, const struct reassembly_sink *to)
{
	uint64_t n = piece->len;
	size_t i = 0;

	while (i < r->held_count && r->held[i].offset + r->held[i].len <= piece->offset)
		i++;
	if (i < r->held_count) {
		const struct range *range = &r->held[i];

		if (range->offset <= piece->offset) {
			n = range->offset + range->len - piece->offset;
			piece_skip(piece, n < piece->len ? n : piece->len);
			return;
		}
		if (n > range->offset - piece->offset)
			n = range->offset - piece->offset;
	}

	if (piece->offset == r->next) {
		struct span content = piece->content;

		if (content.len > n)
			content.len = n;
		r->unique += n;
		tell(r, content, n, to);
		drain(r, to);
	} else if (hold(r, i, piece, n)) {
		r->unique += n;
	} else {
		uint64_t hole_end = piece->offset;

		if (r->held_count && r->held[0].offset < hole_end)
			hole_end = r->held[0].offset;
		give_up(r, hole_end, to);
		return;
	}
	piece_skip(piece, n);
}

void reassembly_push(struct reassembly *r, uint32_t sequence, struct span payload,
		     uint32_t len_on_wire, const struct reassembly_sink *to)
{
	struct piece piece = {0, len_on_wire, payload};
	int64_t distance;

	if (piece.len < payload.len)
		piece.len = payload.len;
	if (piece.len == 0)
		return;
	if (!r->started) {
		r->started = true;
		r->first_sequence = sequence;
	}

	distance = (int32_t)(sequence - (r->first_sequence + (uint32_t)r->next));
	if (distance >= 0) {
		piece.offset = r->next + (uint64_t)distance;
	} else {
		uint64_t old = (uint64_t)-distance;

		if (old >= piece.len)
			return;
		piece_skip(&piece, old);
		piece.offset = r->next;
	}
	while (piece.len) {
		/* Giving up a hole drains what was held, maybe past this piece's start. */
		if (piece.offset < r->next) {
			uint64_t old = r->next - piece.offset;

			piece_skip(&piece, old < piece.len ? old : piece.len);
			continue;
		}
		step(r, &piece, to);
	}
}

void reassembly_skip(struct reassembly *r, uint32_t sequence, const struct reassembly_sink *to)
{
	int64_t distance;
	uint64_t offset;

	if (!r->started) {
		r->started = true;
		r->first_sequence = sequence;
	}
	distance = (int32_t)(sequence - (r->first_sequence + (uint32_t)r->next));
	if (distance <= 0)
		return;
	offset = r->next + (uint64_t)distance;
	while (r->next < offset) {
		uint64_t hole_end = offset;

		if (r->held_count && r->held[0].offset < hole_end)
			hole_end = r->held[0].offset;
		give_up(r, hole_end, to);
	}
}
