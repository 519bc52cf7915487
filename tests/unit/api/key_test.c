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
		{"authorization", "bearer sk-abc", "openai"},
		{"AUTHORIZATION", "BEARER  sk-ant-oat01-abc", "anthropic"},
		{"Authorization", "Bearer sk-or-v1-abc", "openrouter"},
		{"Authorization", "Bearer gsk_abc", "groq"},
		{"Authorization", "Bearer hf_abc", "huggingface"},
		{"Authorization", "Bearer xai-abc", "xai"},
		{"Authorization", "Bearer eyJhbGciOi.x.y", "bearer"},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
