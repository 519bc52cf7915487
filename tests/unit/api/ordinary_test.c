/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ordinary traffic, from the file beside this one, is nobody's call: not at a host that the catalogue does
 * not know, and not at one that it does. */
#include "api/exchange.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog/catalog.h"
#include "protocol/http_head.h"
#include "util/cleanup.h"

#define ORDINARY "tests/unit/api/ordinary"

/* As generous an answer as can be. */
static const char answer[] = "{\"id\":\"1\",\"object\":\"list\",\"data\":[],\"results\":[],"
			     "\"model\":\"m\",\"status\":\"ok\",\"usage\":{\"total_tokens\":1}}";

struct request {
	char *text, *body;
	struct http_head head;
	struct http_header headers[HTTP_HEADERS_MAX];
};

/* The next request of the file; false at its end. */
static bool request_next(FILE *file, struct request *r)
{
	_cleanup_free_ char *line = NULL;
	struct http_framing framing;
	size_t room = 0, len = 0;
	FILE *to;

	while (getline(&line, &room, file) > 0 && (line[0] == '#' || line[0] == '\n'))
		;
	if (feof(file))
		return false;
	to = open_memstream(&r->text, &len);
	do {
		fputs(line, to);
	} while (getline(&line, &room, file) > 0 && line[0] != '\n');
	fputc('\n', to);
	fclose(to);
	assert_true(getline(&line, &room, file) > 0);
	r->body = TAKE_PTR(line);
	if (http_head_parse(span_of(r->text, len), true, &r->head, r->headers, &framing) != 0)
		fail_msg("no request: %s", r->text);
	return true;
}

static void check_call(const struct request *r, const struct service *service)
{
	const struct http_head ok = {.status = 200};
	const struct catalog_match match = {.service = service};
	struct api_exchange *e = api_exchange_new(&r->head, service);

	if (!e)
		return;
	api_exchange_body(e, DIR_OUT, span_str(r->body));
	api_exchange_response(e, &ok);
	api_exchange_body(e, DIR_IN, span_str(answer));
	api_exchange_end(e, EXCHANGE_COMPLETE);
	if (api_exchange_is_call(e, &match) || api_exchange_shape(e))
		fail_msg("taken for %s: %s", api_exchange_facts(e)->api_family, r->text);
	api_exchange_free(e);
}

static void test_ordinary(void **state)
{
	static const struct span families[] = {SPAN_LITERAL("openai-chat"),
					       SPAN_LITERAL("openai-responses"),
					       SPAN_LITERAL("anthropic-messages"),
					       SPAN_LITERAL("gemini"),
					       SPAN_LITERAL("azure-openai"),
					       SPAN_LITERAL("cohere"),
					       SPAN_LITERAL("ollama"),
					       SPAN_LITERAL("web-app"),
					       SPAN_LITERAL("mcp-jsonrpc")};
	const struct service service = {
		.id = "test", .families = families, .family_count = ARRAY_SIZE(families)};
	_cleanup_fclose_ FILE *file = fopen(ORDINARY, "re");
	struct request r;
	int count = 0;

	(void)state;
	assert_non_null(file);
	for (; request_next(file, &r); count++) {
		struct api_exchange *e = api_exchange_new(&r.head, NULL);

		if (e)
			fail_msg("claimed by %s: %s", api_exchange_facts(e)->api_family, r.text);
		assert_int_equal(errno, ENOENT);
		check_call(&r, &service);
		free(r.text);
		free(r.body);
	}
	assert_true(count > 80);
}

/* A path alone makes no call of a host that nobody knows, whatever of the body looks familiar. */
static void test_path_alone(void **state)
{
	static const char *const paths[] = {
		"/v1/chat/completions",
		"/v1/completions",
		"/v1/embeddings",
		"/v1/responses",
		"/v1/messages",
		"/v1/messages/batches",
		"/v1/images/generations",
		"/v1/audio/speech",
		"/v1/audio/transcriptions",
		"/v1/models/m:predict",
		"/model/m/converse",
		"/model/m/invoke",
		"/v2/chat",
		"/v1/chat",
		"/v1/embed",
		"/v1/rerank",
		"/rerank",
		"/api/chat",
		"/api/generate",
		"/api/embed",
		"/api/v1/generate",
		"/generate",
		"/generate_stream",
		"/completion",
		"/infill",
		"/v2/models/m/generate",
		"/v2/models/m/infer",
		"/v1/conversations",
		"/v1/conversations/1",
		"/v1/ocr",
		"/v1/agents/completions",
		"/backend-api/conversation",
		"/mcp",
		"/messages?sessionId=1",
	};
	static const char *const bodies[] = {
		"{}",
		"[]",
		"",
		"a=b&model=m",
		"{\"query\":\"mutation { login }\",\"variables\":{\"model\":\"m\"}}",
		"{\"model\":\"T\",\"year\":1908}",
		"{\"messages\":[\"m\"],\"channel\":\"c\"}",
		"{\"inputs\":[1,2],\"n\":1}",
		"{\"text\":\"hi\",\"to\":\"bob\"}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\",\"params\":[]}",
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		for (size_t j = 0; j < ARRAY_SIZE(bodies); j++) {
			struct request r = {.text = (char *)(uintptr_t)paths[i],
					    .body = (char *)(uintptr_t)bodies[j]};

			r.head = (struct http_head){.method = SPAN_LITERAL("POST"),
						    .target = span_str(paths[i])};
			check_call(&r, NULL);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),
		cmocka_unit_test(test_path_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
