/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Families whose streams come in other framings than server-sent events, fed with what those framings
 * carry: documents and their names. */
#include "api/families.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog/catalog.h"
#include "gnomon/limits.h"
#include "protocol/json_scan.h"
#include "unit/api/facts_text.h"
#include "util/cleanup.h"
#include "util/diag.h"

#define DOCUMENTS 6

struct call {
	const struct api_ops *ops;
	const char *target, *request;
	struct {
		const char *name, *text;
	} document[DOCUMENTS];
	const char *facts;
};

struct reading {
	const struct api_ops *ops;
	bool response;
	void *state;
	struct llm_facts facts;
};

static void tell(void *ctx, const struct json_value *value)
{
	struct reading *r = ctx;

	if (r->response)
		r->ops->response_value(r->state, &r->facts, value);
	else
		r->ops->request_value(r->state, &r->facts, value);
}

/* Reads one document in steps; whether it was whole. */
static bool read_document(struct reading *r, struct json_paths *paths, const char *text,
			  size_t step)
{
	struct json_scan scan;

	json_scan_init(&scan, paths, tell, r);
	for (size_t len = strlen(text); len; len -= step, text += step) {
		if (step > len)
			step = len;
		json_scan_feed(&scan, span_of(text, step));
	}
	return json_scan_end(&scan) == 0;
}

static void check(const struct call *call, size_t step)
{
	const struct http_head head = {.method = SPAN_LITERAL("POST"),
				       .target = span_str(call->target)};
	const struct api_ops *body = call->ops->format ? call->ops->format(&head) : NULL;
	_Alignas(max_align_t) unsigned char state[API_STATE_MAX] = {0};
	struct reading r = {.ops = body ? body : call->ops, .state = state};
	struct json_paths paths;
	_cleanup_free_ char *told = NULL;

	r.facts = (struct llm_facts){.api_family = call->ops->name,
				     .operation = call->ops->operation,
				     .stream = TRI_UNKNOWN,
				     .max_tokens = -1,
				     .message_count = -1,
				     .tool_count = -1,
				     .usage = {USAGE_NONE, -1, -1, -1, -1, -1}};
	assert_int_not_equal(call->ops->match(&head), API_CLAIM_NO);
	if (r.ops->request_head)
		r.ops->request_head(state, &r.facts, &head);
	if (r.ops != call->ops)
		call->ops->request_head(NULL, &r.facts, &head);
	assert_int_equal(json_paths_compile(&paths, r.ops->request_paths), 0);
	assert_true(read_document(&r, &paths, call->request, step));
	assert_int_equal(json_paths_compile(&paths, r.ops->response_paths), 0);
	r.response = true;
	for (size_t i = 0; i < DOCUMENTS && call->document[i].text; i++) {
		bool whole = read_document(&r, &paths, call->document[i].text, step);

		r.ops->response_document(state, &r.facts, span_str(call->document[i].name), whole);
	}
	told = facts_text(&r.facts, true);
	assert_string_equal(told, call->facts);
}

static const struct call calls[] = {
	{&ollama_api,
	 "/api/chat",
	 "{\"model\":\"qwen3:8b\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
	 {{"", "{\"model\":\"qwen3:8b\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{"
	       "\"role\":\"assistant\",\"content\":\"a\"},\"done\":false}"},
	  {"", "{\"model\":\"qwen3:8b\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{"
	       "\"role\":\"assistant\",\"content\":\"\"},\"done_reason\":\"stop\",\"done\":true,"
	       "\"total_duration\":9,\"prompt_eval_count\":14,\"eval_count\":220}"}},
	 "family ollama\noperation chat\nrequest_model qwen3:8b\nresponse_model qwen3:8b\n"
	 "stream unknown\nmessages 1\nfinish stop\nusage reported\ninput 14\noutput 220\n"
	 "shape request response\ncall yes\n"},
	{&cohere_api,
	 "/v1/chat",
	 "{\"message\":\"hi\",\"model\":\"command-r\",\"stream\":true}",
	 {{"", "{\"is_finished\":false,\"event_type\":\"stream-start\",\"generation_id\":\"g\"}"},
	  {"", "{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"a\"}"},
	  {"", "{\"is_finished\":true,\"event_type\":\"stream-end\",\"finish_reason\":\"COMPLETE\","
	       "\"response\":{\"text\":\"a\",\"meta\":{\"billed_units\":{\"input_tokens\":3,"
	       "\"output_tokens\":5}}}}"}},
	 "family cohere\noperation chat\nrequest_model command-r\nstream yes\nfinish COMPLETE\n"
	 "usage reported\ninput 3\noutput 5\nshape request response\ncall yes\n"},
	{&bedrock_api,
	 "/model/us.amazon.nova-lite-v1%3A0/converse-stream",
	 "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}",
	 {{"messageStart", "{\"p\":\"abc\",\"role\":\"assistant\"}"},
	  {"contentBlockDelta", "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\"},\"p\":\"a\"}"},
	  {"contentBlockStop", "{\"contentBlockIndex\":0,\"p\":\"abcd\"}"},
	  {"messageStop", "{\"p\":\"ab\",\"stopReason\":\"end_turn\"}"},
	  {"metadata", "{\"metrics\":{\"latencyMs\":5},\"p\":\"a\",\"usage\":{\"inputTokens\":20,"
		       "\"outputTokens\":30,\"totalTokens\":150,\"cacheReadInputTokens\":100}}"}},
	 "family bedrock\noperation chat\nrequest_model us.amazon.nova-lite-v1:0\nstream yes\n"
	 "messages 1\nfinish end_turn\nusage reported\ninput 120\noutput 30\ncache_read 100\n"
	 "shape request response\ncall yes\n"},
	{&bedrock_api,
	 "/model/m/converse-stream",
	 "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}",
	 {{"messageStart", "{\"role\":\"assistant\"}"},
	  {"throttlingException", "{\"message\":\"Too many tokens\"}"}},
	 "family bedrock\noperation chat\nrequest_model m\nstream yes\nmessages 1\n"
	 "error throttlingException\nshape request\ncall yes\n"},
	/* the payloads of InvokeModelWithResponseStream, base64 undone */
	{&bedrock_api,
	 "/model/anthropic.claude-3-5-haiku-20241022-v1%3A0/invoke-with-response-stream",
	 "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":9,\"messages\":[{}]}",
	 {{"chunk", "{\"type\":\"message_start\",\"message\":{\"model\":\"claude-3-5-haiku\","
		    "\"usage\":{\"input_tokens\":8,\"cache_read_input_tokens\":2,"
		    "\"output_tokens\":1}}}"},
	  {"chunk", "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},"
		    "\"usage\":{\"output_tokens\":9}}"},
	  {"chunk", "{\"type\":\"message_stop\",\"amazon-bedrock-invocationMetrics\":{"
		    "\"inputTokenCount\":8,\"outputTokenCount\":9}}"}},
	 "family bedrock\noperation chat\nrequest_model anthropic.claude-3-5-haiku-20241022-v1:0\n"
	 "response_model claude-3-5-haiku\nstream yes\nmax_tokens 9\nmessages 1\n"
	 "finish max_tokens\nusage reported\ninput 10\noutput 9\ncache_read 2\n"
	 "shape request response\ncall yes\n"},
	{&bedrock_api,
	 "/model/meta.llama3-8b-instruct-v1:0/invoke-with-response-stream",
	 "{\"prompt\":\"hi\",\"max_gen_len\":4}",
	 {{"chunk", "{\"generation\":\"a\",\"prompt_token_count\":5,\"generation_token_count\":1,"
		    "\"stop_reason\":null}"},
	  {"chunk", "{\"generation\":\"b\",\"prompt_token_count\":null,"
		    "\"generation_token_count\":4,\"stop_reason\":\"length\","
		    "\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":6,"
		    "\"outputTokenCount\":4,\"invocationLatency\":1}}"}},
	 "family bedrock\noperation chat\nrequest_model meta.llama3-8b-instruct-v1:0\nstream yes\n"
	 "max_tokens 4\nfinish length\nusage reported\ninput 6\noutput 4\nshape response\n"
	 "call yes\n"},
	/* elements of the list that a stream without alt=sse is */
	{&gemini_api,
	 "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
	 "{\"contents\":[{\"parts\":[]}]}",
	 {{"", "{\"candidates\":[{}],\"usageMetadata\":{\"promptTokenCount\":4}}"},
	  {"", "{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{"
	       "\"promptTokenCount\":4,\"candidatesTokenCount\":2,\"totalTokenCount\":6}}"}},
	 "family gemini\noperation generate_content\nrequest_model gemini-2.5-flash\nstream yes\n"
	 "messages 1\nfinish STOP\nusage reported\ninput 4\noutput 2\nshape request response\n"
	 "call yes\n"},
	/* the messages of the WebSocket form */
	{&openai_responses_api,
	 "/v1/responses",
	 "{\"type\":\"response.create\",\"model\":\"gpt-5-codex\",\"input\":[{}],\"tools\":[]}",
	 {{"", "{\"type\":\"response.created\",\"response\":{\"object\":\"response\",\"status\":"
	       "\"in_progress\",\"model\":\"gpt-5-codex\",\"usage\":null}}"},
	  {"", "{\"type\":\"response.completed\",\"response\":{\"object\":\"response\",\"status\":"
	       "\"completed\",\"model\":\"gpt-5-codex\",\"usage\":{\"input_tokens\":9,"
	       "\"output_tokens\":3,\"total_tokens\":12}}}"}},
	 "family openai-responses\noperation chat\nrequest_model gpt-5-codex\n"
	 "response_model gpt-5-codex\nstream unknown\nmessages 1\ntools 0\nfinish completed\n"
	 "usage reported\ninput 9\noutput 3\nshape request response\ncall yes\n"},
};

static void test_documents(void **state)
{
	static const size_t steps[] = {1, 2, 7, 1 << 12};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		for (size_t j = 0; j < ARRAY_SIZE(steps); j++)
			check(&calls[i], steps[j]);
}

/* Every row compiles, and its state fits. */
static void test_table(void **state)
{
	struct json_paths paths;

	(void)state;
	for (const struct api_ops *const *ops = api_table; *ops; ops++) {
		assert_non_null((*ops)->name);
		assert_non_null((*ops)->match);
		assert_true((*ops)->state_bytes <= API_STATE_MAX);
		if (!(*ops)->request_paths) {
			assert_non_null((*ops)->format);
			continue;
		}
		assert_int_equal(json_paths_compile(&paths, (*ops)->request_paths), 0);
		assert_int_equal(json_paths_compile(&paths, (*ops)->response_paths), 0);
	}
}

/* A service can be told to speak any of them. */
static void test_catalogue(void **state)
{
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};
	size_t len;
	char *text;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	fprintf(to, "services:\n  - {id: a, vendor: A, kind: model-api, families: [");
	for (const struct api_ops *const *ops = api_table; *ops; ops++)
		fprintf(to, "%s%s", ops == api_table ? "" : ", ", (*ops)->name);
	fprintf(to, "]}\n");
	fclose(to);
	assert_int_equal(catalog_add(catalog, "test", span_of(text, len), &diag), 0);
	assert_false(diag_any(&diag));
	catalog_free(catalog);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_catalogue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
