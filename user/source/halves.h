/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/observation.h"

/*
 * Half streams: one direction of a TLS stream, encrypted under its own key, of which it is not known yet to which
 * socket it belongs. Its bytes are held until that is known, and then delivered as the stream's.
 */
struct halves;

/* `dropped` is told each half that is let go without having been joined. NULL without memory. */
struct halves *halves_new(void (*dropped)(void *ctx, const struct stream_id *half), void *ctx);
void halves_free(struct halves *halves);
/* Holds a copy of the segment's bytes: the first HALF_STREAM_BYTES_MAX of a half, up to a gap. The half that was
 * silent longest makes way for a new one. */
void halves_hold(struct halves *halves, const struct observed_segment *segment);
/* Fills segment->bytes with what was held of the half, which ends here; they are lent until the next call.
 * segment->omitted holds the bytes of the half in all, and is left with those that are not there. */
void halves_join(struct halves *halves, const struct stream_id *half,
		 struct observed_segment *segment);
/* Lets the halves of a process go. */
void halves_exit(struct halves *halves, uint32_t pid);
