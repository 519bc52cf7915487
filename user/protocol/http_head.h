/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/protocol.h"

/* How the bytes after a head are framed, as the head alone tells (RFC 9112 section 6.3). */
enum http_body_kind { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_CLOSE };

struct http_framing {
	enum http_body_kind kind;
	uint64_t length; /* of HTTP_BODY_LENGTH */
	bool opaque;     /* a transfer coding besides "chunked" hides the content */
};

/*
 * Parses one HTTP/1 head (RFC 9112 sections 2 to 5): `text` runs from the first byte of the start
 * line to the end of the empty line. Lines may end with a bare LF. `text` must not hold folded
 * lines: see http_head_unfold(). `head` points into `text` and `headers`; of more than
 * HTTP_HEADERS_MAX fields those too many are left out, but still count for the framing. 0, or
 * -EPROTO: malformed, or a framing that two readers could take differently; but of a length and chunks
 * together, the chunks count (RFC 9112 section 6.3).
 */
int http_head_parse(struct span text, bool request, struct http_head *head,
		    struct http_header headers[], struct http_framing *framing);

/* Does a header line continue on a next one that starts with a blank (RFC 9112 section 5.2)? */
bool http_head_folded(struct span text);
/* Overwrites the line ends before such lines with blanks, which keeps the length. */
void http_head_unfold(char *text, size_t len);

/* Is this the beginning of a request line with a usual method, or of a status line? YES when the
 * line is whole, or as far as STREAM_FIRST_BYTES reach. */
enum protocol_guess http_head_guess_request(struct span first);
enum protocol_guess http_head_guess_status(struct span first);
