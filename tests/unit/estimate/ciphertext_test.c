/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Simulated streams, by the figures of recorded ones: so many tokens in so many events of so many bytes each, in
 * records of TLS and frames of HTTP/2, one event or several to a packet, plain or compressed. The true count lies
 * within the range.
 */
#include "estimate/ciphertext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/cleanup.h"

#define NS_PER_MS 1000000ULL
/* Of a record (header, type, tag) and a frame. */
#define RECORD_BYTES 22
#define FRAME_BYTES  9
#define MTU_PAYLOAD  1448
#define HANDSHAKE    4200

/* Recorded: events, tokens of output in all of them, bytes of an event with its wrapper. */
static const struct {
	const char *service;
	unsigned int events, tokens, event_bytes, hidden;
} recorded[] = {
	{"openai", 303, 300, 332},
	{"deepseek", 402, 400, 292},
	{"groq", 663, 662, 276},
	{"unknown-vendor", 290, 282, 198}, /* LM Studio's responses */
	{"xai", 698, 863, 209},
	{"alibaba", 174, 779, 282},
	{"anthropic", 984, 2479, 113},
	{"amazon-bedrock", 16, 55, 182},
	{"google-gemini-api", 76, 1710, 427},
	{"perplexity", 8, 434, 705},
	{"openai", 185, 4416, 430, 3712},
};

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

struct stream {
	struct ciphertext seen;
	uint64_t now_ns, received;
};

/* Bytes that are sent at once, in full packets and a last one. */
static void burst(struct stream *s, uint64_t bytes)
{
	s->received += bytes;
	while (bytes) {
		uint32_t part = bytes < MTU_PAYLOAD ? (uint32_t)bytes : MTU_PAYLOAD;

		ciphertext_packet(&s->seen, true, s->now_ns, part);
		s->now_ns += 20000;
		bytes -= part;
	}
}

static void begin(struct stream *s)
{
	*s = (struct stream){.now_ns = 1000 * NS_PER_MS};
	burst(s, HANDSHAKE);
	s->now_ns += 400 * NS_PER_MS;
	burst(s, 600); /* heads and settings */
	ciphertext_packet(&s->seen, false, s->now_ns, 900);
}

static bool estimate(const struct ciphertext *seen, const char *service, uint64_t received,
		     bool handshake, struct ciphertext_range *range)
{
	const struct ciphertext_totals totals = {
		.received = received, .time_ns = 10000 * NS_PER_MS, .handshake = handshake};

	return ciphertext_estimate(seen, span_str(service), &totals, range);
}

static void check(const struct stream *s, const char *service, unsigned int tokens,
		  const char *what)
{
	struct ciphertext_range range;

	assert_true(estimate(&s->seen, service, s->received, true, &range));
	assert_true(range.low >= 0);
	if (range.low > tokens || range.high < tokens)
		fail_msg("%s, %s: %u tokens are not within %ld to %ld", service, what, tokens,
			 (long)range.low, (long)range.high);
}

/* `shrink`: what compression leaves of an event, in percent; `together`: events to a packet. */
static void simulate(size_t row, unsigned int shrink, unsigned int together, const char *what)
{
	uint32_t seed = 11 + (uint32_t)row;
	struct stream s;
	uint64_t held = 0;

	begin(&s);
	/* what is thought unseen takes its time, 150 tokens a second */
	s.now_ns += recorded[row].hidden * 1000ULL / 150 * NS_PER_MS;
	for (unsigned int i = 0; i < recorded[row].events; i++) {
		uint64_t body = recorded[row].event_bytes * shrink / 100;

		/* an event is as likely half as half again as long as the mean */
		body = body / 2 + next(&seed) % (body + 1);
		held += body + RECORD_BYTES + FRAME_BYTES;
		if (i % together != together - 1)
			continue;
		s.now_ns += (5 + next(&seed) % 40) * NS_PER_MS;
		burst(&s, held);
		held = 0;
	}
	burst(&s, held);
	check(&s, recorded[row].service, recorded[row].tokens, what);
}

static void test_streams(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recorded); i++) {
		simulate(i, 100, 1, "plain");
		simulate(i, 100, 3, "three to a packet");
		simulate(i, 25, 1, "compressed");
		simulate(i, 10, 1, "compressed well");
	}
}

/* Time in which the client was silent is none in which the model thought. */
static void test_idle(void **state)
{
	struct ciphertext_range range;
	struct stream s;

	(void)state;
	begin(&s);
	s.now_ns += 1000 * NS_PER_MS;
	burst(&s, 1000);
	s.now_ns += 600000 * NS_PER_MS;
	ciphertext_packet(&s.seen, false, s.now_ns, 900);
	s.now_ns += 1000 * NS_PER_MS;
	burst(&s, 1000);
	assert_true(estimate(&s.seen, "openai", s.received, true, &range));
	assert_in_range(range.high, 2 * 400, 3 * 400 + 8000);
}

/* An answer at once has an upper bound; it may as well be none of a model. */
static void test_whole_answer(void **state)
{
	struct stream s;
	struct ciphertext_range range;

	(void)state;
	begin(&s);
	s.now_ns += 3000 * NS_PER_MS;
	burst(&s, 400 * 4 + 600); /* 400 tokens of English and the JSON around them */
	check(&s, "openai", 400, "plain JSON");
	assert_true(estimate(&s.seen, "openai", s.received, true, &range));
	assert_int_equal(range.low, 0);
	begin(&s);
	burst(&s, 400 * 2 + 300);
	check(&s, "openai", 400, "compressed JSON");
}

/* Totals are all that the live source has of most connections. */
static void test_totals(void **state)
{
	const struct ciphertext nothing = {0};
	struct ciphertext_range range;

	(void)state;
	assert_true(estimate(&nothing, "groq", 100000, true, &range));
	assert_int_equal(range.low, 0);
	assert_int_equal(range.high, (100000 - 200) / 2 + 10 * 1000);
	assert_true(estimate(&nothing, "deepseek", 100000, true, &range));
	assert_int_equal(range.high, (100000 - 200) / 2);
	assert_false(estimate(&nothing, "groq", 0, true, &range));
	assert_false(estimate(&nothing, "groq", 200, true, &range));
	assert_false(estimate(&nothing, "groq", 0, false, &range));
	assert_true(estimate(&nothing, "groq", 200, false, &range));
}

/* More of the same gives no less, and each part's bounds add up to bounds of the whole. */
static void test_parts(void **state)
{
	struct ciphertext_range whole, part;
	struct stream s;
	int64_t low = 0, high = 0;

	(void)state;
	begin(&s);
	for (int i = 0; i < 400; i++) {
		s.now_ns += 20 * NS_PER_MS;
		burst(&s, 340);
	}
	assert_true(estimate(&s.seen, "openai", s.received, true, &whole));
	assert_true(whole.low > 100 && whole.low <= 400 && whole.high >= 400);
	begin(&s);
	for (int i = 0; i < 400; i++) {
		s.now_ns += 20 * NS_PER_MS;
		burst(&s, 340);
		if (i != 199)
			continue;
		assert_true(estimate(&s.seen, "openai", s.received, true, &part));
		low += part.low;
		high += part.high;
		ciphertext_restart(&s.seen);
		s.received = 0;
	}
	assert_true(estimate(&s.seen, "openai", s.received, false, &part));
	low += part.low;
	high += part.high;
	assert_true(low <= 400 && high >= 400);
}

static void test_families(void **state)
{
	(void)state;
	assert_true(ciphertext_family(SPAN_LITERAL("openai-chat")));
	assert_true(ciphertext_family(SPAN_LITERAL("bedrock")));
	/* pages bring pictures and programs, too */
	assert_false(ciphertext_family(SPAN_LITERAL("web-app")));
	assert_false(ciphertext_family(SPAN_LITERAL("openai-images")));
	assert_false(ciphertext_family(SPAN_LITERAL("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),  cmocka_unit_test(test_whole_answer),
		cmocka_unit_test(test_totals),   cmocka_unit_test(test_parts),
		cmocka_unit_test(test_families), cmocka_unit_test(test_idle),
	};

	return cmocka_run_group_tests_name("estimate/ciphertext", tests, NULL, NULL);
}
