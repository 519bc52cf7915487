/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "api/exchange.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "util/cleanup.h"
#include "util/fingerprint.h"

static const char *kind(const char *name, const char *value)
{
	const struct http_header header = {span_str(name), span_str(value)};
	const struct http_head head = {.headers = &header, .header_count = 1};
	struct key_facts key;

	api_key_facts(&head, NULL, &key);
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
	api_key_facts(&head, NULL, &key);
	assert_string_equal(key.kind, "anthropic");
	api_key_facts(&none, NULL, &key);
	assert_null(key.kind);
}

/* A key of Google's in the query. */
static void test_query(void **state)
{
	struct http_head head = {.target = SPAN_LITERAL("/v1beta/models/m:x?alt=sse&key=AIzaX")};
	struct key_facts key;

	(void)state;
	api_key_facts(&head, NULL, &key);
	assert_string_equal(key.kind, "google");
	head.target = SPAN_LITERAL("/v1/x?key=other&monkey=AIzaX#key=AIzaX");
	api_key_facts(&head, NULL, &key);
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

		api_key_facts(&head, NULL, &key);
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
		api_key_facts(&head, NULL, &key);
		assert_true(!key.account || strcmp(key.account, "personal") == 0);
	}
}

#define SALT "0123456789abcdef"

/* The values are HMAC-SHA-256 as another program computes it. */
static void test_fingerprints(void **state)
{
	struct http_header headers[] = {
		{SPAN_LITERAL("x-api-key"), SPAN_LITERAL("sk-ant-api03-abc")},
		{SPAN_LITERAL("chatgpt-account-id"), SPAN_LITERAL("sk-ant-api03-abc")},
		{SPAN_LITERAL("mcp-session-id"), SPAN_LITERAL("s")},
	};
	struct http_head head = {.headers = headers, .header_count = 3};
	struct fleet_salt salt;
	struct key_facts key;

	(void)state;
	assert_int_equal(fleet_salt_init(&salt, SPAN_LITERAL("0123456789abcde")), -EINVAL);
	assert_int_equal(fleet_salt_init(&salt, SPAN_LITERAL(SALT)), 0);
	api_key_facts(&head, &salt, &key);
	assert_string_equal(key.fingerprint, "36fc97aadd3f013f");
	assert_string_equal(key.account_fingerprint, "0c67ce43fe65bd9c");
	assert_string_equal(key.session, "efb55e2dda82a9cc");
	/* the same key in another header, and through a signature that changes */
	headers[0] = (struct http_header){SPAN_LITERAL("authorization"),
					  SPAN_LITERAL("Bearer sk-ant-api03-abc")};
	api_key_facts(&head, &salt, &key);
	assert_string_equal(key.fingerprint, "36fc97aadd3f013f");
	headers[0].value = SPAN_LITERAL(
		"AWS4-HMAC-SHA256 Credential=sk-ant-api03-abc/20260101/us/bedrock/aws4_request, "
		"Signature=1");
	api_key_facts(&head, &salt, &key);
	assert_string_equal(key.kind, "aws-sigv4");
	assert_string_equal(key.fingerprint, "36fc97aadd3f013f");
	/* without a key, none */
	head.header_count = 0;
	api_key_facts(&head, &salt, &key);
	assert_string_equal(key.fingerprint, "");
	assert_string_equal(key.account_fingerprint, "");
	/* a key in the query, an organisation in the path */
	head.target = SPAN_LITERAL("/v1beta/models/m:x?key=AIzaX");
	api_key_facts(&head, &salt, &key);
	assert_int_equal(strlen(key.fingerprint), 16);
	head.target =
		SPAN_LITERAL("/api/organizations/sk-ant-api03-abc/chat_conversations/1/completion");
	api_key_facts(&head, &salt, &key);
	assert_string_equal(key.account_fingerprint, "0c67ce43fe65bd9c");
	assert_string_equal(key.fingerprint, "");
}

/* Services tell who pays: OpenAI's name of everybody's own organisation begins with "user-". */
static void test_answers(void **state)
{
	static const struct {
		const char *name, *value, *account;
		bool fingerprint;
	} cases[] = {
		{"OpenAI-Organization", "user-abc", "personal", true},
		{"openai-organization", "acme-inc", "organisation", true},
		{"anthropic-organization-id", "sk-ant-api03-abc", "", true},
		{"date", "x", "", false},
	};
	struct fleet_salt salt;

	(void)state;
	assert_int_equal(fleet_salt_init(&salt, SPAN_LITERAL(SALT)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct http_header header = {span_str(cases[i].name),
						   span_str(cases[i].value)};
		const struct http_head head = {.headers = &header, .header_count = 1};
		struct key_facts key = {.kind = "openai"};

		api_key_response(&head, &salt, &key);
		assert_string_equal(key.account ? key.account : "", cases[i].account);
		assert_int_equal(key.account_fingerprint[0] != '\0', cases[i].fingerprint);
		/* what the request told stays */
		key = (struct key_facts){.account = "personal", .account_fingerprint = "0"};
		api_key_response(&head, &salt, &key);
		assert_string_equal(key.account, "personal");
		assert_string_equal(key.account_fingerprint, "0");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),        cmocka_unit_test(test_several),
		cmocka_unit_test(test_query),        cmocka_unit_test(test_account),
		cmocka_unit_test(test_fingerprints), cmocka_unit_test(test_answers),
		cmocka_unit_test(test_token_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
