/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facts of responses that hold several documents, in each framing and under every cut. */
#include "api/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/api/conversation.h"
#include "unit/protocol/eventstream_maker.h"
#include "util/cleanup.h"

struct bytes {
	char at[8192];
	size_t len;
};

static void add(struct bytes *b, const void *at, size_t len)
{
	assert_true(b->len + len <= sizeof(b->at));
	memcpy(b->at + b->len, at, len);
	b->len += len;
}

static void add_text(struct bytes *b, const char *text)
{
	add(b, text, strlen(text));
}

static struct bytes ask, answer;

/* A request, and the head of its answer: what follows is the body, up to the stream's end. */
static void begin(const char *path, const char *body, const char *type)
{
	char head[512];

	ask.len = answer.len = 0;
	snprintf(head, sizeof(head),
		 "POST %s HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: %zu\r\n\r\n", path,
		 strlen(body));
	add_text(&ask, head);
	add_text(&ask, body);
	snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n\r\n", type);
	add_text(&answer, head);
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

static void check(const char *expected)
{
	for (size_t step = 1; step < 4000; step += step < 40 ? 1 : 211) {
		_cleanup_free_ char *told = NULL;
		struct conversation c;

		conversation_begin(&c);
		feed(&c, DIR_OUT, ask.at, ask.len, step);
		feed(&c, DIR_IN, answer.at, answer.len, step);
		told = conversation_finish(&c);
		if (!strstr(told, expected))
			print_message("%s", told);
		assert_non_null(strstr(told, expected));
		assert_int_equal(c.last.usage.source, USAGE_REPORTED);
		assert_true(c.last.response_shape);
		assert_false(c.last.truncated);
	}
	/* whatever is lost, what is reported is right */
	for (size_t at = 0; at < answer.len; at++) {
		struct conversation c;

		conversation_begin(&c);
		feed(&c, DIR_OUT, ask.at, ask.len, ask.len);
		feed(&c, DIR_IN, answer.at, at, answer.len);
		http1_protocol.gap(c.http, DIR_IN, 1);
		feed(&c, DIR_IN, answer.at + at + 1, answer.len - at - 1, answer.len);
		free(conversation_finish(&c));
		assert_true(c.last.truncated);
		assert_true(c.last.usage.source != USAGE_REPORTED || c.last.usage.input == 26 ||
			    c.last.usage.input == TOKENS_UNKNOWN);
	}
}

static void test_ollama(void **state)
{
	static const char *const types[] = {"application/x-ndjson", "application/jsonl; charset=x"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		begin("/api/chat", "{\"model\":\"llama3.2\",\"messages\":[{}]}", types[i]);
		add_text(&answer,
			 "{\"model\":\"llama3.2\",\"created_at\":\"x\",\"message\":{\"content\":"
			 "\"a\"},\"done\":false}\n"
			 "{\"model\":\"llama3.2\",\"created_at\":\"x\",\"done_reason\":\"stop\","
			 "\"done\":true,\"prompt_eval_count\":26,\"eval_count\":298}\n");
		check("ollama req=llama3.2 res=llama3.2 stream=1 finish=stop error= reported in=26 "
		      "out=298");
	}
}

static void test_gemini_array(void **state)
{
	(void)state;
	begin("/v1beta/models/gemini-2.5-flash:streamGenerateContent",
	      "{\"contents\":[{\"parts\":[{\"text\":\"hi\"}]}]}", "application/json");
	add_text(&answer,
		 "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"[{\\\"\"}]}}],"
		 "\"usageMetadata\":{\"promptTokenCount\":26,\"totalTokenCount\":26},"
		 "\"modelVersion\":\"gemini-2.5-flash\"}\n,\r\n"
		 "{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{"
		 "\"promptTokenCount\":26,\"candidatesTokenCount\":10,\"thoughtsTokenCount\":5,"
		 "\"totalTokenCount\":41},\"modelVersion\":\"gemini-2.5-flash\"}\n]");
	check("req=gemini-2.5-flash res=gemini-2.5-flash stream=1 finish=STOP error= reported "
	      "in=26 "
	      "out=15");
}

static void add_event(const char *event, const char *payload)
{
	answer.len += put_event(answer.at + answer.len, event, payload);
}

static void test_bedrock_converse(void **state)
{
	(void)state;
	begin("/model/us.amazon.nova-lite-v1%3A0/converse-stream",
	      "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}",
	      "application/vnd.amazon.eventstream");
	add_event("messageStart", "{\"role\":\"assistant\"}");
	add_event("contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"hi\"}}");
	add_event("messageStop", "{\"stopReason\":\"end_turn\"}");
	add_event("metadata",
		  "{\"usage\":{\"inputTokens\":26,\"outputTokens\":7,\"totalTokens\":33},"
		  "\"metrics\":{\"latencyMs\":9}}");
	check("bedrock req=us.amazon.nova-lite-v1:0 res= stream=1 finish=end_turn error= reported "
	      "in=26 out=7");
}

/* Another vendor's documents, each in base64 within an event. */
static void test_bedrock_invoke(void **state)
{
	static const char *const documents[] = {
		/* {"type":"message_start","message":{"model":"claude-x","usage":{"input_tokens":26,
		 * "output_tokens":1}}} */
		"eyJ0eXBlIjoibWVzc2FnZV9zdGFydCIsIm1lc3NhZ2UiOnsibW9kZWwiOiJjbGF1ZGUteCIsInVzYWdlIj"
		"p7"
		"ImlucHV0X3Rva2VucyI6MjYsIm91dHB1dF90b2tlbnMiOjF9fX0=",
		/* {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{
		 * "output_tokens":12}} */
		"eyJ0eXBlIjoibWVzc2FnZV9kZWx0YSIsImRlbHRhIjp7InN0b3BfcmVhc29uIjoiZW5kX3R1cm4ifSwidX"
		"Nh"
		"Z2UiOnsib3V0cHV0X3Rva2VucyI6MTJ9fQ==",
	};
	char payload[512];

	(void)state;
	begin("/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/invoke-with-response-stream",
	      "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":9,\"messages\":[{}]}",
	      "application/vnd.amazon.eventstream");
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		snprintf(payload, sizeof(payload), "{\"bytes\":\"%s\",\"p\":\"abcdef\"}",
			 documents[i]);
		add_event("chunk", payload);
	}
	check("finish=end_turn error= reported in=26 out=12");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ollama),
		cmocka_unit_test(test_gemini_array),
		cmocka_unit_test(test_bedrock_converse),
		cmocka_unit_test(test_bedrock_invoke),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
