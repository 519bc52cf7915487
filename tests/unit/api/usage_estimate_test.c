/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/api/conversation.h"
#include "util/cleanup.h"

#define CHAT     "/v1/chat/completions"
#define MESSAGES "/v1/messages"

static struct llm_facts facts_of(const char *path, const char *ask, const char *type,
				 const char *answer, bool whole)
{
	struct conversation c;
	char head[512];
	int n;

	conversation_begin(&c);
	n = snprintf(head, sizeof(head),
		     "POST %s HTTP/1.1\r\nhost: h\r\ncontent-length: %zu\r\n\r\n", path,
		     strlen(ask));
	conversation_feed(&c, DIR_OUT, head, (size_t)n);
	conversation_feed(&c, DIR_OUT, ask, strlen(ask));
	n = snprintf(head, sizeof(head),
		     "HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %zu\r\n\r\n", type,
		     strlen(answer) + !whole);
	conversation_feed(&c, DIR_IN, head, (size_t)n);
	conversation_feed(&c, DIR_IN, answer, strlen(answer));
	free(conversation_finish(&c));
	assert_int_equal(c.ended, 1);
	return c.last;
}

static void assert_between(token_count low, token_count likely, token_count high)
{
	assert_true(low >= 0 && low <= likely && likely <= high);
}

#define ASK                                                                                        \
	"{\"model\":\"gpt-4o\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"      \
	"\"Why is the sky blue, and why is it red in the evening?\"}]}"
#define DELTA(text)                                                                                \
	"data: "                                                                                   \
	"{\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"delta\":"      \
	"{\"content\":\"" text "\"}}]}\n\n"

static void test_stream_without_usage(void **state)
{
	struct llm_facts f = facts_of(CHAT, ASK, "text/event-stream",
				      DELTA("Air scat") DELTA("ters blue li")
					      DELTA("ght more than red light.") "data: [DONE]\n\n",
				      true);

	(void)state;
	assert_int_equal(f.usage.source, USAGE_ESTIMATED_TEXT);
	assert_between(f.usage.input_low, f.usage.input, f.usage.input_high);
	assert_between(f.usage.output_low, f.usage.output, f.usage.output_high);
	/* by o200k_base: 14 of input and a frame, 11 of output */
	assert_true(f.usage.input_low <= 14 + 7 && f.usage.input_high >= 14 + 7);
	assert_true(f.usage.output_low <= 11 && f.usage.output_high >= 11);
	assert_true(f.usage.input >= 16 && f.usage.input <= 28);
	assert_true(f.usage.output >= 8 && f.usage.output <= 14);
}

/* Tools are part of what is sent, besides being counted. */
static void test_tools(void **state)
{
	struct llm_facts bare = facts_of(CHAT, ASK, "text/event-stream", DELTA("Yes."), true);
	struct llm_facts tools = facts_of(
		CHAT,
		"{\"model\":\"gpt-4o\",\"stream\":true,\"tools\":[{\"type\":\"function\","
		"\"function\":{\"name\":\"weather\",\"description\":\"Tells the weather of a "
		"place at a time, in the units that are asked for.\"}}],\"messages\":[{\"role\":"
		"\"user\",\"content\":\"Why is the sky blue, and why is it red in the "
		"evening?\"}]}",
		"text/event-stream", DELTA("Yes."), true);

	(void)state;
	assert_int_equal(tools.tool_count, 1);
	assert_true(tools.usage.input > bare.usage.input + 20);
}

/* Words that are cut between events are one word still. */
static void test_cuts_between_events(void **state)
{
	struct llm_facts whole = facts_of(CHAT, ASK, "text/event-stream",
					  DELTA("scattering internationally"), true);
	struct llm_facts cut = facts_of(
		CHAT, ASK, "text/event-stream",
		DELTA("s") DELTA("catter") DELTA("ing inter") DELTA("nation") DELTA("ally"), true);

	(void)state;
	assert_int_equal(whole.usage.output, cut.usage.output);
}

static void test_reported_is_kept(void **state)
{
	struct llm_facts f = facts_of(
		CHAT, ASK, "text/event-stream",
		DELTA("Hi") "data: {\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":"
			    "{\"prompt_tokens\":7,\"completion_tokens\":900}}\n\n",
		true);

	(void)state;
	assert_int_equal(f.usage.source, USAGE_REPORTED);
	assert_int_equal(f.usage.input, 7);
	assert_int_equal(f.usage.output, 900);
}

/* message_start has told the input; the stream ended before message_delta told the output. */
static void test_cut_stream(void **state)
{
	struct llm_facts f = facts_of(
		MESSAGES,
		"{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":9,\"stream\":true,\"messages\":[{"
		"\"role\":\"user\",\"content\":\"Hi\"}]}",
		"text/event-stream",
		"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"type\":"
		"\"message\",\"model\":\"claude-sonnet-4-5\",\"usage\":{\"input_tokens\":8,"
		"\"output_tokens\":1}}}\n\n"
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{"
		"\"type\":\"text_delta\",\"text\":\"Hello! How can I help you today?\"}}\n\n",
		false);

	(void)state;
	assert_int_equal(f.usage.source, USAGE_ESTIMATED_TEXT);
	assert_int_equal(f.usage.input, 8);
	assert_int_equal(f.usage.input_low, 8);
	assert_int_equal(f.usage.input_high, 8);
	assert_between(f.usage.output_low, f.usage.output, f.usage.output_high);
	assert_true(f.usage.output >= 6 && f.usage.output <= 12);
}

/* `form` with the data for each %s. */
static void fill_in(char *to, size_t cap, const char *form, const char *data)
{
	size_t len = 0;

	for (; *form && len < cap - 1; form++)
		if (form[0] == '%' && form[1] == 's' && form++)
			len += (size_t)snprintf(to + len, cap - len, "%s", data);
		else
			to[len++] = *form;
	assert_true(len < cap);
	to[len] = '\0';
}

/* A picture in base64 is no text. */
static void test_pictures(void **state)
{
	static char ask[200000], data[150000];
	struct llm_facts plain, with;

	(void)state;
	memset(data, 'A', sizeof(data) - 1);
	snprintf(ask, sizeof(ask),
		 "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
		 "\"text\",\"text\":\"What is "
		 "this?\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
		 "\"data:image/"
		 "png;base64,%s\"}},{\"type\":\"input_audio\",\"input_audio\":{\"data\":"
		 "\"%.1000s\"}}]}]}",
		 data, data);
	with = facts_of(CHAT, ask, "text/event-stream", DELTA("A picture."), true);
	plain = facts_of(CHAT,
			 "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":"
			 "\"What is this?\"}]}",
			 "text/event-stream", DELTA("A picture."), true);
	assert_int_equal(with.usage.input, plain.usage.input);
	assert_int_equal(with.usage.source, USAGE_ESTIMATED_TEXT);
}

/* Whatever a family calls what is no text: %s is data in base64, and the words beside it are "What is this?". */
static const struct {
	const char *path, *with, *plain, *type, *answer;
} no_texts[] = {
	{MESSAGES,
	 "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"content\":[{\"type\":"
	 "\"image\","
	 "\"source\":{\"type\":\"base64\",\"data\":\"%s\"}},{\"type\":\"document\","
	 "\"source\":{"
	 "\"data\":\"%s\"}},{\"type\":\"tool_result\",\"content\":[{\"type\":\"image\","
	 "\"source\":{\"data\":\"%s\"}},{\"type\":\"text\",\"text\":\"What is "
	 "this?\"}]}]}]}",
	 "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"content\":\"What is "
	 "this?\"}]}",
	 "application/json",
	 "{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"A "
	 "picture.\"}]}"},
	{"/v1/responses",
	 "{\"model\":\"gpt-4o\",\"input\":[{\"content\":[{\"type\":\"input_image\",\"image_"
	 "url\":"
	 "\"%s\"},{\"type\":\"input_file\",\"file_data\":\"%s\"}]},{\"type\":"
	 "\"function_call_output\",\"output\":[{\"type\":\"input_image\",\"image_url\":\"%"
	 "s\"},{"
	 "\"type\":\"input_text\",\"text\":\"What is this?\"}]}]}",
	 "{\"model\":\"gpt-4o\",\"input\":\"What is this?\"}", "application/json",
	 "{\"object\":\"response\",\"output\":[{\"content\":[{\"text\":\"A "
	 "picture.\"}]}]}"},
	{"/v1beta/models/m:generateContent",
	 "{\"contents\":[{\"parts\":[{\"inlineData\":{\"data\":\"%s\"}},{\"inline_data\":{"
	 "\"data\":"
	 "\"%s\"}},{\"fileData\":{\"fileUri\":\"%s\"}},{\"text\":\"What is this?\"}]}]}",
	 "{\"contents\":[{\"parts\":[{\"text\":\"What is this?\"}]}]}", "application/json",
	 "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"A picture.\"}]}}]}"},
	{"/v1/conversations",
	 "{\"model\":\"m\",\"inputs\":[{\"content\":[{\"image_url\":\"%s\"},{\"document_"
	 "url\":"
	 "\"%s\"},{\"input_audio\":\"%s\"},{\"type\":\"text\",\"text\":\"What is "
	 "this?\"}]}]}",
	 "{\"model\":\"m\",\"inputs\":\"What is this?\"}", "application/json",
	 "{\"object\":\"conversation.response\",\"outputs\":[{\"content\":\"A "
	 "picture.\"}]}"},
	{"/v2/chat",
	 "{\"model\":\"m\",\"messages\":[{\"content\":[{\"image_url\":{\"url\":\"%s\"}},{"
	 "\"type\":"
	 "\"text\",\"text\":\"What is this?\"},{\"x\":\"%s\"},{\"y\":\"%s\"}]}]}",
	 "{\"model\":\"m\",\"messages\":[{\"content\":\"What is this?\"}]}", "application/json",
	 "{\"finish_reason\":\"COMPLETE\",\"message\":{\"content\":[{\"text\":\"A "
	 "picture.\"}]}}"},
	{"/api/chat",
	 "{\"model\":\"m\",\"messages\":[{\"content\":\"What is "
	 "this?\",\"images\":[\"%s\",\"%s\","
	 "\"%s\"]}]}",
	 "{\"model\":\"m\",\"messages\":[{\"content\":\"What is this?\"}]}", "application/x-ndjson",
	 "{\"model\":\"m\",\"created_at\":\"x\",\"message\":{\"content\":\"A picture.\"},"
	 "\"done\":false}\n"},
	{"/completion",
	 "{\"prompt\":{\"prompt_string\":\"What is "
	 "this?\",\"multimodal_data\":[\"%s\",\"%s\","
	 "\"%s\"]}}",
	 "{\"prompt\":\"What is this?\"}", "application/json",
	 "{\"content\":\"A picture.\",\"stop\":false}"},
	{"/model/m/converse",
	 "{\"messages\":[{\"content\":[{\"image\":{\"source\":{\"bytes\":\"%s\"}}},{"
	 "\"document\":{"
	 "\"source\":{\"bytes\":\"%s\"}}},{\"video\":\"%s\"},{\"text\":\"What is "
	 "this?\"}]}]}",
	 "{\"messages\":[{\"content\":[{\"text\":\"What is this?\"}]}]}", "application/json",
	 "{\"output\":{\"message\":{\"content\":[{\"text\":\"A picture.\"}]}}}"},
};

static void test_no_text(void **state)
{
	static char ask[20000], data[4000];

	(void)state;
	memset(data, 'A', sizeof(data) - 1);
	for (size_t i = 0; i < ARRAY_SIZE(no_texts); i++) {
		struct llm_facts with, plain;

		plain = facts_of(no_texts[i].path, no_texts[i].plain, no_texts[i].type,
				 no_texts[i].answer, true);
		fill_in(ask, sizeof(ask), no_texts[i].with, data);
		with = facts_of(no_texts[i].path, ask, no_texts[i].type, no_texts[i].answer, true);
		if (plain.usage.source != USAGE_ESTIMATED_TEXT || plain.usage.input < 4)
			fail_msg("%s: nothing was estimated", no_texts[i].path);
		if (with.usage.input > plain.usage.input + 8 ||
		    with.usage.input < plain.usage.input)
			fail_msg("%s: %ld tokens, %ld with data", no_texts[i].path,
				 (long)plain.usage.input, (long)with.usage.input);
	}
}

/* The model's thoughts are charged and not seen: the text is the least that it can have been. */
static void test_hidden_reasoning(void **state)
{
	struct llm_facts f = facts_of(CHAT,
				      "{\"model\":\"o3-mini\",\"stream\":true,\"messages\":[{"
				      "\"role\":\"user\",\"content\":\"Is 91 prime?\"}]}",
				      "text/event-stream",
				      "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{"
				      "\"delta\":{\"content\":\"No, 91 is 7 times 13.\"}}]}\n\n",
				      true);

	(void)state;
	assert_int_equal(f.usage.source, USAGE_ESTIMATED_TEXT);
	assert_true(f.usage.output_low > 4);
	assert_int_equal(f.usage.output, TOKENS_UNKNOWN);
	assert_int_equal(f.usage.output_high, TOKENS_UNKNOWN);
	assert_true(f.usage.input > 0);
}

static void test_no_estimate(void **state)
{
	struct llm_facts f;

	(void)state;
	f = facts_of(CHAT, ASK, "application/json",
		     "{\"error\":{\"type\":\"rate_limit\",\"message\":\"Slow down\"}}", true);
	assert_int_equal(f.usage.source, USAGE_NONE);
	/* no answer came */
	f = facts_of(CHAT, ASK, "text/event-stream", "", false);
	assert_int_equal(f.usage.source, USAGE_NONE);
	/* not the shape of a call */
	f = facts_of(CHAT, "{\"messages\":[{\"content\":\"x\"}]}", "text/event-stream", DELTA("y"),
		     true);
	assert_int_equal(f.usage.source, USAGE_NONE);
}

/* A gap in the answer leaves a lower bound alone. */
static void test_lost(void **state)
{
	static const char one[] = DELTA("The answer is long, "), two[] = DELTA("and it goes on.");
	struct conversation c;
	char head[300];
	int n;

	(void)state;
	conversation_begin(&c);
	n = snprintf(head, sizeof(head), "POST " CHAT " HTTP/1.1\r\ncontent-length: %zu\r\n\r\n",
		     strlen(ASK));
	conversation_feed(&c, DIR_OUT, head, (size_t)n);
	conversation_feed(&c, DIR_OUT, ASK, strlen(ASK));
	n = snprintf(head, sizeof(head),
		     "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: "
		     "%zu\r\n\r\n",
		     2 * strlen(one) + strlen(two));
	conversation_feed(&c, DIR_IN, head, (size_t)n);
	conversation_feed(&c, DIR_IN, one, strlen(one));
	http1_protocol.gap(c.http, DIR_IN, strlen(one));
	conversation_feed(&c, DIR_IN, two, strlen(two));
	free(conversation_finish(&c));
	assert_int_equal(c.last.usage.source, USAGE_ESTIMATED_TEXT);
	assert_true(c.last.usage.output_low > 2);
	assert_int_equal(c.last.usage.output, TOKENS_UNKNOWN);
	assert_int_equal(c.last.usage.output_high, TOKENS_UNKNOWN);
	assert_true(c.last.usage.input > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_without_usage),
		cmocka_unit_test(test_tools),
		cmocka_unit_test(test_cuts_between_events),
		cmocka_unit_test(test_reported_is_kept),
		cmocka_unit_test(test_cut_stream),
		cmocka_unit_test(test_pictures),
		cmocka_unit_test(test_no_text),
		cmocka_unit_test(test_hidden_reasoning),
		cmocka_unit_test(test_no_estimate),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests_name("api/usage_estimate", tests, NULL, NULL);
}
