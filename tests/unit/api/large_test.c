/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bodies of 20 and 100 MB: the model and the usage that stand at their very end are told, and what is allocated
 * on the way does not grow with them. */
#include "api/exchange.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/api/conversation.h"

#define REQUEST_BYTES  (20u << 20)
#define RESPONSE_BYTES (100u << 20)

static char piece[16384];

/* `text` again and again, until `bytes` were fed. */
static void feed_many(struct conversation *c, enum stream_dir dir, const char *text, size_t bytes)
{
	size_t len = 0, n = strlen(text);

	while (len + n <= sizeof(piece)) {
		memcpy(piece + len, text, n);
		len += n;
	}
	for (size_t i = 0; i < bytes; i += len)
		assert_int_equal(conversation_feed(c, dir, piece, len), 0);
}

static void feed(struct conversation *c, enum stream_dir dir, const char *text)
{
	assert_int_equal(conversation_feed(c, dir, text, strlen(text)), 0);
}

/* Under ASan, whose allocator tells nothing, it is 0. */
static int64_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return (int64_t)(info.uordblks + info.hblkhd);
}

#define ASK                                                                                        \
	"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 29\r\n\r\n"                         \
	"{\"model\":\"m\",\"messages\":[{}]}"

static void test_request(void **state)
{
	struct conversation c;
	int64_t before;

	(void)state;
	conversation_begin(&c);
	before = in_use();
	feed(&c, DIR_OUT,
	     "POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	     "7fffffff\r\n{\"messages\":[{\"role\":\"user\",\"content\":\"");
	feed_many(&c, DIR_OUT, "Some words, \\\"model\\\":\\\"no\\\" and more\\n", REQUEST_BYTES);
	assert_true(in_use() - before < STREAM_MEMORY_MAX);
	feed(&c, DIR_OUT, "\"}],\"stream\":true,\"model\":\"last\"}");
	free(conversation_finish(&c));
	assert_string_equal(c.last.request_model, "last");
	assert_int_equal(c.last.message_count, 1);
	assert_int_equal(c.last.stream, TRI_TRUE);
	assert_false(c.last.truncated);
}

static void test_json_response(void **state)
{
	struct conversation c;
	int64_t before;

	(void)state;
	conversation_begin(&c);
	before = in_use();
	feed(&c, DIR_OUT, ASK);
	feed(&c, DIR_IN,
	     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
	     "{\"choices\":[{\"message\":{\"content\":\"");
	feed_many(&c, DIR_IN, "Some words of an answer, and \\u00e9\\n", RESPONSE_BYTES);
	assert_true(in_use() - before < STREAM_MEMORY_MAX);
	feed(&c, DIR_IN,
	     "\"},\"finish_reason\":\"stop\"}],\"object\":\"chat.completion\",\"model\":"
	     "\"m-1\",\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":300}}");
	free(conversation_finish(&c));
	assert_string_equal(c.last.response_model, "m-1");
	assert_int_equal(c.last.usage.source, USAGE_REPORTED);
	assert_int_equal(c.last.usage.input, 12);
	assert_int_equal(c.last.usage.output, 300);
}

static void test_event_response(void **state)
{
	struct conversation c;
	int64_t before;

	(void)state;
	conversation_begin(&c);
	before = in_use();
	feed(&c, DIR_OUT, ASK);
	feed(&c, DIR_IN, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
	feed_many(&c, DIR_IN,
		  "data: {\"object\":\"chat.completion.chunk\",\"model\":\"m-1\",\"choices\":[{"
		  "\"index\":0,\"delta\":{\"content\":\" word\"},\"finish_reason\":null}]}\n\n",
		  RESPONSE_BYTES);
	assert_true(in_use() - before < STREAM_MEMORY_MAX);
	feed(&c, DIR_IN,
	     "data: {\"object\":\"chat.completion.chunk\",\"model\":\"m-2\",\"choices\":[],"
	     "\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":300}}\n\n");
	free(conversation_finish(&c));
	assert_string_equal(c.last.response_model, "m-2");
	assert_int_equal(c.last.usage.output, 300);
	assert_false(c.last.truncated);
}

/* The same without usage: it is estimated by a sample, and the interval says how well. */
static void test_estimate(void **state)
{
	struct conversation c;
	int64_t words = 0;

	(void)state;
	conversation_begin(&c);
	feed(&c, DIR_OUT, ASK);
	feed(&c, DIR_IN, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
	feed_many(&c, DIR_IN,
		  "data: {\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{"
		  "\"index\":0,\"delta\":{\"content\":\" word\"},\"finish_reason\":null}]}\n\n",
		  1 << 20);
	free(conversation_finish(&c));
	words = (1 << 20) / 140;
	assert_int_equal(c.last.usage.source, USAGE_ESTIMATED_TEXT);
	assert_in_range(c.last.usage.output, words * 9 / 10, words * 12 / 10);
	assert_in_range(c.last.usage.output, c.last.usage.output_low, c.last.usage.output_high);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_json_response),
		cmocka_unit_test(test_event_response),
		cmocka_unit_test(test_estimate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
