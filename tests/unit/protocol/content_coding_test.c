/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/content_coding.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "gnomon/limits.h"
#include "unit/protocol/coded.h"
#include "util/cleanup.h"

struct sink {
	char text[16384];
	size_t len;
	uint64_t total;
};

static void collect(void *ctx, struct span bytes)
{
	struct sink *sink = ctx;

	assert_true(bytes.len > 0 && sink->len + bytes.len < sizeof(sink->text));
	memcpy(sink->text + sink->len, bytes.at, bytes.len);
	sink->len += bytes.len;
	sink->text[sink->len] = '\0';
}

static void count(void *ctx, struct span bytes)
{
	struct sink *sink = ctx;

	assert_true(bytes.len > 0 && bytes.len <= CODING_WINDOW_BYTES);
	sink->total += bytes.len;
}

/* From a copy of its own size, so that a read past it shows. */
static int feed_copy(struct content_coding *coding, const char *at, size_t len)
{
	_cleanup_free_ char *copy = malloc(len ? len : 1);

	memcpy(copy, at, len);
	return content_coding_feed(coding, span_of(copy, len));
}

/* The first `cut` bytes, then pieces of `step`; the first fault. Nothing may be left of the budget. */
static int run(const char *name, const char *at, size_t len, size_t cut, size_t step,
	       struct sink *sink)
{
	struct budget budget = {.max = CODINGS_MEMORY_MAX};
	struct content_coding *coding;
	int r;

	sink->len = 0;
	sink->text[0] = '\0';
	if (*name)
		r = content_coding_new(&coding, span_str(name), &budget, collect, sink);
	else
		r = content_coding_new_raw(&coding, &budget, collect, sink);
	assert_int_equal(r, 0);
	assert_non_null(coding);
	r = feed_copy(coding, at, cut);
	for (size_t i = cut; i < len; i += step) {
		int again = feed_copy(coding, at + i, step < len - i ? step : len - i);

		assert_true(!r || r == again);
		r = again;
	}
	content_coding_free(coding);
	assert_int_equal(budget.used, 0);
	return r;
}

static const char *const names[] = {"gzip", "deflate", "br", "zstd", ""};

static struct coded coded_as(const char *name)
{
	return *name ? coded_by(name) : coded_by_zlib(-15);
}

static void test_every_cut(void **state)
{
	_cleanup_free_ char *plain = coded_plain();
	struct sink sink;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct coded coded = coded_as(names[i]);

		for (size_t cut = 0; cut <= coded.len; cut++) {
			assert_int_equal(run(names[i], coded.at, coded.len, cut, 65536, &sink), 0);
			assert_string_equal(sink.text, plain);
		}
		for (size_t step = 1; step < 80; step++) {
			assert_int_equal(run(names[i], coded.at, coded.len, 0, step, &sink), 0);
			assert_string_equal(sink.text, plain);
		}
		free(coded.at);
	}
}

/* What was flushed is told at once: an event must not wait for the next. */
static void test_flushes(void **state)
{
	struct sink sink;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct coded coded = coded_as(names[i]);
		size_t expected = 0;

		for (size_t event = 0; event < CODED_EVENTS; event++) {
			expected += strlen(coded_events[event]);
			assert_int_equal(run(names[i], coded.at, coded.flushes[event], 0, 7, &sink),
					 0);
			assert_int_equal(sink.len, expected);
		}
		free(coded.at);
	}
}

static void test_truncated(void **state)
{
	_cleanup_free_ char *plain = coded_plain();
	struct sink sink;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct coded coded = coded_as(names[i]);

		for (size_t len = 0; len < coded.len; len++) {
			assert_int_equal(run(names[i], coded.at, len, 0, 65536, &sink), 0);
			assert_memory_equal(sink.text, plain, sink.len);
		}
		free(coded.at);
	}
}

/* Each byte damaged in turn: the same fault and the same bytes before it, however cut. */
static void test_damaged(void **state)
{
	static struct sink whole, bytewise, cut;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct coded coded = coded_as(names[i]);
		unsigned int faults = 0;

		for (size_t at = 0; at < coded.len; at++) {
			int r;

			coded.at[at] ^= 0x55;
			r = run(names[i], coded.at, coded.len, 0, 65536, &whole);
			assert_true(r == 0 || r == -EBADMSG || r == -ENOMEM);
			assert_int_equal(run(names[i], coded.at, coded.len, 0, 1, &bytewise), r);
			assert_int_equal(run(names[i], coded.at, coded.len, at, 3, &cut), r);
			assert_int_equal(whole.len, bytewise.len);
			assert_memory_equal(whole.text, bytewise.text, whole.len);
			assert_int_equal(whole.len, cut.len);
			assert_memory_equal(whole.text, cut.text, whole.len);
			faults += r != 0;
			coded.at[at] ^= 0x55;
		}
		/* all but raw deflate and brotli have checks of their own */
		assert_true(faults > coded.len / 4);
		free(coded.at);
	}
}

static void test_headers(void **state)
{
	static const char *const none[] = {"", " ", "identity", ",identity ,, Identity"};
	static const char *const good[] = {"GZIP", "x-gzip", " gzip\t", ",gzip,", "identity, br"};
	static const char *const bad[] = {"compress",      "gzip, br", "gzip,gzip",
					  "gzi",           "gzipp",    "gzip;q=1",
					  "dcz, identity", "\x80",     "deflate-raw"};
	struct content_coding *coding;
	struct sink sink;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		assert_int_equal(
			content_coding_new(&coding, span_str(none[i]), NULL, collect, &sink), 0);
		assert_null(coding);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(
			content_coding_new(&coding, span_str(good[i]), NULL, collect, &sink), 0);
		assert_non_null(coding);
		content_coding_free(coding);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(
			content_coding_new(&coding, span_str(bad[i]), NULL, collect, &sink),
			-ENOTSUP);
		assert_null(coding);
	}
	assert_int_equal(content_coding_new(&coding, span_of("gz\0ip", 5), NULL, collect, &sink),
			 -ENOTSUP);
	content_coding_free(NULL);
}

/* Servers that say "deflate" send RFC 1950 or the bare RFC 1951. */
static void test_raw_deflate(void **state)
{
	_cleanup_free_ char *plain = coded_plain();
	struct coded coded = coded_by_zlib(-15);
	struct sink sink;

	(void)state;
	for (size_t step = 1; step < 40; step++) {
		assert_int_equal(run("deflate", coded.at, coded.len, 0, step, &sink), 0);
		assert_string_equal(sink.text, plain);
	}
	free(coded.at);
}

static void test_members_and_tail(void **state)
{
	_cleanup_free_ char *plain = coded_plain();
	static const char *const tails[] = {"\r\n", "\0\0\0\0", "x"};
	struct sink sink;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct coded coded = coded_by(names[i]);
		bool many = strcmp(names[i], "gzip") == 0 || strcmp(names[i], "zstd") == 0;

		memcpy(coded.at + coded.len, coded.at, coded.len);
		for (size_t step = 1; step < 600; step += step < 20 ? 1 : 100) {
			assert_int_equal(run(names[i], coded.at, 2 * coded.len, 0, step, &sink), 0);
			assert_int_equal(sink.len, strlen(plain) * (many ? 2 : 1));
		}
		for (size_t tail = 0; tail < ARRAY_SIZE(tails); tail++) {
			size_t len = tail == 1 ? 4 : strlen(tails[tail]);

			memcpy(coded.at + coded.len, tails[tail], len);
			for (size_t step = 1; step < 600; step += step < 20 ? 1 : 100) {
				assert_int_equal(
					run(names[i], coded.at, coded.len + len, 0, step, &sink),
					0);
				assert_string_equal(sink.text, plain);
			}
		}
		free(coded.at);
	}
}

/* Text under a label that a middlebox forgot to take off. */
static void test_lying_labels(void **state)
{
	static const char *const texts[] = {
		"{\"model\":\"m\"}", "{ \"a\": 1 }",  "{\n}",         "{}",
		"[{\"a\":1}]",       "[{\n\"a\":1}]", "data: {}\n\n", "event: ping\ndata: {}\n\n",
		"id: 1\n",           "retry: 3\n",
	};
	struct sink sink;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
			for (size_t step = 1; step < 20; step++) {
				assert_int_equal(
					run(names[i], texts[t], strlen(texts[t]), 0, step, &sink),
					0);
				assert_string_equal(sink.text, texts[t]);
			}
		}
	}
	/* no text that is known, and no coding */
	assert_int_equal(run("br", "\xff\xff\xff\xff\xff\xff\xff", 7, 0, 1, &sink), -EBADMSG);
	assert_int_equal(sink.len, 0);
}

/* What a deflater makes of `len` zeros, or of bytes that do not shrink. */
static char *deflated(size_t len, bool zeros, size_t *made)
{
	char *out = malloc(len + len / 100 + 1000), piece[16384];
	uint32_t random = 1;
	z_stream z = {0};

	deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
	z.next_out = (unsigned char *)out;
	z.avail_out = (unsigned int)(len + len / 100 + 1000);
	while (z.total_in < len) {
		for (size_t i = 0; i < sizeof(piece); i++)
			piece[i] = zeros ? 0 : (char)((random = random * 1103515245 + 12345) >> 16);
		z.next_in = (unsigned char *)piece;
		z.avail_in = sizeof(piece);
		deflate(&z, Z_NO_FLUSH);
	}
	deflate(&z, Z_FINISH);
	*made = z.total_out;
	deflateEnd(&z);
	return out;
}

static void bomb(const char *name, const char *at, size_t len)
{
	struct budget budget = {.max = CODINGS_MEMORY_MAX};
	struct content_coding *coding;
	struct sink sink = {.total = 0};

	assert_int_equal(content_coding_new(&coding, span_str(name), &budget, count, &sink), 0);
	assert_int_equal(feed_copy(coding, at, len), -EFBIG);
	assert_int_equal(feed_copy(coding, "more", 4), -EFBIG);
	assert_true(sink.total <= CODING_FREE_BYTES + len * CODING_RATIO_MAX + CODING_RATIO_MAX);
	assert_true(budget.used <= CODING_MEMORY_MAX);
	content_coding_free(coding);
	assert_int_equal(budget.used, 0);
}

static void test_bombs(void **state)
{
	size_t len, cap = ZSTD_compressBound(64 << 20);
	char *zeros = calloc(1, 64 << 20), *packed = malloc(cap), *gzip;

	(void)state;
	bomb("br", (const char *)brotli_bomb, sizeof(brotli_bomb));
	gzip = deflated(64 << 20, true, &len);
	bomb("gzip", gzip, len);
	free(gzip);
	len = ZSTD_compress(packed, cap, zeros, 64 << 20, 1);
	assert_false(ZSTD_isError(len));
	/* one frame of a known size wants that much of a window */
	{
		struct content_coding *coding;
		struct sink sink = {.total = 0};

		assert_int_equal(
			content_coding_new(&coding, SPAN_LITERAL("zstd"), NULL, count, &sink), 0);
		assert_true(feed_copy(coding, packed, len) < 0);
		assert_true(sink.total <= CODING_FREE_BYTES + len * CODING_RATIO_MAX * 2);
		content_coding_free(coding);
	}
	free(zeros);
	free(packed);
}

/* What is large without being a bomb passes. */
static void test_large(void **state)
{
	struct content_coding *coding;
	struct sink sink = {.total = 0};
	size_t len;
	char *gzip = deflated(20 << 20, false, &len);

	(void)state;
	assert_int_equal(content_coding_new(&coding, SPAN_LITERAL("gzip"), NULL, count, &sink), 0);
	assert_int_equal(content_coding_feed(coding, span_of(gzip, len)), 0);
	assert_int_equal(sink.total, 20 << 20);
	content_coding_free(coding);
	free(gzip);
}

static void test_windows(void **state)
{
	static char text[65536], packed[131072];
	struct sink sink = {.total = 0};

	(void)state;
	for (int log = 20; log <= 27; log++) {
		ZSTD_CCtx *z = ZSTD_createCCtx();
		ZSTD_outBuffer out = {packed, sizeof(packed), 0};
		struct content_coding *coding;
		int r;

		ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, log);
		ZSTD_compressStream2(z, &out, &(ZSTD_inBuffer){text, sizeof(text), 0},
				     ZSTD_e_flush);
		ZSTD_compressStream2(z, &out, &(ZSTD_inBuffer){NULL, 0, 0}, ZSTD_e_end);
		assert_int_equal(
			content_coding_new(&coding, SPAN_LITERAL("zstd"), NULL, count, &sink), 0);
		r = feed_copy(coding, packed, out.pos);
		assert_int_equal(r, log <= CODING_ZSTD_WINDOW_LOG ? 0 : -ENOMEM);
		content_coding_free(coding);
		ZSTD_freeCCtx(z);
	}
}

/* A budget that others have used up. */
static void test_budget(void **state)
{
	struct sink sink;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct coded coded = coded_as(names[i]);
		unsigned int refused = 0, done = 0;

		for (size_t max = 0; max < 4 << 20; max += 65536) {
			struct budget budget = {.max = max};
			struct content_coding *coding;
			int r;

			sink.len = 0;
			if (*names[i])
				r = content_coding_new(&coding, span_str(names[i]), &budget,
						       collect, &sink);
			else
				r = content_coding_new_raw(&coding, &budget, collect, &sink);
			assert_int_equal(r, 0);
			r = feed_copy(coding, coded.at, coded.len);
			assert_true(r == 0 || r == -ENOMEM);
			refused += r < 0;
			done += r == 0;
			assert_true(budget.used <= budget.max);
			content_coding_free(coding);
			assert_int_equal(budget.used, 0);
		}
		assert_true(refused && done);
		free(coded.at);
	}
}

/* permessage-deflate without context takeover: each message stands for itself. */
static void test_restart(void **state)
{
	struct coded coded = coded_by_zlib(-15);
	_cleanup_free_ char *plain = coded_plain();
	struct content_coding *coding;
	struct sink sink = {.len = 0};

	(void)state;
	assert_int_equal(content_coding_new_raw(&coding, NULL, collect, &sink), 0);
	content_coding_restart(coding);
	for (int i = 0; i < 3; i++) {
		/* the last event is left out: not even a final block is there */
		assert_int_equal(feed_copy(coding, coded.at, coded.flushes[2]), 0);
		assert_int_equal(sink.len, (size_t)(i + 1) * (strlen(plain) - 14));
		content_coding_restart(coding);
	}
	content_coding_free(coding);
	free(coded.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_flushes),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_raw_deflate),
		cmocka_unit_test(test_members_and_tail),
		cmocka_unit_test(test_lying_labels),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
