/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How fast the JSON scanner passes over bodies of three kinds, in segments of SEGMENT_BYTES_MAX. */
#include "protocol/json_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BODY_BYTES (32u << 20)
#define ROUNDS     8

static const struct json_path paths[] = {{"model", 0}, {"messages", 1}, {"stream", 2}, {NULL}};
static unsigned int told;

static void on_value(void *ctx, const struct json_value *value)
{
	(void)ctx;
	(void)value;
	told++;
}

/* {"messages":[ piece piece ... {}],"model":"m"} */
static size_t fill(char *body, const char *piece)
{
	static const char begin[] = "{\"messages\":[",
			  end[] = "{}],\"model\":\"m\",\"stream\":true}";
	size_t len = strlen(begin), piece_len = strlen(piece);

	memcpy(body, begin, len);
	for (; len + piece_len + sizeof(end) < BODY_BYTES; len += piece_len)
		memcpy(body + len, piece, piece_len);
	memcpy(body + len, end, sizeof(end));
	return len + sizeof(end) - 1;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void measure(const char *name, char *body, const char *piece)
{
	struct span whole = span_of(body, fill(body, piece));
	struct json_paths compiled;
	struct json_scan scan;
	double began, best = 1e9;

	json_paths_compile(&compiled, paths);
	for (int round = 0; round < ROUNDS; round++) {
		struct span rest = whole;

		told = 0;
		began = seconds();
		json_scan_init(&scan, &compiled, on_value, NULL);
		for (; rest.len; rest = span_skip(rest, SEGMENT_BYTES_MAX))
			json_scan_feed(&scan, span_of(rest.at, rest.len < SEGMENT_BYTES_MAX
								       ? rest.len
								       : SEGMENT_BYTES_MAX));
		if (json_scan_end(&scan) != 0 || told != 3)
			abort();
		if (seconds() - began < best)
			best = seconds() - began;
	}
	printf("json_scan %-10s %8.0f MB/s\n", name, (double)whole.len / best / 1e6);
}

int main(void)
{
	static char text[4200];
	char *body = malloc(BODY_BYTES);

	if (!body)
		return 1;
	strcpy(text, "{\"role\":\"user\",\"content\":\"");
	for (int i = 0; i < 40; i++)
		strcat(text, "The quick brown fox jumps over the lazy dog, and then it sleeps a "
			     "while in the warm grass.\\n");
	strcat(text, "\"},");
	measure("text", body, text);
	measure("escapes", body,
		"{\"role\":\"tool\",\"content\":\"{\\\"path\\\": \\\"a/b.c\\\", \\\"n\\\": 1}\"},");
	measure("structure", body, "{\"a\":[1,2,{\"b\":null}],\"c\":{\"d\":true,\"e\":[[],{}]}},");
	free(body);
	return 0;
}
