/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pipeline/internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check(const char *target, const char *expected)
{
	char out[URL_PATH_MAX];

	url_path_template(span_str(target), out, sizeof(out));
	assert_string_equal(out, expected);
}

static void api_paths_stay_as_they_are(void **state)
{
	(void)state;
	check("/v1/chat/completions", "/v1/chat/completions");
	check("/v1beta/models/gemini-2.5-flash:generateContent",
	      "/v1beta/models/gemini-2.5-flash:generateContent");
	check("/openai/deployments/gpt-4o-mini/chat/completions",
	      "/openai/deployments/gpt-4o-mini/chat/completions");
	check("/model/us.anthropic.claude-sonnet-4-20250514-v1:0/converse",
	      "/model/us.anthropic.claude-sonnet-4-20250514-v1:0/converse");
	check("/", "/");
	check("", "");
}

static void queries_never_show(void **state)
{
	(void)state;
	check("/v1/messages?beta=true", "/v1/messages");
	check("/v1?key=AIzaSyD-secret", "/v1");
	check("https://api.openai.com/v1/models?x=1", "/v1/models");
	check("https://api.openai.com", "/");
	check("/a#b", "/a");
}

static void ids_are_replaced(void **state)
{
	(void)state;
	check("/backend-api/conversation/3f2504e0-4f89-11d3-9a0c-0305e82c3301/x",
	      "/backend-api/conversation/{id}/x");
	check("/v1/threads/thread_abc123DEF456ghi789JKL0/runs", "/v1/threads/{id}/runs");
	check("/users/12345", "/users/{id}");
	check("/objects/0123456789abcdef0123456789abcdef", "/objects/{id}");
}

static void long_paths_are_cut_within_the_buffer(void **state)
{
	char target[2000], out[16];

	(void)state;
	memset(target, 'x', sizeof(target));
	target[0] = '/';
	url_path_template(span_of(target, sizeof(target)), out, sizeof(out));
	assert_int_equal(strlen(out), sizeof(out) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(api_paths_stay_as_they_are),
		cmocka_unit_test(queries_never_show),
		cmocka_unit_test(ids_are_replaced),
		cmocka_unit_test(long_paths_are_cut_within_the_buffer),
	};

	return cmocka_run_group_tests_name("url_path", tests, NULL, NULL);
}
