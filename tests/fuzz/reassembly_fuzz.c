/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "net/reassembly.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Against a model: an array with one cell per byte of the stream, in which the first copy stays. As
 * long as nothing had to be given up, what is told must be the array's beginning, and the count
 * that of its filled cells.
 */

enum { CELLS = 4096, EMPTY = -1, NOT_CAPTURED = -2, GIVEN_UP = -3 };

struct model {
	int16_t cell[CELLS];
	size_t told; /* how far the callbacks have come */
	uint64_t given_up;
	bool stopped;
};

static void on_bytes(void *ctx, struct span bytes)
{
	struct model *m = ctx;

	if (m->stopped || bytes.len == 0 || bytes.len > CELLS - m->told)
		abort();
	for (size_t i = 0; i < bytes.len; i++)
		if (m->cell[m->told + i] != (uint8_t)bytes.at[i])
			abort();
	m->told += bytes.len;
}

static void on_gap(void *ctx, uint64_t bytes)
{
	struct model *m = ctx;

	if (m->stopped || bytes == 0 || bytes > CELLS - m->told)
		abort();
	for (size_t i = 0; i < bytes; i++) {
		if (m->cell[m->told + i] == EMPTY) {
			m->cell[m->told + i] = GIVEN_UP;
			m->given_up++;
		} else if (m->cell[m->told + i] != NOT_CAPTURED) {
			abort();
		}
	}
	m->told += bytes;
}

/* What the segment adds to the array, before the code under test sees it. */
static void model_push(struct model *m, size_t offset, const uint8_t *bytes, size_t captured,
		       size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (m->cell[offset + i] == EMPTY)
			m->cell[offset + i] = i < captured ? bytes[i] : NOT_CAPTURED;
}

static void check(const struct model *m, const struct reassembly *r)
{
	uint64_t filled = 0;

	for (size_t i = 0; i < CELLS; i++)
		filled += m->cell[i] >= 0 || m->cell[i] == NOT_CAPTURED;
	/* After a stop nothing tells what was given up: the count may be short then, never long. */
	if (reassembly_bytes(r) > filled || (!m->stopped && reassembly_bytes(r) != filled))
		abort();
	if (!m->stopped && m->given_up == 0 && m->told < CELLS && m->cell[m->told] != EMPTY)
		abort();
}

/* Bytes: first sequence number (4), then per segment: offset (2), captured and missing length (1
 * each), with 0xff as captured length for a stop. The content is drawn from the input's bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reassembly *r = reassembly_new();
	struct model m = {.told = 0};
	const struct reassembly_sink sink = {on_bytes, on_gap, &m};
	size_t segments = 0;
	uint32_t first;

	if (!r || size < 4) {
		reassembly_free(r);
		return 0;
	}
	memset(m.cell, 0xff, sizeof(m.cell)); /* EMPTY */
	memcpy(&first, data, 4);
	reassembly_start(r, first - 1);
	for (size_t at = 4; at + 4 <= size; at += 4) {
		size_t offset = (data[at] | data[at + 1] << 8) % (CELLS - 512);
		size_t captured = data[at + 2], missing = data[at + 3];
		const uint8_t *bytes = data + (size - at) % 64;

		if (captured == 0xff) {
			reassembly_stop(r);
			m.stopped = true;
			continue;
		}
		if (captured > size - (size_t)(bytes - data))
			captured = size - (size_t)(bytes - data);
		model_push(&m, offset, bytes, captured, captured + missing);
		reassembly_push(r, first + (uint32_t)offset, span_of((const char *)bytes, captured),
				(uint32_t)(captured + missing), &sink);
		check(&m, r);
		/* Fewer segments than the table holds: nothing may be given up. */
		if (++segments <= REASSEMBLY_SEGMENTS_MAX / 4 && m.given_up)
			abort();
	}
	reassembly_free(r);
	return 0;
}
