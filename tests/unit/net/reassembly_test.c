/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "net/reassembly.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "gnomon/limits.h"

/* What came out: bytes as they are, gaps as <N>. */
struct heard {
	char text[256];
	uint64_t bytes, gaps;
	struct reassembly *stop_at_first; /* stopped by the first callback, unless NULL */
};

static void note(struct heard *h, const char *text, size_t len)
{
	size_t used = strlen(h->text);

	if (len < sizeof(h->text) - used)
		memcpy(h->text + used, text, len);
	if (h->stop_at_first)
		reassembly_stop(h->stop_at_first);
}

static void on_bytes(void *ctx, struct span bytes)
{
	struct heard *h = ctx;

	assert_true(bytes.len > 0);
	h->bytes += bytes.len;
	note(h, bytes.at, bytes.len);
}

static void on_gap(void *ctx, uint64_t bytes)
{
	struct heard *h = ctx;
	char text[32];

	assert_true(bytes > 0);
	h->gaps += bytes;
	note(h, text, (size_t)snprintf(text, sizeof(text), "<%llu>", (unsigned long long)bytes));
}

static void push(struct reassembly *r, struct heard *h, uint32_t sequence, const char *text,
		 uint32_t more_on_wire)
{
	const struct reassembly_sink sink = {on_bytes, on_gap, h};
	struct span payload = span_str(text);

	reassembly_push(r, sequence, payload, (uint32_t)payload.len + more_on_wire, &sink);
}

static void in_order_from_the_syn(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {0};

	(void)state;
	reassembly_start(r, 999);
	push(r, &h, 1000, "abc", 0);
	push(r, &h, 1003, "def", 0);
	push(r, &h, 1006, "", 0);
	assert_string_equal(h.text, "abcdef");
	assert_int_equal(reassembly_bytes(r), 6);
	reassembly_free(r);
	reassembly_free(NULL);
}

static void out_of_order_waits_for_the_start(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {0};

	(void)state;
	reassembly_start(r, 999);
	push(r, &h, 1006, "ghi", 0);
	push(r, &h, 1003, "def", 0);
	assert_string_equal(h.text, "");
	assert_int_equal(reassembly_bytes(r), 6);
	push(r, &h, 1000, "abc", 0);
	assert_string_equal(h.text, "abcdefghi");
	assert_int_equal(reassembly_bytes(r), 9);
	reassembly_free(r);
}

static void joins_midway(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {0};

	(void)state;
	push(r, &h, 50, "", 0); /* a bare acknowledgement tells nothing */
	push(r, &h, 1000, "abc", 0);
	push(r, &h, 990, "from before", 0);
	push(r, &h, 1003, "def", 0);
	reassembly_start(r, 5); /* too late to matter */
	push(r, &h, 1006, "ghi", 0);
	assert_string_equal(h.text, "abcdefghi");
	assert_int_equal(reassembly_bytes(r), 9);
	reassembly_free(r);
}

static void first_copy_wins(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {0};

	(void)state;
	reassembly_start(r, 999);
	push(r, &h, 1000, "abcd", 0);
	push(r, &h, 1000, "ABCD", 0);
	push(r, &h, 1002, "CDef", 0); /* overlaps what was told */
	push(r, &h, 1008, "ij", 0);
	push(r, &h, 1006, "ghIJkl", 0); /* overlaps what is held, on both sides */
	assert_string_equal(h.text, "abcdefghijkl");
	push(r, &h, 1020, "uv", 0);
	push(r, &h, 1024, "yz", 0);
	push(r, &h, 1018, "stUVwxYZ", 0); /* all held: fills around both */
	push(r, &h, 1011, "LmnopqrSTUVWXYZ!", 0);
	assert_string_equal(h.text, "abcdefghijklmnopqrstuvwxyz!");
	assert_int_equal(reassembly_bytes(r), 27);
	reassembly_free(r);
}

static void sequence_numbers_wrap(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {0};

	(void)state;
	reassembly_start(r, 0xfffffffbu);
	push(r, &h, 2, "ghi", 0);
	push(r, &h, 0xfffffffcu, "abcdef", 0);
	push(r, &h, 0xfffffffeu, "CDEFGHIjkl", 0);
	assert_string_equal(h.text, "abcdefghijkl");
	assert_int_equal(reassembly_bytes(r), 12);
	reassembly_free(r);
}

static void counts_beyond_32_bits(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {0};
	uint32_t sequence = 1000;

	(void)state;
	reassembly_start(r, 999);
	for (int i = 0; i < 10; i++, sequence += 1000000000u)
		push(r, &h, sequence, "x", 999999999u);
	push(r, &h, sequence - 500, "old", 0);
	assert_true(reassembly_bytes(r) == 10000000000ull);
	assert_true(h.gaps == 9999999990ull);
	assert_true(h.bytes == 10);
	reassembly_free(r);
}

static void cut_payload_is_a_gap_in_its_turn(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {0};

	(void)state;
	reassembly_start(r, 999);
	push(r, &h, 1010, "klm", 7);
	push(r, &h, 1020, "uv", 0);
	assert_string_equal(h.text, "");
	push(r, &h, 1000, "ab", 8);
	assert_string_equal(h.text, "ab<8>klm<7>uv");
	push(r, &h, 1022, "", 5); /* nothing captured at all */
	push(r, &h, 1027, "!", 0);
	assert_string_equal(h.text, "ab<8>klm<7>uv<5>!");
	assert_int_equal(reassembly_bytes(r), 28);
	reassembly_free(r);
}

static void too_many_segments_give_up_the_hole(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {0};
	uint32_t last = 1000;

	(void)state;
	reassembly_start(r, 999);
	for (int i = 0; i < REASSEMBLY_SEGMENTS_MAX; i++) {
		last += 10;
		push(r, &h, last, "x", 0);
	}
	assert_string_equal(h.text, "");
	push(r, &h, last + 10, "y", 0);
	assert_string_equal(h.text, "<10>x");
	push(r, &h, 1000, "late", 0); /* what was given up does not come back */
	assert_string_equal(h.text, "<10>x");
	assert_int_equal(reassembly_bytes(r), REASSEMBLY_SEGMENTS_MAX + 1);
	reassembly_free(r);
}

static void too_many_bytes_give_up_the_hole(void **state)
{
	static char big[REASSEMBLY_BYTES_MAX + 2];
	struct reassembly *r = reassembly_new();
	struct heard h = {0};

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	reassembly_start(r, 999);
	push(r, &h, 1001, "b", 0);
	push(r, &h, 2000, big + 2, 0); /* fits beside the one byte exactly */
	assert_int_equal(h.bytes, 0);
	push(r, &h, 1500, "c", 0);
	assert_memory_equal(h.text, "<1>b", 5);
	assert_int_equal(h.bytes, 1);
	push(r, &h, 1501, big, 0); /* reaches over what is held, and not to its end */
	assert_int_equal(h.gaps, 1 + 498);
	assert_int_equal(h.bytes, 1 + 1 + (2000 - 1501) + REASSEMBLY_BYTES_MAX - 1);
	push(r, &h, 100000, big, 0); /* alone more than may be held: told at once */
	assert_int_equal(h.gaps, 1 + 498 + 100000 - (2000 + REASSEMBLY_BYTES_MAX - 1));
	assert_int_equal(reassembly_bytes(r), h.bytes);
	reassembly_free(r);
}

static void what_was_left_out_is_a_gap_at_once(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {0};
	const struct reassembly_sink sink = {on_bytes, on_gap, &h};

	(void)state;
	reassembly_skip(r, 100, &sink); /* the start */
	push(r, &h, 100, "ab", 0);
	push(r, &h, 106, "gh", 0); /* held */
	reassembly_skip(r, 110, &sink);
	push(r, &h, 110, "kl", 0);
	reassembly_skip(r, 105, &sink); /* nothing is missing there any more */
	push(r, &h, 112, "mn", 0);
	assert_string_equal(h.text, "ab<4>gh<2>klmn");
	reassembly_free(r);
}

static void stopped_only_counts(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {0};

	(void)state;
	reassembly_start(r, 999);
	push(r, &h, 1000, "abc", 0);
	push(r, &h, 1010, "held", 0);
	reassembly_stop(r);
	push(r, &h, 1003, "defghij", 0);
	push(r, &h, 1010, "HELD", 0);
	push(r, &h, 1014, "k", 9);
	assert_string_equal(h.text, "abc");
	assert_int_equal(reassembly_bytes(r), 24);
	/* out of order, in pieces that touch: one range */
	for (uint32_t i = 0; i < 1000; i++)
		push(r, &h, 3000 - i, "x", 0);
	push(r, &h, 2001, "again", 995);
	assert_int_equal(reassembly_bytes(r), 24 + 1000);
	push(r, &h, 1024, "", 3000 - 1023);
	assert_int_equal(reassembly_bytes(r), 24 + (3000 - 1023));
	reassembly_free(r);
}

static void a_callback_may_stop(void **state)
{
	struct reassembly *r = reassembly_new();
	struct heard h = {.stop_at_first = r};

	(void)state;
	reassembly_start(r, 999);
	push(r, &h, 1003, "def", 2);
	push(r, &h, 1010, "x", 0);
	push(r, &h, 1000, "abc", 0);
	push(r, &h, 1008, "yz", 0);
	assert_string_equal(h.text, "abc");
	assert_int_equal(reassembly_bytes(r), 11);
	reassembly_free(r);
}

static void byte_at_a_time_backwards(void **state)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog, twice a day.";
	struct reassembly *r = reassembly_new();
	struct heard h = {0};

	(void)state;
	assert_true(sizeof(text) - 1 <= REASSEMBLY_SEGMENTS_MAX);
	reassembly_start(r, 999);
	for (size_t i = sizeof(text) - 1; i-- > 0;) {
		char one[2] = {text[i]};

		push(r, &h, 1000 + (uint32_t)i, one, 0);
	}
	assert_string_equal(h.text, text);
	reassembly_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_from_the_syn),
		cmocka_unit_test(out_of_order_waits_for_the_start),
		cmocka_unit_test(joins_midway),
		cmocka_unit_test(first_copy_wins),
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(counts_beyond_32_bits),
		cmocka_unit_test(cut_payload_is_a_gap_in_its_turn),
		cmocka_unit_test(too_many_segments_give_up_the_hole),
		cmocka_unit_test(too_many_bytes_give_up_the_hole),
		cmocka_unit_test(what_was_left_out_is_a_gap_at_once),
		cmocka_unit_test(stopped_only_counts),
		cmocka_unit_test(a_callback_may_stop),
		cmocka_unit_test(byte_at_a_time_backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
