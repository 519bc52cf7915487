/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/halves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* clang-format off: cmocka.h needs those above */
#include <cmocka.h>
/* clang-format on */

#include "gnomon/limits.h"

struct dropped {
	unsigned int count;
	struct stream_id last;
};

static void note_dropped(void *ctx, const struct stream_id *half)
{
	struct dropped *dropped = ctx;

	dropped->count++;
	dropped->last = *half;
}

static struct stream_id half_of(uint32_t pid, uint64_t handle)
{
	return (struct stream_id){.pid = pid, .handle = handle, .generation = 1};
}

static void hold(struct halves *h, struct stream_id id, uint64_t offset, const char *bytes,
		 size_t len, uint64_t omitted)
{
	/* a copy of the exact size, which ends here: what is held must not be the caller's */
	char *own = malloc(len ? len : 1);
	struct observed_segment segment = {.stream = id, .offset = offset, .omitted = omitted};

	assert_non_null(own);
	memcpy(own, bytes, len);
	segment.bytes = span_of(own, len);
	halves_hold(h, &segment);
	free(own);
}

static void joined(struct halves *h, struct stream_id id, uint64_t total, const char *bytes,
		   size_t len)
{
	struct observed_segment segment = {.omitted = total};

	halves_join(h, &id, &segment);
	assert_int_equal(segment.bytes.len, len);
	assert_memory_equal(segment.bytes.at, bytes, len);
	assert_int_equal(segment.omitted, total - len);
}

static void in_order(void **state)
{
	struct dropped dropped = {0};
	struct halves *h = halves_new(note_dropped, &dropped);
	struct stream_id a = half_of(7, 1), b = half_of(7, 2), other = half_of(8, 1);

	(void)state;
	assert_non_null(h);
	hold(h, a, 0, "POST ", 5, 0);
	hold(h, b, 0, "GET ", 4, 0);
	hold(h, other, 0, "x", 1, 0);
	hold(h, a, 5, "/v1", 3, 0);
	joined(h, a, 8, "POST /v1", 8);
	joined(h, b, 4, "GET ", 4);
	/* it has ended */
	joined(h, a, 8, "", 0);
	joined(h, other, 1, "x", 1);
	assert_int_equal(dropped.count, 0);
	halves_free(h);
}

/* One byte at a time is the same as all at once. */
static void bytewise(void **state)
{
	static const char text[] = "POST /v1/messages HTTP/1.1\r\n";
	struct halves *h = halves_new(note_dropped, &(struct dropped){0});

	(void)state;
	assert_non_null(h);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		hold(h, half_of(1, 1), i, text + i, 1, 0);
	joined(h, half_of(1, 1), sizeof(text) - 1, text, sizeof(text) - 1);
	halves_free(h);
}

/* What comes behind missing bytes is told as missing too: its place would be wrong. */
static void gaps(void **state)
{
	struct halves *h = halves_new(note_dropped, &(struct dropped){0});

	(void)state;
	assert_non_null(h);
	hold(h, half_of(1, 1), 0, "ab", 2, 0);
	hold(h, half_of(1, 1), 4, "ef", 2, 0);
	hold(h, half_of(1, 1), 6, "gh", 2, 0);
	joined(h, half_of(1, 1), 8, "ab", 2);
	hold(h, half_of(1, 2), 0, "ab", 2, 3);
	hold(h, half_of(1, 2), 5, "fg", 2, 0);
	joined(h, half_of(1, 2), 7, "ab", 2);
	/* its start was lost */
	hold(h, half_of(1, 3), 2, "cd", 2, 0);
	joined(h, half_of(1, 3), 4, "", 0);
	/* a count below what is held is no count */
	hold(h, half_of(1, 4), 0, "abc", 3, 0);
	joined(h, half_of(1, 4), 2, "", 0);
	halves_free(h);
}

static void bounded(void **state)
{
	struct dropped dropped = {0};
	struct halves *h = halves_new(note_dropped, &dropped);
	size_t len = HALF_STREAM_BYTES_MAX;
	char *bytes = malloc(len + 1);

	(void)state;
	assert_non_null(h);
	assert_non_null(bytes);
	memset(bytes, 'x', len + 1);
	hold(h, half_of(1, 1), 0, bytes, len - 1, 0);
	hold(h, half_of(1, 1), len - 1, bytes, 2, 0);
	hold(h, half_of(1, 1), len + 1, bytes, 5, 0);
	joined(h, half_of(1, 1), len + 6, bytes, len);
	free(bytes);

	for (unsigned int i = 0; i < HALF_STREAMS_MAX; i++)
		hold(h, half_of(1, 100 + i), 0, "a", 1, 0);
	assert_int_equal(dropped.count, 0);
	hold(h, half_of(1, 100), 1, "b", 1, 0);
	/* the one that was silent longest is not the first any more */
	hold(h, half_of(1, 99), 0, "c", 1, 0);
	assert_int_equal(dropped.count, 1);
	assert_int_equal(dropped.last.handle, 101);
	joined(h, half_of(1, 100), 2, "ab", 2);
	joined(h, half_of(1, 101), 1, "", 0);
	halves_free(h);
}

static void process_ends(void **state)
{
	struct dropped dropped = {0};
	struct halves *h = halves_new(note_dropped, &dropped);

	(void)state;
	assert_non_null(h);
	hold(h, half_of(1, 1), 0, "a", 1, 0);
	hold(h, half_of(2, 1), 0, "b", 1, 0);
	hold(h, half_of(1, 2), 0, "c", 1, 0);
	halves_exit(h, 1);
	assert_int_equal(dropped.count, 2);
	joined(h, half_of(1, 1), 1, "", 0);
	joined(h, half_of(2, 1), 1, "b", 1);
	halves_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order), cmocka_unit_test(bytewise),     cmocka_unit_test(gaps),
		cmocka_unit_test(bounded),  cmocka_unit_test(process_ends),
	};

	return cmocka_run_group_tests_name("halves", tests, NULL, NULL);
}
