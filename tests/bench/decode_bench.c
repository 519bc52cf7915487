/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From plaintext to facts, on one core: calls of three APIs over HTTP/1.1 and over HTTP/2 with gzip, record by
 * record as a TLS library hands them out, and each record of the answer in it alone. Bytes are counted as the
 * decoder reads them: of gzip, those that come out.
 */
#include "bench/traffic.h"
#include "unit/api/conversation.h"

#include <time.h>

#define CALLS 60

static int rounds = 20;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The time that one pass takes. */
static double pass(const struct traffic *t, const struct protocol_ops *ops, unsigned int calls)
{
	struct conversation c;
	double began;

	conversation_begin_over(&c, ops);
	began = seconds();
	for (size_t i = 0, at = 0; i < t->count; i++) {
		conversation_feed(&c, t->records[i].dir, t->bytes + at, t->records[i].end - at);
		at = t->records[i].end;
	}
	began = seconds() - began;
	free(conversation_finish(&c));
	if (c.ended != calls || c.last.usage.output != 300 || c.last.usage.input != 9000 ||
	    c.last.truncated)
		abort();
	return began;
}

static double best_of(const struct traffic *t, const struct protocol_ops *ops, unsigned int calls)
{
	double best = pass(t, ops, calls);

	for (int round = 1; round < rounds; round++) {
		double took = pass(t, ops, calls);

		best = took < best ? took : best;
	}
	return best;
}

static void measure(const char *name, int api, bool http2)
{
	struct traffic t;
	double took, bytes;

	traffic_begin(&t);
	for (int i = 0; i < CALLS; i++) {
		enum traffic_api which = (enum traffic_api)(api < TRAFFIC_APIS ? api
									       : i % TRAFFIC_APIS);

		if (http2)
			traffic_http2(&t, which);
		else
			traffic_http1(&t, which);
	}
	bytes = (double)t.len + (double)t.saved;
	took = best_of(&t, http2 ? &http2_protocol : &http1_protocol, CALLS);
	printf("decode %-8s %-10s %6.0f MB/s %8.1f us a call of %4.0f KB\n",
	       http2 ? "h2 gzip" : "http1", name, bytes / took / 1e6, took * 1e6 / CALLS,
	       bytes / CALLS / 1e3);
	traffic_done(&t);
}

/* What every matched request costs besides its bytes. */
static void measure_new(void)
{
	const struct http_head head = {.method = SPAN_LITERAL("POST"),
				       .target = SPAN_LITERAL("/v1/chat/completions")};
	const int count = 20000;
	double began = seconds();

	for (int i = 0; i < count; i++)
		api_exchange_free(api_exchange_new(&head, NULL));
	printf("decode a call's beginning and end %8.2f us\n", (seconds() - began) * 1e6 / count);
}

/* With a number that one alone, and how often, for profiles. */
int main(int argc, char *argv[])
{
	static const char *const names[] = {"openai", "anthropic", "gemini", "all three"};

	if (argc > 1) {
		rounds = argc > 2 ? atoi(argv[2]) : 100;
		measure(names[atoi(argv[1]) % 4], atoi(argv[1]) % 4, atoi(argv[1]) / 4);
		return 0;
	}
	for (int http2 = 0; http2 < 2; http2++)
		for (int api = 0; api <= TRAFFIC_APIS; api++)
			measure(names[api], api, http2);
	measure_new();
	return 0;
}
