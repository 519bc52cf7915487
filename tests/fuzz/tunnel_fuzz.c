/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/tunnel.h"
#include "turns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What comes of a conversation, read in pieces. */
struct result {
	struct tunnel tunnel;
	uint64_t inside[DIR_COUNT];
	bool failed;
};

static void take(struct result *r, enum stream_dir dir, struct span bytes, size_t step)
{
	while (bytes.len && !r->failed) {
		size_t n = step < bytes.len ? step : bytes.len;
		ssize_t used = 0;

		if (!r->inside[dir])
			used = tunnel_feed(&r->tunnel, dir, span_of(bytes.at, n));
		if (used > (ssize_t)n)
			abort();
		r->failed = used < 0;
		if (!r->failed)
			r->inside[dir] += n - (size_t)used;
		bytes = span_skip(bytes, n);
	}
}

static void run(const uint8_t *data, size_t size, size_t step, struct result *r)
{
	struct turns turns = {data, size};
	struct turn turn;

	memset(r, 0, sizeof(*r));
	while (turns_next(&turns, &turn))
		take(r, turn.dir, turn.bytes, step);
}

/* The same from turns as a whole as from bytes one at a time; and only sane text comes out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, bytewise;
	const struct tunnel_target *target = &whole.tunnel.target;

	run(data, size, size + 1, &whole);
	run(data, size, 1, &bytewise);
	if (whole.failed != bytewise.failed)
		abort();
	if (whole.failed)
		return 0;
	if (memcmp(target, &bytewise.tunnel.target, sizeof(*target)) != 0 ||
	    memcmp(whole.inside, bytewise.inside, sizeof(whole.inside)) != 0)
		abort();
	for (const char *c = target->name; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || (*c >= 'A' && *c <= 'Z'))
			abort();
	if (whole.tunnel.open[DIR_OUT] && !target->name[0] == !target->address.family)
		abort();
	return 0;
}
