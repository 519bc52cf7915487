/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads texts, each "LENGTH\n" and its bytes; writes a line of JSON for each: what was counted, and the
 * estimate for every tokenizer. For calibrate.mjs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "estimate/text.h"
#include "util/cleanup.h"

static void print_counts(const char *name, const uint64_t *counts, size_t n)
{
	printf("\"%s\":[", name);
	for (size_t i = 0; i < n; i++)
		printf("%s%" PRIu64, i ? "," : "", counts[i]);
	printf("],");
}

static void tell(struct span text)
{
	struct text_estimate estimate = {0};

	text_estimate_feed(&estimate, text);
	text_estimate_finish(&estimate);
	printf("{");
	print_counts("count", estimate.count, TEXT_FEATURES);
	print_counts("english", estimate.english, TOKENIZER_COUNT);
	print_counts("plain", estimate.plain, TOKENIZER_COUNT);
	print_counts("rare", estimate.rare, TOKENIZER_COUNT);
	printf("\"tokens\":[");
	for (int t = 0; t <= TOKENIZER_COUNT; t++) {
		struct token_range range = text_estimate_tokens(&estimate, (enum tokenizer)t);

		printf("%s[%" PRId64 ",%" PRId64 ",%" PRId64 "]", t ? "," : "", range.low,
		       range.likely, range.high);
	}
	printf("]}\n");
}

int main(void)
{
	size_t len;

	while (scanf("%zu", &len) == 1 && getchar() == '\n') {
		_cleanup_free_ char *text = malloc(len + 1);

		if (!text || fread(text, 1, len, stdin) != len)
			return 1;
		tell(span_of(text, len));
	}
	return 0;
}
