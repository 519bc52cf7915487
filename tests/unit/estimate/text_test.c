/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "estimate/text.h"
#include "util/cleanup.h"

static struct token_range tokens_of(struct span text, enum tokenizer tokenizer)
{
	struct text_estimate estimate = {0};

	text_estimate_feed(&estimate, text);
	return text_estimate_tokens(&estimate, tokenizer);
}

#define TOKENS(text, tokenizer) tokens_of(SPAN_LITERAL(text), tokenizer)

static const char *const samples[] = {
	"",
	"a",
	"The quick brown fox jumps over the lazy dog, and then it sleeps a while.",
	"Gr\xc3\xb6\xc3\x9f"
	"enordnung, \xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82! "
	"\xe4\xbd\xa0\xe5\xa5\xbd\xe4\xb8\x96\xe7\x95\x8c \xf0\x9f\x98\x80\xef\xb8\x8f",
	"static int add(int a, int b)\n{\n\treturn a + b; /* 12345678 */\n}\n\n",
	"----------------------------------------\n    deep    {\"a\": [1, 2.5, null]}\r\n",
	"HTTPServer fooBarBAZ x1y2z3 CONSTANT_NAME ID",
	"\xff\xfe\x80\xc3 broken \xe4\xbd rest \xf0\x9f\x98",
};

static void assert_same(struct token_range a, struct token_range b)
{
	assert_int_equal(a.low, b.low);
	assert_int_equal(a.likely, b.likely);
	assert_int_equal(a.high, b.high);
}

/* Every cut into two, and byte by byte. */
static void test_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct span text = span_str(samples[i]);

		for (size_t cut = 0; cut <= text.len; cut++) {
			struct text_estimate two = {0};

			text_estimate_feed(&two, span_of(text.at, cut));
			text_estimate_feed(&two, span_skip(text, cut));
			for (int t = 0; t <= TOKENIZER_COUNT; t++)
				assert_same(tokens_of(text, (enum tokenizer)t),
					    text_estimate_tokens(&two, (enum tokenizer)t));
		}
	}
}

static void test_asking_changes_nothing(void **state)
{
	struct text_estimate asked = {0}, plain = {0};

	(void)state;
	for (const char *p = samples[2]; *p; p++) {
		text_estimate_feed(&asked, span_of(p, 1));
		text_estimate_tokens(&asked, TOKENIZER_CLAUDE);
		text_estimate_feed(&plain, span_of(p, 1));
	}
	assert_memory_equal(&asked, &plain, sizeof(asked));
}

static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct span text = span_str(samples[i]);
		struct token_range unknown = tokens_of(text, TOKENIZER_UNKNOWN);

		for (int t = 0; t < TOKENIZER_COUNT; t++) {
			struct token_range range = tokens_of(text, (enum tokenizer)t);

			assert_true(range.low >= 0 && range.low <= range.likely &&
				    range.likely <= range.high);
			assert_true(unknown.low <= range.low && unknown.high >= range.high);
			/* byte-pair tokens have a byte at least */
			assert_true(range.likely <= (int64_t)text.len + 1);
			assert_true(!text.len == !range.likely);
		}
	}
}

/* Counts by the real tokenizers: each lies within. */
static void test_real_counts(void **state)
{
	static const struct {
		struct span text;
		enum tokenizer tokenizer;
		int64_t tokens;
	} cases[] = {
		{SPAN_LITERAL("The quick brown fox jumps over the lazy dog."), TOKENIZER_O200K, 10},
		{SPAN_LITERAL("The quick brown fox jumps over the lazy dog."), TOKENIZER_CL100K,
		 10},
		{SPAN_LITERAL("hello world, gr\xc3\xb6\xc3\x9f"
			      "e"),
		 TOKENIZER_O200K, 5},
		{SPAN_LITERAL("hello world, gr\xc3\xb6\xc3\x9f"
			      "e"),
		 TOKENIZER_CLAUDE, 6},
		{SPAN_LITERAL("hello world, gr\xc3\xb6\xc3\x9f"
			      "e"),
		 TOKENIZER_DEEPSEEK, 6},
		{SPAN_LITERAL("hello world, gr\xc3\xb6\xc3\x9f"
			      "e"),
		 TOKENIZER_GEMINI, 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct token_range range = tokens_of(cases[i].text, cases[i].tokenizer);

		if (range.low > cases[i].tokens || range.high < cases[i].tokens)
			fail_msg("%s: %lld not in %lld..%lld", tokenizer_name(cases[i].tokenizer),
				 (long long)cases[i].tokens, (long long)range.low,
				 (long long)range.high);
	}
}

/* Twice the text, twice the tokens; and the interval narrows with length. */
static void test_proportion(void **state)
{
	struct text_estimate estimate = {0};
	struct token_range one, many;

	(void)state;
	text_estimate_feed(&estimate, span_str(samples[2]));
	one = text_estimate_tokens(&estimate, TOKENIZER_CLAUDE);
	for (int i = 1; i < 1000; i++) {
		text_estimate_break(&estimate);
		text_estimate_feed(&estimate, span_str(samples[2]));
	}
	many = text_estimate_tokens(&estimate, TOKENIZER_CLAUDE);
	assert_true(many.likely > 900 * one.likely && many.likely < 1100 * one.likely);
	assert_true((many.high - many.low) * one.likely < (one.high - one.low) * many.likely);
}

/* Runs beyond any counter's width, and far more text than any call has. */
static void test_long(void **state)
{
	static char block[1 << 20];
	struct text_estimate estimate = {0};
	struct token_range range;

	(void)state;
	for (const char *c = "a \n9-\xe4\xff"; *c; c++) {
		memset(block, *c, sizeof(block));
		for (int i = 0; i < 8; i++)
			text_estimate_feed(&estimate, span_of(block, sizeof(block)));
	}
	range = text_estimate_tokens(&estimate, TOKENIZER_O200K);
	assert_true(range.likely > 0 && range.likely < 7 * (8 << 20));
	assert_true(range.low <= range.likely && range.likely <= range.high);
}

static void test_models(void **state)
{
	static const struct {
		const char *model, *name;
	} cases[] = {
		{"gpt-4o-2024-08-06", "o200k"},
		{"gpt-4.1-mini", "o200k"},
		{"gpt-5", "o200k"},
		{"openai/gpt-oss-120b", "o200k"},
		{"o3-mini", "o200k"},
		{"openai/o1", "o200k"},
		{"gpt-4-turbo", "cl100k"},
		{"gpt-3.5-turbo", "cl100k"},
		{"text-embedding-3-small", "cl100k"},
		{"claude-sonnet-4-5-20250929", "claude"},
		{"us.anthropic.claude-haiku-4-5-v1:0", "claude"},
		{"models/gemini-2.5-flash", "gemini"},
		{"google/gemma-3-27b-it", "gemini"},
		{"meta-llama/Llama-3.3-70B-Instruct", "llama3"},
		{"deepseek-r1-distill-llama-70b", "llama3"},
		{"deepseek-chat", "deepseek"},
		{"Qwen/Qwen3-32B", "qwen"},
		{"mistral-large-latest", "mistral"},
		{"llama-2-7b", "unknown"},
		{"grok-4", "unknown"},
		{"oracle-1", "unknown"},
		{"o", "unknown"},
		{"", "unknown"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(tokenizer_name(tokenizer_of_model(span_str(cases[i].model))),
				    cases[i].name);
	assert_true(model_hides_reasoning(SPAN_LITERAL("o3-mini")));
	assert_true(model_hides_reasoning(SPAN_LITERAL("gpt-5-mini")));
	assert_false(model_hides_reasoning(SPAN_LITERAL("gpt-5-chat-latest")));
	assert_false(model_hides_reasoning(SPAN_LITERAL("gpt-4o")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),       cmocka_unit_test(test_asking_changes_nothing),
		cmocka_unit_test(test_order),      cmocka_unit_test(test_real_counts),
		cmocka_unit_test(test_proportion), cmocka_unit_test(test_long),
		cmocka_unit_test(test_models),
	};

	return cmocka_run_group_tests_name("estimate/text", tests, NULL, NULL);
}
