/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/cleanup.h"

static const char *kind(const char *name, const char *value)
{
	const struct http_header header = {span_str(name), span_str(value)};
	const struct http_head head = {.headers = &header, .header_count = 1};
	struct key_facts key;

	api_key_facts(&head, &key);
	assert_string_equal(key.fingerprint, "");
	return key.kind ? key.kind : "";
}

static void test_kinds(void **state)
{
	static const struct {
		const char *name, *value, *kind;
	} cases[] = {
		{"Authorization", "Bearer sk-proj-abc", "openai"},
		{"authorization", "bearer sk-abc", "sk"},
		{"authorization", "bearer sk-abcT3BlbkFJdef", "openai"},
		{"authorization", "Bearer sk-svcacct-abc", "openai-service-account"},
		{"AUTHORIZATION", "BEARER  sk-ant-oat01-abc", "anthropic-oauth"},
		{"Authorization", "Bearer sk-or-v1-abc", "openrouter"},
		{"Authorization", "Bearer gsk_abc", "groq"},
		{"Authorization", "Bearer hf_abc", "huggingface"},
		{"Authorization", "Bearer xai-abc", "xai"},
		{"Authorization", "Bearer eyJhbGciOi.x.y", "jwt"},
		{"Authorization", "Bearer token", "bearer"},
		{"Authorization", "Bearer ya29.abc", "google-oauth"},
		{"Authorization", "Bearer ABSKabc", "bedrock"},
		{"Authorization", "Bearer tid=abc;exp=1", "github-copilot"},
		{"Authorization",
		 "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/bedrock/aws4_request",
		 "aws-sigv4"},
		{"Authorization", "Bearer", ""},
		{"Authorization", "Bearer ", ""},
		{"Authorization", "Basic c2stYW50LQ==", ""},
		{"Authorization", "sk-abc", ""},
		{"X-Api-Key", "sk-ant-api03-abc", "anthropic"},
		{"x-api-key", "something", "x-api-key"},
		{"x-api-key", "", ""},
		{"api-key", "0123456789abcdef", "azure"},
		{"X-Goog-Api-Key", "AIzaSyAbc", "google"},
		{"x-goog-api-key", "AQ.abc", "google"},
		{"Cookie", "sk-abc", ""},
		{"Cookie", "a=b; sessionKey=sk-ant-sid01-abc; c=d", "anthropic-session"},
		{"Cookie", "__Secure-next-auth.session-token.0=x", "web-session"},
		{"X-Other", "Bearer sk-abc", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(kind(cases[i].name, cases[i].value), cases[i].kind);
}

/* A known prefix anywhere says more than the name of an earlier header. */
static void test_several(void **state)
{
	const struct http_header headers[] = {
		{SPAN_LITERAL("Authorization"), SPAN_LITERAL("Bearer proxy-token")},
		{SPAN_LITERAL("x-api-key"), SPAN_LITERAL("sk-ant-api03-abc")},
	};
	const struct http_head head = {.headers = headers, .header_count = 2};
	const struct http_head none = {0};
	struct key_facts key;

	(void)state;
	api_key_facts(&head, &key);
	assert_string_equal(key.kind, "anthropic");
	api_key_facts(&none, &key);
	assert_null(key.kind);
}

/* A key of Google's in the query. */
static void test_query(void **state)
{
	struct http_head head = {.target = SPAN_LITERAL("/v1beta/models/m:x?alt=sse&key=AIzaX")};
	struct key_facts key;

	(void)state;
	api_key_facts(&head, &key);
	assert_string_equal(key.kind, "google");
	head.target = SPAN_LITERAL("/v1/x?key=other&monkey=AIzaX#key=AIzaX");
	api_key_facts(&head, &key);
	assert_null(key.kind);
}

#define TOKEN_PLUS                                                                                 \
	"Bearer "                                                                                  \
	"eyJhbGciOiJSUzI1NiJ9."                                                                    \
	"eyJpc3MiOiJodHRwczovL2F1dGgub3BlbmFpLmNvbSIsImh0dHBzOi8vYXBpLm9wZW5haS5jb20vYXV0aCI6eyJj" \
	"aGF0Z3B0X2FjY291bnRfaWQiOiJ4IiwiY2hhdGdwdF9wbGFuX3R5cGUiOiJwbHVzIiwidXNlcl9pZCI6InUifX0." \
	"c2ln"
#define TOKEN_TEAM                                                                                 \
	"Bearer "                                                                                  \
	"eyJhbGciOiJSUzI1NiJ9."                                                                    \
	"eyJpc3MiOiAiaHR0cHM6Ly9hdXRoLm9wZW5haS5jb20iLCAiaHR0cHM6Ly9hcGkub3BlbmFpLmNvbS9hdXRoIjog" \
	"eyJjaGF0Z3B0X2FjY291bnRfaWQiOiAieCIsICJjaGF0Z3B0X3BsYW5fdHlwZSI6ICJ0ZWFtIiwgInVzZXJfaWQi" \
	"OiAidSJ9fQ.c2ln"

/* Whose account it is, where that shows. */
static void test_account(void **state)
{
	static const struct {
		struct http_header headers[3];
		const char *kind, *account;
	} cases[] = {
		{{{SPAN_LITERAL("Authorization"), SPAN_LITERAL(TOKEN_PLUS)}},
		 "chatgpt-login",
		 "personal"},
		{{{SPAN_LITERAL("Authorization"), SPAN_LITERAL(TOKEN_TEAM)}},
		 "chatgpt-login",
		 "organisation"},
		{{{SPAN_LITERAL("Authorization"), SPAN_LITERAL(TOKEN_PLUS)},
		  {SPAN_LITERAL("ChatGPT-Account-Id"), SPAN_LITERAL("x")}},
		 "chatgpt-login",
		 "personal"},
		{{{SPAN_LITERAL("Authorization"), SPAN_LITERAL("Bearer eyJh.eyJhIjoxfQ.x")},
		  {SPAN_LITERAL("ChatGPT-Account-Id"), SPAN_LITERAL("x")},
		  {SPAN_LITERAL("originator"), SPAN_LITERAL("codex_cli_rs")}},
		 "jwt",
		 ""},
		{{{SPAN_LITERAL("Authorization"), SPAN_LITERAL("Bearer eyJh.eyJhIjoxfQ.x")},
		  {SPAN_LITERAL("ChatGPT-Account-Id"), SPAN_LITERAL("x")}},
		 "jwt",
		 "organisation"},
		{{{SPAN_LITERAL("Authorization"), SPAN_LITERAL("Bearer sk-proj-x")},
		  {SPAN_LITERAL("OpenAI-Organization"), SPAN_LITERAL("org-x")}},
		 "openai",
		 "organisation"},
		{{{SPAN_LITERAL("Authorization"), SPAN_LITERAL("Bearer sk-proj-x")}}, "openai", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct http_head head = {.headers = cases[i].headers, .header_count = 3};
		struct key_facts key;

		api_key_facts(&head, &key);
		assert_string_equal(key.kind, cases[i].kind);
		assert_string_equal(key.account ? key.account : "", cases[i].account);
	}
}

/* Nothing is read past a token, however it is cut. */
static void test_token_cut(void **state)
{
	(void)state;
	for (size_t n = 0; n <= strlen(TOKEN_PLUS); n++) {
		_cleanup_free_ char *copy = malloc(n ? n : 1);
		const struct http_header header = {SPAN_LITERAL("authorization"), span_of(copy, n)};
		const struct http_head head = {.headers = &header, .header_count = 1};
		struct key_facts key;

		memcpy(copy, TOKEN_PLUS, n);
		api_key_facts(&head, &key);
		assert_true(!key.account || strcmp(key.account, "personal") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),     cmocka_unit_test(test_several),
		cmocka_unit_test(test_query),     cmocka_unit_test(test_account),
		cmocka_unit_test(test_token_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
