/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An HTTP/2 connection that is joined after its first call: the second one's path was compressed by what the
 * first one said, and only the bodies tell what it is. */
#include "api/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/api/conversation.h"
#include "unit/protocol/http2_maker.h"

static struct made made;

static const struct span families[] = {
	SPAN_LITERAL("openai-responses"),
	SPAN_LITERAL("openai-chat"),
	SPAN_LITERAL("openai-embeddings"),
};
static const struct service service = {
	.id = "test", .kind = "model-api", .families = families, .family_count = 3};

#define CHAT "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"
#define CHAT_ANSWER                                                                                \
	"{\"object\":\"chat.completion\",\"model\":\"m-1\",\"choices\":[{\"finish_reason\":"       \
	"\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}"

/* Blocks as Go's and browsers' clients compress them (RFC 7541): the path is written out once, and then one byte
 * that refers to it. */
static void put_request(uint32_t stream, const char *path)
{
	char block[256] = {(char)0x83, 0x44, (char)strlen(path)}; /* :method POST; :path, indexed */

	memcpy(block + 3, path, strlen(path));
	if (stream == 1)
		made_frame(&made, DIR_OUT, HTTP2_HEADERS, HTTP2_END_HEADERS, stream, block,
			   3 + strlen(path));
	else
		made_frame(&made, DIR_OUT, HTTP2_HEADERS, HTTP2_END_HEADERS, stream, "\x83\xbe", 2);
}

/* Two calls; only what comes after the first one is fed. */
static struct conversation join(const char *path, const char *ask, const char *answer,
				const struct service *known)
{
	struct conversation c;
	size_t skip = 0;

	made_begin(&made);
	for (uint32_t stream = 1; stream <= 3; stream += 2) {
		skip = stream == 1 ? 0 : made.len;
		put_request(stream, path);
		made_data(&made, DIR_OUT, stream, true, ask);
		made_headers(&made, DIR_IN, stream, false,
			     ":status: 200\ncontent-type: application/json\n");
		made_data(&made, DIR_IN, stream, true, answer);
	}
	made_done(&made);
	conversation_begin_over(&c, &http2_protocol);
	c.service = known;
	for (size_t i = 0, at = 0; i < made.count; at = made.turns[i++].end)
		if (made.turns[i].end > skip) {
			size_t from = at > skip ? at : skip;

			conversation_feed(&c, made.turns[i].dir, made.bytes + from,
					  made.turns[i].end - from);
		}
	free(conversation_finish(&c));
	return c;
}

static void test_chat(void **state)
{
	struct conversation c = join("/v1/chat/completions", CHAT, CHAT_ANSWER, &service);

	(void)state;
	assert_int_equal(c.ended, 1);
	assert_true(c.is_call);
	assert_string_equal(c.last.api_family, "openai-chat");
	assert_string_equal(c.last.request_model, "m");
	assert_string_equal(c.last.response_model, "m-1");
	assert_int_equal(c.last.usage.input, 9);
	assert_int_equal(c.last.usage.output, 3);
}

static void test_responses(void **state)
{
	struct conversation c =
		join("/v1/responses", "{\"model\":\"r\",\"input\":\"x\"}",
		     "{\"object\":\"response\",\"status\":\"completed\",\"model\":\"r-1\","
		     "\"usage\":{\"input_tokens\":5,\"output_tokens\":2}}",
		     &service);

	(void)state;
	assert_true(c.is_call);
	assert_string_equal(c.last.api_family, "openai-responses");
	assert_string_equal(c.last.request_model, "r");
	assert_int_equal(c.last.usage.input, 5);
}

/* Of a known host everything else it serves; of others everything. */
static void test_no_calls(void **state)
{
	struct conversation other = join("/v1/login", "{\"user\":\"x\",\"password\":\"y\"}",
					 "{\"token\":\"z\"}", &service);
	struct conversation unknown = join("/v1/chat/completions", CHAT, CHAT_ANSWER, NULL);

	(void)state;
	assert_int_equal(other.ended, 1);
	assert_false(other.is_call);
	assert_int_equal(unknown.ended, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chat),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_no_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
