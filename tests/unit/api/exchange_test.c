/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/exchange.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/api/conversation.h"
#include "util/cleanup.h"

/* Builds "POST path" with a body, and responses whole or chunked; all in static buffers of its own.
 */
struct made {
	char text[32768];
};

static const char *request(struct made *m, const char *path, const char *body)
{
	snprintf(m->text, sizeof(m->text),
		 "POST %s HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer sk-x\r\n"
		 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		 path, strlen(body), body);
	return m->text;
}

static const char *response(struct made *m, int status, const char *type, const char *body)
{
	snprintf(m->text, sizeof(m->text),
		 "HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", status, type,
		 strlen(body), body);
	return m->text;
}

/* In chunks of `size` bytes of body. */
static const char *chunked(struct made *m, const char *type, const char *body, size_t size)
{
	size_t at = (size_t)snprintf(m->text, sizeof(m->text),
				     "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n"
				     "Transfer-Encoding: chunked\r\n\r\n",
				     type);

	for (size_t len = strlen(body); len; len -= size, body += size) {
		if (size > len)
			size = len;
		at += (size_t)snprintf(m->text + at, sizeof(m->text) - at, "%zx\r\n%.*s\r\n", size,
				       (int)size, body);
	}
	snprintf(m->text + at, sizeof(m->text) - at, "0\r\n\r\n");
	return m->text;
}

static void feed_copy(struct conversation *c, enum stream_dir dir, const char *at, size_t len)
{
	_cleanup_free_ char *copy = malloc(len ? len : 1);

	memcpy(copy, at, len);
	assert_int_equal(conversation_feed(c, dir, copy, len), 0);
}

static void feed_steps(struct conversation *c, enum stream_dir dir, const char *text, size_t step)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i += step)
		feed_copy(c, dir, text + i, step < len - i ? step : len - i);
}

static char *run(const char *out, const char *in, size_t step)
{
	struct conversation c;

	conversation_begin(&c);
	feed_steps(&c, DIR_OUT, out, step);
	feed_steps(&c, DIR_IN, in, step);
	return conversation_finish(&c);
}

/* The same facts under every cut of either direction. */
static void check(const char *out, const char *in, const char *expected)
{
	size_t out_len = strlen(out), in_len = strlen(in);

	for (size_t step = 1; step < 40; step++) {
		_cleanup_free_ char *told = run(out, in, step);

		assert_string_equal(told, expected);
	}
	for (size_t cut = 0; cut <= out_len || cut <= in_len; cut++) {
		size_t a = cut < out_len ? cut : out_len, b = cut < in_len ? cut : in_len;
		struct conversation c;
		char *told;

		conversation_begin(&c);
		feed_copy(&c, DIR_OUT, out, a);
		feed_copy(&c, DIR_OUT, out + a, out_len - a);
		feed_copy(&c, DIR_IN, in, b);
		feed_copy(&c, DIR_IN, in + b, in_len - b);
		told = conversation_finish(&c);
		assert_string_equal(told, expected);
		free(told);
	}
}

#define CHAT     "/v1/chat/completions"
#define MESSAGES "/v1/messages?beta=true"
#define JSON     "application/json"
#define SSE      "text/event-stream; charset=utf-8"

#define CHAT_ASK                                                                                   \
	"{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"say \\\"hi\\\"\"}]}"
#define CHAT_ASK_STREAM                                                                            \
	"{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"messages\":["              \
	"{\"role\":\"user\",\"content\":\"{\\\"model\\\":\\\"no\\\"}\"}],\"model\":\"gpt-4.1-"     \
	"nano\"}"
#define MESSAGES_ASK                                                                               \
	"{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":1024,\"stream\":true,\"messages\":["      \
	"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]}"

static void test_chat(void **state)
{
	struct made ask, answer;

	(void)state;
	check(request(&ask, CHAT, CHAT_ASK),
	      response(&answer, 200, JSON,
		       "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,"
		       "\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{\"index\":0,\"message\":{"
		       "\"role\":\"assistant\",\"content\":\"{\\\"usage\\\":{\\\"prompt_tokens\\\":"
		       "9}}\"},"
		       "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_"
		       "tokens\":1100,"
		       "\"completion_tokens\":90,\"total_tokens\":1190,\"prompt_tokens_details\":{"
		       "\"cached_tokens\":1024,\"audio_tokens\":0},\"completion_tokens_details\":{"
		       "\"reasoning_tokens\":64}},\"system_fingerprint\":\"fp\"}\n"),
	      "openai-chat req=gpt-4o res=gpt-4o-2024-08-06 stream=0 finish=stop error= reported "
	      "in=1100 out=90 read=1024 new=-1 reason=64 shape=11\n");
}

#define CHUNK(rest)                                                                                \
	"data: "                                                                                   \
	"{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4.1-nano-2025\"," rest \
	",\"obfuscation\":\"xyz\"}\n\n"
#define CHAT_STREAM                                                                                \
	CHUNK("\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"     \
	      "\"finish_reason\":null}],\"usage\":null")                                           \
	CHUNK("\"choices\":[{\"index\":0,\"delta\":{\"content\":\"data: [DONE]\\n\\n\"},"          \
	      "\"finish_reason\":null}],\"usage\":null")                                           \
	CHUNK("\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}],\"usage\":"   \
	      "null")                                                                              \
	CHUNK("\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":300,"          \
	      "\"total_tokens\":312,\"completion_tokens_details\":{\"reasoning_tokens\":0}}")      \
	"data: [DONE]\n\n"
#define CHAT_STREAM_FACTS                                                                          \
	"openai-chat req=gpt-4.1-nano res=gpt-4.1-nano-2025 stream=1 finish=length error= "        \
	"reported "                                                                                \
	"in=12 out=300 read=-1 new=-1 reason=0 shape=11\n"

static void test_chat_stream(void **state)
{
	struct made ask, answer;

	(void)state;
	request(&ask, CHAT, CHAT_ASK_STREAM);
	for (size_t size = 1; size < 200; size += 33)
		check(ask.text, chunked(&answer, SSE, CHAT_STREAM, size), CHAT_STREAM_FACTS);
	/* the type is wrong or missing */
	check(ask.text, chunked(&answer, JSON, CHAT_STREAM, 50), CHAT_STREAM_FACTS);
	check(ask.text, chunked(&answer, "", ":\n\n" CHAT_STREAM, 50), CHAT_STREAM_FACTS);
}

static void test_chat_stream_without_usage(void **state)
{
	struct made ask, answer;

	(void)state;
	check(request(&ask, CHAT, CHAT_ASK_STREAM),
	      chunked(&answer, SSE,
		      CHUNK("\"choices\":[{\"finish_reason\":\"stop\"}]") "data: [DONE]\n\n", 30),
	      "openai-chat req=gpt-4.1-nano res=gpt-4.1-nano-2025 stream=1 finish=stop error= none "
	      "in=-1 out=-1 read=-1 new=-1 reason=-1 shape=11\n");
}

/* Traps of the services that speak the same format. */
static void check_usage(const char *usage, const char *expected)
{
	struct made ask, answer;
	char body[2048], facts[512];

	snprintf(body, sizeof(body), "data: {\"choices\":[],%s}\n\ndata: [DONE]\n\n", usage);
	snprintf(facts, sizeof(facts),
		 "openai-chat req=gpt-4o res= stream=0 finish= error= %s shape=10\n", expected);
	check(request(&ask, CHAT, CHAT_ASK), response(&answer, 200, SSE, body), facts);
}

static void test_usage_traps(void **state)
{
	(void)state;
	/* xAI: reasoning beside the completion */
	check_usage("\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":26,\"total_tokens\":265,"
		    "\"completion_tokens_details\":{\"reasoning_tokens\":227}}",
		    "reported in=12 out=253 read=-1 new=-1 reason=227");
	check_usage(
		"\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":300,\"total_tokens\":539,"
		"\"completion_tokens_details\":{\"reasoning_tokens\":227}}",
		"reported in=12 out=527 read=-1 new=-1 reason=227");
	/* Perplexity */
	check_usage("\"usage\":{\"prompt_tokens\":33,\"completion_tokens\":7163,"
		    "\"total_tokens\":7196,\"reasoning_tokens\":95305}",
		    "reported in=33 out=102468 read=-1 new=-1 reason=95305");
	/* Groq: first in x_groq, then in usage too */
	check_usage("\"x_groq\":{\"id\":\"r\",\"usage\":{\"queue_time\":0.1,\"prompt_tokens\":5,"
		    "\"completion_tokens\":6,\"total_tokens\":11}}",
		    "reported in=5 out=6 read=-1 new=-1 reason=-1");
	/* DeepSeek */
	check_usage("\"usage\":{\"prompt_tokens\":50,\"completion_tokens\":7,\"total_tokens\":57,"
		    "\"prompt_cache_hit_tokens\":32,\"prompt_cache_miss_tokens\":18}",
		    "reported in=50 out=7 read=32 new=-1 reason=-1");
	/* no counts at all */
	check_usage("\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":1.5,"
		    "\"total_tokens\":\"7\"}",
		    "none in=-1 out=-1 read=-1 new=-1 reason=-1");
	check_usage("\"usage\":{\"prompt_tokens\":99999999999999999999999,"
		    "\"completion_tokens\":1e3}",
		    "none in=-1 out=-1 read=-1 new=-1 reason=-1");
	check_usage("\"usage\":{\"completion_tokens\":3}",
		    "text in=11 out=3 read=-1 new=-1 reason=-1");
	check_usage("\"usage\":null", "none in=-1 out=-1 read=-1 new=-1 reason=-1");
}

static void test_chat_errors(void **state)
{
	struct made ask, answer;

	(void)state;
	request(&ask, "/proxy/chat/completions?x=1", CHAT_ASK);
	check(ask.text,
	      response(&answer, 429, JSON,
		       "{\"error\":{\"message\":\"slow\",\"type\":\"rate_limit_exceeded\","
		       "\"param\":null,\"code\":\"x\"}}"),
	      "openai-chat req=gpt-4o res= stream=0 finish= error=rate_limit_exceeded none in=-1 "
	      "out=-1 read=-1 new=-1 reason=-1 shape=10\n");
	check(ask.text, response(&answer, 401, JSON, "{\"error\":{\"code\":\"PermissionDenied\"}}"),
	      "openai-chat req=gpt-4o res= stream=0 finish= error=PermissionDenied none in=-1 "
	      "out=-1 read=-1 new=-1 reason=-1 shape=10\n");
	check(ask.text,
	      response(&answer, 400, JSON,
		       "{\"object\":\"error\",\"message\":\"m\",\"type\":\"BadRequestError\"}"),
	      "openai-chat req=gpt-4o res= stream=0 finish= error=BadRequestError none in=-1 "
	      "out=-1 read=-1 new=-1 reason=-1 shape=10\n");
	check(ask.text, response(&answer, 502, "text/html", "<html>data: {}\n\n</html>"),
	      "openai-chat req=gpt-4o res= stream=0 finish= error= none in=-1 "
	      "out=-1 read=-1 new=-1 reason=-1 shape=10\n");
}

static void test_messages(void **state)
{
	struct made ask, answer;

	(void)state;
	check(request(&ask, "/v1/messages",
		      "{\"max_tokens\":5,\"messages\":[],\"model\":\"claude-opus-4-1\"}"),
	      response(&answer, 200, JSON,
		       "{\"id\":\"msg\",\"type\":\"message\",\"role\":\"assistant\","
		       "\"model\":\"claude-opus-4-1-20250805\",\"content\":[{\"type\":\"text\","
		       "\"text\":\"hi\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"
		       "\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":200,"
		       "\"cache_read_input_tokens\":3000,\"output_tokens\":7}}"),
	      "anthropic-messages req=claude-opus-4-1 res=claude-opus-4-1-20250805 stream=0 "
	      "finish=end_turn error= reported in=3210 out=7 read=3000 new=200 reason=-1 "
	      "shape=11\n");
}

#define MESSAGE_START                                                                              \
	"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\","       \
	"\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5-20250929\","    \
	"\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":4,"                       \
	"\"cache_creation_input_tokens\":10,\"cache_read_input_tokens\":100,\"output_tokens\":1}}" \
	"}\n\n"
#define MESSAGE_BLOCKS                                                                             \
	"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"         \
	"\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: ping\ndata: {\"type\": "   \
	"\"ping\"}\n\n"                                                                            \
	"event: content_block_delta\ndata: "                                                       \
	"{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{"                                \
	"\"type\":\"text_delta\",\"text\":\"{\\\"usage\\\":{\\\"output_tokens\\\":5}}\"}}\n\n"     \
	"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
#define MESSAGE_DELTA(out)                                                                         \
	"event: message_delta\ndata: "                                                             \
	"{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\","                     \
	"\"stop_sequence\":null},\"usage\":{\"output_tokens\":" out "}}\n\n"
#define MESSAGE_STOP "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
#define MESSAGE_STREAM                                                                             \
	MESSAGE_START MESSAGE_BLOCKS MESSAGE_DELTA("20") MESSAGE_DELTA("55") MESSAGE_STOP
#define MESSAGE_FACTS                                                                              \
	"anthropic-messages req=claude-sonnet-4-5 res=claude-sonnet-4-5-20250929 stream=1 "        \
	"finish=tool_use error= reported in=114 out=55 read=100 new=10 reason=-1 shape=11\n"

static void test_messages_stream(void **state)
{
	struct made ask, answer;

	(void)state;
	check(request(&ask, MESSAGES, MESSAGES_ASK), chunked(&answer, SSE, MESSAGE_STREAM, 77),
	      MESSAGE_FACTS);
	/* cut before any message_delta: the count of message_start is not the output */
	check(ask.text, response(&answer, 200, SSE, MESSAGE_START MESSAGE_BLOCKS),
	      "anthropic-messages req=claude-sonnet-4-5 res=claude-sonnet-4-5-20250929 stream=1 "
	      "finish= error= text in=114 out=11 read=100 new=10 reason=-1 shape=11\n");
	/* compatible services tell the input at the end */
	check(ask.text,
	      response(
		      &answer, 200, SSE,
		      "data: {\"type\":\"message_start\",\"message\":{\"model\":\"glm\",\"usage\":{"
		      "\"input_tokens\":0,\"output_tokens\":0}}}\n\n"
		      "data: {\"usage\":{\"input_tokens\":30,\"cache_read_input_tokens\":5,"
		      "\"output_tokens\":8},\"delta\":{\"stop_reason\":\"end_turn\"},"
		      "\"type\":\"message_delta\"}\n\n"),
	      "anthropic-messages req=claude-sonnet-4-5 res=glm stream=1 finish=end_turn error= "
	      "reported in=35 out=8 read=5 new=-1 reason=-1 shape=11\n");
	check(ask.text,
	      response(&answer, 200, SSE,
		       MESSAGE_START "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
				     "\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"),
	      "anthropic-messages req=claude-sonnet-4-5 res=claude-sonnet-4-5-20250929 stream=1 "
	      "finish= error=overloaded_error reported in=114 out=-1 read=100 new=10 reason=-1 "
	      "shape=11\n");
}

static void test_keep_alive(void **state)
{
	struct made ask[3], answer[3];
	char out[3 * sizeof(struct made)], in[3 * sizeof(struct made)];

	(void)state;
	request(&ask[0], "/v1/login", "{\"model\":\"x\",\"messages\":[]}");
	request(&ask[1], CHAT, CHAT_ASK_STREAM);
	request(&ask[2], MESSAGES, MESSAGES_ASK);
	response(&answer[0], 200, JSON, "{\"usage\":{\"prompt_tokens\":1}}");
	chunked(&answer[1], SSE, CHAT_STREAM, 64);
	chunked(&answer[2], SSE, MESSAGE_STREAM, 100);
	snprintf(out, sizeof(out), "%s%s%s", ask[0].text, ask[1].text, ask[2].text);
	snprintf(in, sizeof(in), "%s%s%s", answer[0].text, answer[1].text, answer[2].text);
	check(out, in, CHAT_STREAM_FACTS MESSAGE_FACTS);
}

static void test_shape(void **state)
{
	static const struct {
		const char *path, *body;
		bool shape;
	} cases[] = {
		{CHAT, "{\"model\":\"m\",\"messages\":[]}", true},
		{CHAT, "{\"messages\":[],\"mod\\u0065l\":\"m\"}", true},
		{CHAT, "{\"model\":\"m\"}", false},
		{CHAT, "{\"messages\":[]}", false},
		{CHAT, "{\"model\":1,\"messages\":[]}", false},
		{CHAT, "{\"model\":\"m\",\"messages\":{}}", false},
		{CHAT, "{\"model\":\"m\",\"messages\":\"[]\"}", false},
		{CHAT, "{\"model\":\"m\",\"messages\":[],\"messages\":1}", false},
		{CHAT, "{\"x\":{\"model\":\"m\",\"messages\":[]}}", false},
		{CHAT, "[{\"model\":\"m\",\"messages\":[]}]", false},
		{CHAT, "{\"query\":\"mutation { login }\",\"variables\":{}}", false},
		{CHAT, "", false},
		{MESSAGES, "{\"model\":\"m\",\"messages\":[],\"max_tokens\":1}", true},
		{MESSAGES, "{\"model\":\"m\",\"messages\":[]}", false},
		{MESSAGES, "{\"model\":\"m\",\"messages\":[],\"max_tokens\":\"1\"}", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct conversation c;
		struct made ask;

		conversation_begin(&c);
		request(&ask, cases[i].path, cases[i].body);
		feed_copy(&c, DIR_OUT, ask.text, strlen(ask.text));
		free(conversation_finish(&c));
		assert_int_equal(c.ended, 1);
		assert_int_equal(c.shaped, cases[i].shape);
		assert_int_equal(c.last.request_shape, cases[i].shape);
	}
}

static const char *claim(const char *method, const char *target)
{
	const struct http_head head = {.version = SPAN_LITERAL("1.1"),
				       .method = span_str(method),
				       .target = span_str(target)};
	struct api_exchange *exchange = api_exchange_new(&head, NULL);
	const char *family;

	if (!exchange) {
		assert_int_equal(errno, ENOENT);
		return "";
	}
	family = api_exchange_facts(exchange)->api_family;
	api_exchange_free(exchange);
	return family;
}

static void test_claims(void **state)
{
	static const char *const chat[] = {
		"/v1/chat/completions",
		"/chat/completions",
		"/v1/chat/completions?x=/y#z",
		"/api/v1/chat/completions",
		"http://localhost:11434/v1/chat/completions",
		"HTTPS://host/v1/chat/completions?",
		"/v1/chat/completion%73",
		"/v1/%63hat%2fcompletions",
	};
	static const char *const messages[] = {
		"/v1/messages",          "/v1/messages?beta=true",    "/anthropic/v1/messages",
		"https://h/v1/messages", "/v1/messages/count_tokens", "/v1/messages/batches"};
	static const char *const none[] = {
		"/",
		"*",
		"",
		"/chat/completions/x",
		"/v1/chat/completions/",
		"/v1/chat-completions",
		"/Chat/Completions",
		"/?/chat/completions",
		"http://host?/chat/completions",
		"http:///",
		"/v1/messages/count_tokens/x",
		"/v1/messages/batches/msgbatch_1/cancel",
		"/v2/messages",
		"/messages",
		"/v1/messages%",
		"/graphql",
		"/api/graphql?query=chat/completions",
		"/api/v2/logs",
		"/v1/traces",
		"/oauth/token",
		"/login",
		"/repos/o/r/issues/1/comments",
		"/intake/v2/events",
		"/rest/api/2/issue",
		"/v1/messages.json",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(chat); i++) {
		assert_string_equal(claim("POST", chat[i]), "openai-chat");
		assert_string_equal(claim("GET", chat[i]), "");
		assert_string_equal(claim("OPTIONS", chat[i]), "");
	}
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		assert_string_equal(claim("POST", messages[i]), "anthropic-messages");
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_string_equal(claim("POST", none[i]), "");
}

/* Those that are undone: codings_test.c. */
static void test_unknown_codings(void **state)
{
	struct conversation c;

	(void)state;
	conversation_begin(&c);
	feed_steps(&c, DIR_OUT,
		   "POST /v1/chat/completions HTTP/1.1\r\nContent-Encoding: compress\r\n"
		   "Content-Length: 13\r\n\r\n{\"model\":\"m\"}",
		   7);
	feed_steps(&c, DIR_IN,
		   "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, br\r\nContent-Length: 13\r\n\r\n"
		   "{\"model\":\"m\"}",
		   7);
	free(conversation_finish(&c));
	assert_true(c.last.truncated);
	assert_string_equal(c.last.request_model, "");
	assert_string_equal(c.last.response_model, "");
	assert_int_equal(c.last.stream, TRI_UNKNOWN);
}

static void test_model_text(void **state)
{
	char name[400], body[600];
	struct made ask;
	struct conversation c;

	(void)state;
	conversation_begin(&c);
	request(&ask, CHAT, "{\"model\":\"gpt-4o\\u0000\\n\x7f-evil\",\"messages\":[]}");
	feed_copy(&c, DIR_OUT, ask.text, strlen(ask.text));
	free(conversation_finish(&c));
	assert_string_equal(c.last.request_model, "gpt-4o??\?-evil");

	/* cut between characters */
	memset(name, 'm', sizeof(name));
	strcpy(name + MODEL_NAME_MAX - 2, "\xC3\xA9\xC3\xA9");
	snprintf(body, sizeof(body), "{\"model\":\"%s\",\"messages\":[]}", name);
	conversation_begin(&c);
	request(&ask, CHAT, body);
	feed_copy(&c, DIR_OUT, ask.text, strlen(ask.text));
	free(conversation_finish(&c));
	assert_int_equal(strlen(c.last.request_model), MODEL_NAME_MAX - 2);
}

/* A value is unknown or the true one. */
static void assert_honest(const struct llm_facts *f, const struct llm_facts *t)
{
	bool estimated;

	assert_true(!f->request_model[0] || strcmp(f->request_model, t->request_model) == 0);
	assert_true(!f->response_model[0] || strcmp(f->response_model, t->response_model) == 0);
	assert_true(!f->finish_reason[0] || strcmp(f->finish_reason, t->finish_reason) == 0);
	assert_true(!f->error_type[0]);
	assert_true(f->stream == TRI_UNKNOWN || f->stream == t->stream);
	/* what was not told may be estimated, and says so */
	estimated = f->usage.source == USAGE_ESTIMATED_TEXT;
	assert_true(estimated || f->usage.input == TOKENS_UNKNOWN ||
		    f->usage.input == t->usage.input);
	assert_true(f->usage.cache_read == TOKENS_UNKNOWN ||
		    f->usage.cache_read == t->usage.cache_read);
	/* 20 is an earlier cumulative count of the same stream */
	assert_true(estimated || f->usage.output == TOKENS_UNKNOWN ||
		    f->usage.output == t->usage.output || f->usage.output == 20);
	assert_true(f->request_shape <= t->request_shape && f->response_shape <= t->response_shape);
}

static void truncate_all(const char *out, const char *in)
{
	size_t out_len = strlen(out), in_len = strlen(in);
	struct llm_facts truth;
	struct conversation c;

	conversation_begin(&c);
	feed_copy(&c, DIR_OUT, out, out_len);
	feed_copy(&c, DIR_IN, in, in_len);
	free(conversation_finish(&c));
	truth = c.last;
	assert_int_equal(truth.usage.source, USAGE_REPORTED);
	for (size_t n = 0; n < out_len + in_len; n++) {
		conversation_begin(&c);
		feed_copy(&c, DIR_OUT, out, n < out_len ? n : out_len);
		feed_copy(&c, DIR_IN, in, n < out_len ? 0 : n - out_len);
		free(conversation_finish(&c));
		if (c.ended)
			assert_honest(&c.last, &truth);
	}
}

static void lose_all(const char *out, const char *in, size_t lost)
{
	size_t out_len = strlen(out), len = out_len + strlen(in);
	struct llm_facts truth;
	struct conversation c;

	conversation_begin(&c);
	feed_copy(&c, DIR_OUT, out, out_len);
	feed_copy(&c, DIR_IN, in, len - out_len);
	free(conversation_finish(&c));
	truth = c.last;
	for (size_t at = 0; at + lost <= len; at++) {
		bool in_out = at < out_len;

		if (in_out && at + lost > out_len)
			continue;
		conversation_begin(&c);
		feed_copy(&c, DIR_OUT, out, in_out ? at : out_len);
		if (in_out) {
			http1_protocol.gap(c.http, DIR_OUT, lost);
			feed_copy(&c, DIR_OUT, out + at + lost, out_len - at - lost);
			feed_copy(&c, DIR_IN, in, len - out_len);
		} else {
			feed_copy(&c, DIR_IN, in, at - out_len);
			http1_protocol.gap(c.http, DIR_IN, lost);
			feed_copy(&c, DIR_IN, in + at + lost - out_len, len - at - lost);
		}
		free(conversation_finish(&c));
		if (c.ended) {
			assert_honest(&c.last, &truth);
			assert_true(c.last.truncated);
		}
	}
}

static void test_truncated_everywhere(void **state)
{
	struct made ask, answer;

	(void)state;
	truncate_all(request(&ask, CHAT, CHAT_ASK_STREAM), chunked(&answer, SSE, CHAT_STREAM, 90));
	truncate_all(request(&ask, MESSAGES, MESSAGES_ASK),
		     chunked(&answer, SSE, MESSAGE_STREAM, 90));
	truncate_all(ask.text,
		     response(&answer, 200, JSON,
			      "{\"model\":\"m\",\"usage\":{\"input_tokens\":10,\"output_tokens\":7,"
			      "\"cache_read_input_tokens\":300},\"type\":\"message\"}"));
}

static void test_lost_everywhere(void **state)
{
	struct made ask, chat[3], ask_messages, messages[3];

	(void)state;
	request(&ask, CHAT, CHAT_ASK_STREAM);
	chunked(&chat[0], SSE, CHAT_STREAM, 90);
	chunked(&chat[1], SSE, CHAT_STREAM, 100000);
	response(&chat[2], 200, SSE, CHAT_STREAM);
	request(&ask_messages, MESSAGES, MESSAGES_ASK);
	chunked(&messages[0], SSE, MESSAGE_STREAM, 90);
	chunked(&messages[1], SSE, MESSAGE_STREAM, 100000);
	response(&messages[2], 200, SSE, MESSAGE_STREAM);
	for (size_t i = 0; i < 3; i++) {
		for (size_t lost = 1; lost < 400; lost += lost < 8 ? 1 : 37) {
			lose_all(ask.text, chat[i].text, lost);
			lose_all(ask_messages.text, messages[i].text, lost);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chat),
		cmocka_unit_test(test_chat_stream),
		cmocka_unit_test(test_chat_stream_without_usage),
		cmocka_unit_test(test_usage_traps),
		cmocka_unit_test(test_chat_errors),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_messages_stream),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_unknown_codings),
		cmocka_unit_test(test_model_text),
		cmocka_unit_test(test_truncated_everywhere),
		cmocka_unit_test(test_lost_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
