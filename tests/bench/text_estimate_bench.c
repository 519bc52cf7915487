/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Throughput of the token estimate. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "estimate/text.h"

#define TEXT_BYTES (8u << 20)
#define ROUNDS     5

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure(const char *name, char *text, const char *sample)
{
	size_t len = strlen(sample);
	double best = 1e9;

	for (size_t i = 0; i < TEXT_BYTES; i++)
		text[i] = sample[i % len];
	for (int round = 0; round < ROUNDS; round++) {
		struct text_estimate estimate = {0};
		double began = seconds();

		text_estimate_feed(&estimate, span_of(text, TEXT_BYTES));
		if (!text_estimate_tokens(&estimate, TOKENIZER_CLAUDE).likely)
			abort();
		if (seconds() - began < best)
			best = seconds() - began;
	}
	printf("text_estimate %-8s %6.0f MB/s\n", name, TEXT_BYTES / best / 1e6);
}

int main(void)
{
	char *text = malloc(TEXT_BYTES);

	if (!text)
		return 1;
	measure("english", text,
		"The quick brown fox jumps over the lazy dog, and then it sleeps. ");
	measure("code", text, "\tfor (size_t i = 0; i < count; i++)\n\t\tsum += values[i] * 3;\n");
	measure("chinese", text,
		"\xe4\xbb\xa5\xe5\x8f\x8a\xe5\xa4\x9a\xe5\xb9\xb4\xe5\x89\x8d\xe7\x9a\x84\xe4\xba"
		"\x8b");
	free(text);
	return 0;
}
