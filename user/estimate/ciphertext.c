/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "estimate/ciphertext.h"

#include "util/cleanup.h"

#define NS_PER_MS 1000000ULL
#define NS_PER_S  1e9
/* A packet after a pause is one by itself. */
#define PAUSE_MS 2
/* Smaller than what a full segment carries: those of a long body come filled. */
#define SMALL_BYTES 1200
/* So many of them, and not much more than them, is a stream. */
#define SPACED_MIN 10
/* What a server's part of a handshake takes: resumed, and with a long chain and tickets. */
#define HANDSHAKE_LOW  200
#define HANDSHAKE_HIGH 9000
/* A whole answer in JSON has at least so many bytes for a token: words of English have four, other scripts
 * three, and compressed text two. */
#define PLAIN_BYTES_PER_TOKEN 2

/*
 * Bytes on the wire for a token of a stream, with TLS's and HTTP/2's own. `least`: compressed; `most`: in single tokens,
 * with all the padding that the service adds. From recorded streams, by whose figures the README goes; by a half
 * wider. `hidden`: tokens a second that its fastest models think without sending them.
 */
struct rate {
	struct span service;
	uint16_t least, most, hidden;
};
static const struct rate rates[] = {
	{SPAN_LITERAL("openai"), 10, 560, 400},
	{SPAN_LITERAL("azure-openai"), 10, 560, 400},
	{SPAN_LITERAL("deepseek"), 25, 480, 0},
	{SPAN_LITERAL("groq"), 25, 460, 1000},
	{SPAN_LITERAL("xai"), 8, 400, 400},
	{SPAN_LITERAL("anthropic"), 6, 160, 300},
	{SPAN_LITERAL("amazon-bedrock"), 6, 240, 400},
	{SPAN_LITERAL("google-gemini-api"), 4, 120, 600},
	{SPAN_LITERAL("perplexity"), 4, 120, 400},
};
static const struct rate any_rate = {.least = 4, .most = 560, .hidden = 3000};

void ciphertext_packet(struct ciphertext *seen, bool from_server, uint64_t time_ns,
		       uint32_t payload_bytes)
{
	uint64_t pause_ns = seen->last_ns ? time_ns - seen->last_ns : 0;

	if (from_server) {
		seen->bytes += payload_bytes;
		seen->active_ns += pause_ns;
		if (pause_ns >= PAUSE_MS * NS_PER_MS && payload_bytes < SMALL_BYTES)
			seen->spaced++;
	}
	seen->last_ns = time_ns;
}

void ciphertext_restart(struct ciphertext *seen)
{
	seen->bytes = 0;
	seen->spaced = 0;
	seen->active_ns = 0;
}

bool ciphertext_family(struct span family)
{
	static const struct span families[] = {
		SPAN_LITERAL("openai-chat"),  SPAN_LITERAL("openai-responses"),
		SPAN_LITERAL("azure-openai"), SPAN_LITERAL("anthropic-messages"),
		SPAN_LITERAL("gemini"),       SPAN_LITERAL("vertex"),
		SPAN_LITERAL("bedrock"),      SPAN_LITERAL("cohere"),
		SPAN_LITERAL("mistral"),      SPAN_LITERAL("ollama"),
		SPAN_LITERAL("connect-grpc"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (span_eq(family, families[i]))
			return true;
	return false;
}

/* Did the answers come word by word? */
static bool is_stream(const struct ciphertext *seen)
{
	return seen->spaced >= SPACED_MIN && seen->bytes / seen->spaced < 2 * SMALL_BYTES;
}

static const struct rate *rate_of(struct span service)
{
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		if (span_eq(service, rates[i].service))
			return &rates[i];
	return &any_rate;
}

bool ciphertext_estimate(const struct ciphertext *seen, struct span service,
			 const struct ciphertext_totals *totals, struct ciphertext_range *range)
{
	uint64_t at_least = totals->handshake ? HANDSHAKE_HIGH : 0;
	uint64_t at_most = totals->handshake ? HANDSHAKE_LOW : 0;
	uint64_t active_ns = seen->bytes ? seen->active_ns : totals->time_ns;
	const struct rate *rate = rate_of(service);

	if (totals->received <= at_most)
		return false;
	/* what was thought takes time */
	range->high = (int64_t)((double)active_ns / NS_PER_S * rate->hidden);
	if (!is_stream(seen)) {
		/* lists of models and vectors are no tokens, and a short word is a whole answer */
		range->low = 0;
		range->high += (int64_t)((totals->received - at_most) / PLAIN_BYTES_PER_TOKEN);
		return true;
	}
	range->low = totals->received > at_least
			     ? (int64_t)((totals->received - at_least) / rate->most)
			     : 0;
	range->high += (int64_t)((totals->received - at_most) / rate->least);
	return true;
}
