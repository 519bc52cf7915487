/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facts of calls whose bodies are under a content coding. */
#include "api/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/api/conversation.h"
#include "unit/protocol/coded.h"
#include "util/cleanup.h"

static const char *const codings[] = {"gzip", "deflate", "br", "zstd"};

#define ASK                                                                                        \
	"POST /v1/chat/completions HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: "          \
	"52\r\n\r\n"                                                                               \
	"{\"model\":\"gpt-4o\",\"stream\":true,\"messages\":[{},{}]}  "
#define FACTS                                                                                      \
	"openai-chat req=gpt-4o res=gpt-4o-2024-08-06 stream=1 finish=stop error= reported in=9 "  \
	"out=17 read=-1 new=-1 reason=-1 shape=11"

struct bytes {
	char at[8192];
	size_t len;
};

static void append(struct bytes *to, const char *at, size_t len)
{
	assert_true(to->len + len <= sizeof(to->at));
	memcpy(to->at + to->len, at, len);
	to->len += len;
}

static void append_text(struct bytes *to, const char *text)
{
	append(to, text, strlen(text));
}

/* The response with one chunk for each event and one for the end of the coding. */
static void make_response(struct bytes *to, const char *coding)
{
	struct coded coded = coded_by(coding);
	char line[128];

	to->len = 0;
	snprintf(line, sizeof(line),
		 "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: %s\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n",
		 coding);
	append_text(to, line);
	for (size_t i = 0, at = 0; i <= CODED_EVENTS; i++) {
		size_t end = i < CODED_EVENTS ? coded.flushes[i] : coded.len;

		snprintf(line, sizeof(line), "%zx\r\n", end - at);
		append_text(to, line);
		append(to, coded.at + at, end - at);
		append_text(to, "\r\n");
		at = end;
	}
	append_text(to, "0\r\n\r\n");
	free(coded.at);
}

static void feed(struct conversation *c, enum stream_dir dir, const char *at, size_t len,
		 size_t step)
{
	for (size_t i = 0; i < len; i += step) {
		size_t n = step < len - i ? step : len - i;
		_cleanup_free_ char *copy = malloc(n);

		memcpy(copy, at + i, n);
		assert_int_equal(conversation_feed(c, dir, copy, n), 0);
	}
}

static void test_responses(void **state)
{
	static struct bytes in;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codings); i++) {
		make_response(&in, codings[i]);
		for (size_t step = 1; step < 2000; step += step < 30 ? 1 : 97) {
			_cleanup_free_ char *told = NULL;
			struct conversation c;

			conversation_begin(&c);
			feed(&c, DIR_OUT, ASK, strlen(ASK), step);
			feed(&c, DIR_IN, in.at, in.len, step);
			assert_int_equal(c.ended, 1);
			told = conversation_finish(&c);
			assert_string_equal(told, FACTS "\n");
		}
	}
}

/* The connection ends after each byte: what was flushed by then counts. */
static void test_cut(void **state)
{
	static struct bytes in;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codings); i++) {
		bool usage = false;

		make_response(&in, codings[i]);
		for (size_t len = 0; len < in.len; len++) {
			struct conversation c;
			bool seen;

			conversation_begin(&c);
			feed(&c, DIR_OUT, ASK, strlen(ASK), 65536);
			feed(&c, DIR_IN, in.at, len, 65536);
			free(conversation_finish(&c));
			seen = c.last.usage.source == USAGE_REPORTED;
			assert_true(!usage || seen);
			usage = seen;
			assert_true(!seen ||
				    (c.last.usage.input == 9 && c.last.usage.output == 17));
			assert_string_equal(c.last.request_model, "gpt-4o");
		}
		assert_true(usage);
	}
}

/* Each position lost: nothing is told that is not so, and what came before counts. */
static void test_gaps(void **state)
{
	static struct bytes in;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codings); i++) {
		make_response(&in, codings[i]);
		for (size_t at = 0; at < in.len; at++) {
			const struct llm_facts *f;
			struct conversation c;

			conversation_begin(&c);
			feed(&c, DIR_OUT, ASK, strlen(ASK), 65536);
			feed(&c, DIR_IN, in.at, at, 65536);
			http1_protocol.gap(c.http, DIR_IN, 1);
			feed(&c, DIR_IN, in.at + at + 1, in.len - at - 1, 65536);
			f = &c.last;
			free(conversation_finish(&c));
			assert_int_equal(c.ended, 1);
			/* the last byte ends no more than the chunks */
			assert_true(f->truncated);
			assert_true(!f->response_model[0] ||
				    strcmp(f->response_model, "gpt-4o-2024-08-06") == 0);
			/* estimated ones say that they are */
			assert_true(f->usage.source != USAGE_REPORTED || f->usage.input == 9);
			assert_true(f->usage.source != USAGE_REPORTED || f->usage.output == 17);
		}
	}
}

static void test_requests(void **state)
{
	static const char body[] = "{\"model\":\"gpt-4o\",\"messages\":[],\"stream\":true}";
	char packed[512], head[256];

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t len = sizeof(packed);

		if (i) {
			len = ZSTD_compress(packed, len, body, strlen(body), 3);
		} else {
			uLongf made = sizeof(packed);

			compress((Bytef *)packed, &made, (const Bytef *)body, strlen(body));
			len = made;
		}
		snprintf(head, sizeof(head),
			 "POST /v1/chat/completions HTTP/1.1\r\nContent-Encoding: %s\r\n"
			 "Content-Length: %zu\r\n\r\n",
			 i ? "zstd" : "deflate", len);
		for (size_t step = 1; step < 60; step++) {
			struct conversation c;

			conversation_begin(&c);
			feed(&c, DIR_OUT, head, strlen(head), step);
			feed(&c, DIR_OUT, packed, len, step);
			free(conversation_finish(&c));
			assert_string_equal(c.last.request_model, "gpt-4o");
			assert_int_equal(c.last.stream, TRI_TRUE);
			assert_true(c.last.request_shape);
			assert_false(c.last.truncated);
		}
		/* the checksum is wrong, which only deflate has here */
		packed[len - 1] ^= 0x55;
		if (i == 0) {
			struct conversation c;

			conversation_begin(&c);
			feed(&c, DIR_OUT, head, strlen(head), 65536);
			feed(&c, DIR_OUT, packed, len, 65536);
			free(conversation_finish(&c));
			assert_true(c.last.truncated);
		}
	}
}

/* "Content-Encoding: gzip" on what is no such thing. */
static void test_lying_label(void **state)
{
	_cleanup_free_ char *plain = coded_plain();
	char head[256];

	(void)state;
	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 strlen(plain));
	for (size_t step = 1; step < 40; step++) {
		_cleanup_free_ char *told = NULL;
		struct conversation c;

		conversation_begin(&c);
		feed(&c, DIR_OUT, ASK, strlen(ASK), step);
		feed(&c, DIR_IN, head, strlen(head), step);
		feed(&c, DIR_IN, plain, strlen(plain), step);
		told = conversation_finish(&c);
		assert_string_equal(told, FACTS "\n");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_responses),   cmocka_unit_test(test_cut),
		cmocka_unit_test(test_gaps),        cmocka_unit_test(test_requests),
		cmocka_unit_test(test_lying_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
