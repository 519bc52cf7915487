/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/documents.h"

/* Documents as "name|data;", with "!" before the ";" of a damaged one. */
struct document_log {
	FILE *file;
	char *text;
	size_t len;
};

static inline void document_log_data(void *ctx, struct span bytes)
{
	struct document_log *log = ctx;

	if (!bytes.len)
		abort();
	fwrite(bytes.at, 1, bytes.len, log->file);
}

static inline void document_log_end(void *ctx, struct span name, bool damaged)
{
	struct document_log *log = ctx;

	fprintf(log->file, "|%.*s%s;", (int)name.len, name.at, damaged ? "!" : "");
}

static const struct document_listener document_log_listener = {document_log_data, document_log_end};

static inline void document_log_begin(struct document_log *log)
{
	*log = (struct document_log){0};
	log->file = open_memstream(&log->text, &log->len);
}

/* The caller's to free. */
static inline char *document_log_take(struct document_log *log)
{
	fclose(log->file);
	return log->text;
}

/*
 * Defines run_NAME(): feeds a text to the framing NAME in pieces of `step` bytes (0: at once), leaving out
 * `lost` bytes at `at`.
 */
#define DOCUMENT_RUN(NAME)                                                                         \
	static char *run_##NAME(const char *text, size_t len, size_t step, size_t at, size_t lost) \
	{                                                                                          \
		struct document_log log;                                                           \
		struct NAME framing;                                                               \
                                                                                                   \
		document_log_begin(&log);                                                          \
		NAME##_init(&framing, &document_log_listener, &log);                               \
		for (size_t i = 0; i < len;) {                                                     \
			size_t n = step && step < len - i ? step : len - i;                        \
			char *copy;                                                                \
                                                                                                   \
			if (lost && i < at && i + n > at)                                          \
				n = at - i;                                                        \
			if (lost && i == at) {                                                     \
				NAME##_lost(&framing);                                             \
				i += lost;                                                         \
				continue;                                                          \
			}                                                                          \
			copy = malloc(n);                                                          \
			memcpy(copy, text + i, n);                                                 \
			NAME##_feed(&framing, span_of(copy, n));                                   \
			free(copy);                                                                \
			i += n;                                                                    \
		}                                                                                  \
		return document_log_take(&log);                                                    \
	}
