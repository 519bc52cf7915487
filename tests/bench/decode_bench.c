/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From plaintext to facts: HTTP/1 chunked, server-sent events and JSON, in segments as a TLS
 * library hands them out. */
#include "unit/api/conversation.h"

#include <time.h>

#define STREAM_BYTES (32u << 20)
#define ROUNDS       5

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One response whose every chunk is one event. */
static size_t fill(char *to, const char *event)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	static const char usage[] =
		"data: {\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{"
		"\"prompt_tokens\":12,\"completion_tokens\":300,\"total_tokens\":312}}\n\n";
	size_t len = strlen(head);

	memcpy(to, head, len);
	while (len + strlen(event) + 1024 < STREAM_BYTES)
		len += (size_t)sprintf(to + len, "%zx\r\n%s\r\n", strlen(event), event);
	len += (size_t)sprintf(to + len, "%zx\r\n%s\r\n0\r\n\r\n", strlen(usage), usage);
	return len;
}

static void measure(const char *name, const char *stream, size_t len, size_t segment)
{
	static const char ask[] = "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 29\r\n\r\n"
				  "{\"model\":\"m\",\"messages\":[{}]}";
	double best = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		struct conversation c;
		double began;

		conversation_begin(&c);
		conversation_feed(&c, DIR_OUT, ask, strlen(ask));
		began = seconds();
		for (size_t i = 0; i < len; i += segment)
			conversation_feed(&c, DIR_IN, stream + i,
					  segment < len - i ? segment : len - i);
		if (seconds() - began < best)
			best = seconds() - began;
		free(conversation_finish(&c));
		if (c.last.usage.output != 300 || !c.last.response_shape)
			abort();
	}
	printf("decode %-22s %8.0f MB/s\n", name, (double)len / best / 1e6);
}

/* What every matched request costs besides its bytes. */
static void measure_new(void)
{
	const struct http_head head = {.method = SPAN_LITERAL("POST"),
				       .target = SPAN_LITERAL("/v1/chat/completions")};
	const int count = 100000;
	double began = seconds();

	for (int i = 0; i < count; i++)
		api_exchange_free(api_exchange_new(&head, NULL));
	printf("decode %-22s %8.2f us\n", "exchange", (seconds() - began) * 1e6 / count);
}

int main(void)
{
	static const char small[] =
		"data: {\"id\":\"chatcmpl-abcdefghij\",\"object\":\"chat.completion.chunk\","
		"\"created\":1700000000,\"model\":\"gpt-4.1-nano-2025-04-14\",\"service_tier\":"
		"\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[{\"index\":0,"
		"\"delta\":{\"content\":\" word\"},\"logprobs\":null,\"finish_reason\":null}],"
		"\"usage\":null,\"obfuscation\":\"AbCdEfGh\"}\n\n";
	static char large[5000];
	char *stream = malloc(STREAM_BYTES);
	size_t len;

	if (!stream)
		return 1;
	len = fill(stream, small);
	measure("token events, 16 KiB", stream, len, SEGMENT_BYTES_MAX);
	measure("token events, 300 B", stream, len, 300);
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, small, strlen(small));
	memcpy(large + strlen(small) - 4, "\",\"p\":\"", 7);
	strcpy(large + sizeof(large) - 6, "\"}\n\n");
	len = fill(stream, large);
	measure("5 kB events, 16 KiB", stream, len, SEGMENT_BYTES_MAX);
	measure_new();
	free(stream);
	return 0;
}
