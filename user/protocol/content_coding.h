/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "gnomon/span.h"
#include "util/budget.h"

/*
 * Content codings (RFC 9110 section 8.4), undone as the bytes come: gzip and x-gzip (RFC 1952, any
 * number of members), deflate (RFC 1950, and the raw RFC 1951 that some servers send under that
 * name), br (RFC 7932), zstd (RFC 8878, windows up to the 8 MiB of RFC 9659).
 *
 * What is decoded is told through a window of CODING_WINDOW_BYTES and kept nowhere else. A body that
 * does not begin as its coding does but as text (JSON, server-sent events) is handed on as it is: a
 * middlebox undid the coding and left the label. Bytes behind the end of the coded data are ignored.
 *
 * Memory: gzip and deflate 40 KiB; br up to 1.5 times its window, which is as large as what was
 * decoded at first and 4 MiB for most servers in the end; zstd 160 KiB and the window that the frame
 * asks for. Together at most CODING_MEMORY_MAX and what `budget` has left.
 */
struct content_coding;

/* `bytes` are lent for the call and never empty. */
typedef void content_fn(void *ctx, struct span bytes);

/* By the value of a Content-Encoding header. *to is NULL with 0 when there is nothing to undo.
 * -ENOTSUP: an unknown coding, or several. -ENOMEM. `budget` may be NULL and, like ctx, must outlive
 * the result. */
int content_coding_new(struct content_coding **to, struct span header, struct budget *budget,
		       content_fn *tell, void *ctx);
/* Raw deflate data without any header, as WebSocket's permessage-deflate has (RFC 7692). Blocks
 * marked as final are followed by others. */
int content_coding_new_raw(struct content_coding **to, struct budget *budget, content_fn *tell,
			   void *ctx);
/* NULL is fine. */
void content_coding_free(struct content_coding *coding);
/* 0; or an error, and every later call gives it too: -EBADMSG: not this coding, or damaged; what was
 * told is a beginning. -EFBIG: more than CODING_RATIO_MAX bytes out of each that came in. -ENOMEM:
 * a window over the cap, or the budget is used up. */
int content_coding_feed(struct content_coding *coding, struct span bytes);
/* Begins anew, without the history of what came before. */
void content_coding_restart(struct content_coding *coding);
