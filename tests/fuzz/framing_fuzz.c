/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Framings of responses: the same documents however the body is cut. The first byte chooses the media
 * type, the second where bytes are lost (0: nowhere), the rest is the body. */
#include "api/framing.h"

#include <stdint.h>

#include "unit/protocol/document_log.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *run(const uint8_t *data, size_t size, bool bytewise)
{
	static const char *const types[] = {
		"application/json",         "application/x-ndjson",
		"text/event-stream",        "application/vnd.amazon.eventstream",
		"application/connect+json", "",
	};
	struct http_header header = {SPAN_LITERAL("content-type"),
				     span_str(types[data[0] % ARRAY_SIZE(types)])};
	const struct http_head head = {.headers = &header, .header_count = 1};
	struct document_log log;
	struct framing framing;
	size_t lost = data[1];

	document_log_begin(&log);
	framing_init(&framing, &document_log_listener, &log, data[0] & 0x80);
	framing_declare(&framing, &head);
	for (size_t i = 2; i < size;) {
		size_t n = bytewise ? 1 : size - i;

		if (lost && i == lost) {
			framing_lost(&framing);
			lost = 0;
		}
		if (lost > i && i + n > lost)
			n = lost - i;
		framing_feed(&framing, span_of((const char *)data + i, n));
		i += n;
	}
	return document_log_take(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *whole = NULL, *bytes = NULL;

	if (size < 2)
		return 0;
	whole = run(data, size, false);
	bytes = run(data, size, true);
	if (strcmp(whole, bytes) != 0)
		abort();
	return 0;
}
