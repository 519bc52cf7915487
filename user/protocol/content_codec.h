/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "protocol/content_coding.h"

/* Between content_coding.c and the codings: one file and one row in its table each. */

/* Memory that one decoder may have. */
struct codec_memory {
	struct budget *budget;
	size_t used;
};

/* As malloc() and free(), within CODING_MEMORY_MAX and the budget. */
void *codec_alloc(struct codec_memory *memory, size_t bytes);
void codec_free(struct codec_memory *memory, void *at);
/* For what a library allocates by itself: `bytes` is all it has now. -ENOMEM: too much. */
int codec_charge(struct codec_memory *memory, size_t *charged, size_t bytes);

struct codec_out {
	char *at;
	size_t room, made;
	bool more; /* kept between calls: there is more to write even without more input */
};

struct codec_ops {
	struct span name, alias;
	size_t state_bytes;
	/* Can a body begin so? `first` has at least one byte and all that may still be needed. */
	enum codec_start { CODEC_YES, CODEC_NO, CODEC_MORE } (*starts)(struct span first);
	/* `state` is zeroed and stays where it is. */
	int (*init)(void *state, struct codec_memory *memory);
	/* Takes bytes off the front of *in and fills `out`. 0, -EBADMSG or -ENOMEM; what was made
	 * before a fault counts. */
	int (*decode)(void *state, struct span *in, struct codec_out *out);
	void (*restart)(void *state); /* NULL: never asked to */
	void (*done)(void *state);
};

extern const struct codec_ops codec_gzip, codec_deflate, codec_raw_deflate, codec_br, codec_zstd;

/* CODEC_NO for what begins as JSON or server-sent events do. */
enum codec_start codec_not_text(struct span first);
