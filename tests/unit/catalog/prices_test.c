/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/catalog.h"
#include "catalog/prices.h"
#include "gnomon/facts.h"
#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/diag.h"

#define HEAD                                                                                       \
	"{\"vendor\": \"acme\", \"unit\": \"USD per million tokens\", \"services\": "              \
	"[\"acme-ai\"], "
#define FILE_OF(rows)   HEAD "\"models\": [" rows "]}"
#define ROW(name, rest) "{\"model\": \"" name "\", \"as_of\": \"2026-01-31\", " rest "}"

static int setup(void **state)
{
	struct prices *prices = prices_new();
	struct diag diag = {0};

	if (!prices || prices_add_builtin(prices, &diag) < 0 || prices_seal(prices) < 0) {
		diag_print(&diag, stderr);
		return -1;
	}
	*state = prices;
	return 0;
}

static int teardown(void **state)
{
	prices_free(*state);
	return 0;
}

static const char *found(const struct prices *prices, const char *service, const char *model)
{
	const struct price_row *row = prices_find(prices, span_str(service), span_str(model));

	return row ? row->model : "none";
}

static void test_names(void **state)
{
	static const struct {
		const char *service, *model, *row;
	} cases[] = {
		{"openai", "gpt-4o", "gpt-4o"},
		{"openai", "gpt-4o-2024-08-06", "gpt-4o"},
		{"openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"},
		{"openai", "GPT-4o", "gpt-4o"},
		{"openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"},
		{"openai", "gpt-4.1-2025-04-14", "gpt-4.1"},
		{"openai", "gpt-4-1106-preview", "gpt-4-1106-preview"},
		{"openai", "ft:gpt-4o-mini-2024-07-18:acme::AbC1", "ft:gpt-4o-mini"},
		/* another model is not a version */
		{"openai", "gpt-4o-micro", "none"},
		{"openai", "gpt-4", "gpt-4"},
		{"openai", "gpt", "none"},
		{"openai", "", "none"},
		{"openai", "-latest", "none"},
		{"openai", "/", "none"},
		{"anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"},
		{"anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5"},
		{"anthropic", "claude-3-5-haiku-latest", "claude-3-5-haiku"},
		{"anthropic", "gpt-4o", "none"},
		{"google-gemini-api", "models/gemini-2.5-flash", "gemini-2.5-flash"},
		{"google-gemini-api", "gemini-2.0-flash-001", "gemini-2.0-flash"},
		{"google-vertex-ai", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5"},
		{"google-vertex-ai", "publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro"},
		{"amazon-bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
		 "anthropic.claude-sonnet-4-5"},
		{"amazon-bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
		 "global.anthropic.claude-sonnet-4-5"},
		{"amazon-bedrock", "eu.anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6"},
		{"amazon-bedrock",
		 "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0",
		 "amazon.nova-pro"},
		{"amazon-bedrock", "deepseek.v3.2", "deepseek.v3.2"},
		/* a global profile never costs what a region does */
		{"amazon-bedrock", "global.anthropic.claude-3-haiku-20240307-v1:0", "none"},
		{"deepseek", "deepseek-v9", "none"},
		{"fireworks-ai", "accounts/fireworks/models/gpt-oss-120b", "gpt-oss-120b"},
		{"groq", "meta-llama/llama-4-scout-17b-16e-instruct",
		 "meta-llama/llama-4-scout-17b-16e-instruct"},
		{"openrouter", "anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"},
		{"openrouter", "anthropic/claude-sonnet-4.5:thinking", "claude-sonnet-4-5"},
		{"openrouter", "x-ai/grok-4", "grok-4"},
		/* free, and so not at the vendor's price */
		{"openrouter", "openai/gpt-4o:free", "none"},
		{"openrouter", "nobody/gpt-4o", "none"},
		{"openrouter", "openai/", "none"},
		{"portkey", "gpt-4o", "gpt-4o"},
		{"unknown", "gpt-4o", "none"},
		{"no-such-service", "gpt-4o", "none"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *row = found(*state, cases[i].service, cases[i].model);

		if (strcmp(row, cases[i].row) != 0)
			fail_msg("%s %s: wanted %s, got %s", cases[i].service, cases[i].model,
				 cases[i].row, row);
	}
}

static void test_long_name(void **state)
{
	char name[2 * MODEL_NAME_MAX];

	memset(name, 'a', sizeof(name));
	assert_null(prices_find(*state, SPAN_LITERAL("openai"), span_of(name, sizeof(name))));
	assert_null(prices_find(*state, SPAN_LITERAL("openai"), span_of(name, MODEL_NAME_MAX)));
	assert_null(prices_find(*state, SPAN_LITERAL("openai"), span_of(name, MODEL_NAME_MAX - 1)));
}

/* Every built-in row is found under its own name at each of its vendor's services, and those services are
 * in the catalogue. */
static void test_built_in(void **state)
{
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};
	static const char *const services[] = {
		"openai",         "anthropic",    "google-gemini-api",
		"amazon-bedrock", "azure-openai", "openrouter"};

	assert_int_equal(catalog_add_builtin(catalog, &diag), 0);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_true(prices_count(*state) > 500);
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		assert_non_null(catalog_service_by_id(catalog, span_str(services[i])));
	catalog_free(catalog);
}

static struct prices *load(const char *text, struct diag *diag)
{
	struct prices *prices = prices_new();
	int r = prices_add(prices, "x.json", span_str(text), diag);

	if (r < 0) {
		assert_int_equal(r, -EINVAL);
		assert_true(diag->count > 0);
		prices_free(prices);
		return NULL;
	}
	assert_int_equal(prices_seal(prices), 0);
	return prices;
}

static void refused(const char *text, const char *message)
{
	struct diag diag = {0};

	if (load(text, &diag))
		fail_msg("accepted: %s", text);
	if (strcmp(diag.messages[0], message) != 0)
		fail_msg("wanted \"%s\", got \"%s\"", message, diag.messages[0]);
	diag_done(&diag);
}

static void test_errors(void **state)
{
	(void)state;
	refused("", "x.json:1:1: ends too early");
	refused("{\n}\n}", "x.json:3:1: unexpected character");
	refused("[]", "x.json: must be an object");
	refused("{}", "x.json: \"vendor\" is missing");
	refused("{\"gateways\": [1]}", "x.json: gateways: must be strings");
	refused("{\"gateways\": [\"a b\"]}",
		"x.json: gateways: a name is empty, too long, or has blanks");
	refused("{\"gateways\": [], \"vendor\": \"x\"}", "x.json: unknown key \"vendor\"");
	refused("{\"vendor\": \"a\", \"unit\": \"EUR\", \"services\": [], \"models\": []}",
		"x.json: \"unit\" must be \"USD per million tokens\"");
	refused(FILE_OF("7"), "x.json: models[0]: must be an object");
	refused(FILE_OF(ROW("m", "\"inptu\": 1")),
		"x.json: models[0] (m): unknown key \"inptu\", did you mean \"input\"?");
	refused(FILE_OF(ROW("m", "\"output\": 1")), "x.json: models[0] (m): \"input\" is missing");
	refused(FILE_OF(ROW("m", "\"input\": \"1\"")),
		"x.json: models[0] (m): \"input\" must be a number");
	refused(FILE_OF(ROW("m", "\"input\": -1")),
		"x.json: models[0] (m): \"input\" must be from 0 to 10000");
	refused(FILE_OF(ROW("m", "\"input\": 1e9")),
		"x.json: models[0] (m): \"input\" must be from 0 to 10000");
	refused(FILE_OF("{\"model\": \"m\", \"as_of\": \"May\", \"input\": 1}"),
		"x.json: models[0] (m): \"as_of\" must be a date: YYYY-MM-DD");
	refused(FILE_OF(ROW("m", "\"input\": 1, \"above\": {\"input\": 2}")),
		"x.json: models[0] (m): \"above\" needs \"up_to\"");
	refused(FILE_OF(ROW("m", "\"input\": 1, \"up_to\": 0")),
		"x.json: models[0] (m): \"up_to\" must be a count of tokens");
	refused(FILE_OF(ROW("m-1", "\"input\": 1") "," ROW("M.1", "\"input\": 1")),
		"x.json: models: \"m-1\" and \"M.1\" are the same model");
}

/* Each start of a good file is refused, not misread. */
static void test_truncated(void **state)
{
	static const char text[] =
		FILE_OF(ROW("m", "\"input\": 1, \"up_to\": 9, \"above\": {\"input\": 2}"));

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct prices *prices = prices_new();
		struct diag diag = {0};

		assert_int_equal(prices_add(prices, "x", span_of(text, n), &diag), -EINVAL);
		assert_int_equal(prices_seal(prices), 0);
		assert_int_equal(prices_count(prices), 0);
		diag_done(&diag);
		prices_free(prices);
	}
}

/* A user's file replaces rows, adds them, and gives prices to the company's own gateway. */
static void test_override(void **state)
{
	static const char own[] =
		"{\"vendor\": \"openai\", \"unit\": \"USD per million tokens\", \"services\": "
		"[\"acme-ai\"], \"models\": [" ROW("GPT-4o", "\"input\": 1, \"output\": 2") "]}";
	struct prices *prices = prices_new();
	struct diag diag = {0};
	size_t before;

	(void)state;
	assert_int_equal(prices_add_builtin(prices, &diag), 0);
	assert_int_equal(prices_add(prices, "own", span_str(own), &diag), 0);
	assert_int_equal(
		prices_add(prices, "own", SPAN_LITERAL("{\"gateways\": [\"unknown\"]}"), &diag), 0);
	assert_int_equal(prices_seal(prices), 0);
	before = prices_count(prices);
	assert_string_equal(found(prices, "openai", "gpt-4o"), "GPT-4o");
	assert_string_equal(found(prices, "acme-ai", "gpt-4.1"), "gpt-4.1");
	assert_string_equal(found(prices, "unknown", "gpt-4o-2024-08-06"), "GPT-4o");
	assert_string_equal(found(prices, "unknown", "anthropic/claude-opus-4-5"),
			    "claude-opus-4-5");
	prices_free(prices);
	prices = prices_new();
	assert_int_equal(prices_add_builtin(prices, &diag), 0);
	assert_int_equal(prices_seal(prices), 0);
	assert_int_equal(prices_count(prices), before);
	prices_free(prices);
}

/* -1: no cost. */
static double cost(const char *row, token_count input, token_count read, token_count written,
		   token_count output)
{
	struct token_usage usage = {.source = USAGE_REPORTED,
				    .input = input,
				    .output = output,
				    .cache_read = read,
				    .cache_creation = written};
	struct diag diag = {0};
	struct prices *prices = load(row, &diag);
	double usd = -1;

	assert_non_null(prices);
	price_cost(prices_find(prices, SPAN_LITERAL("acme-ai"), SPAN_LITERAL("m")), &usage,
		   (struct span){0}, &usd);
	prices_free(prices);
	return usd;
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-12;
}

static void test_cost(void **state)
{
	static const char full[] = FILE_OF(ROW(
		"m", "\"input\": 3, \"cache_read\": 0.3, \"cache_write\": 3.75, \"output\": 15, "
		     "\"up_to\": 200000, \"above\": {\"input\": 6, \"output\": 22.5}"));
	static const char plain[] = FILE_OF(ROW("m", "\"input\": 2, \"output\": 8"));
	static const char embedding[] = FILE_OF(ROW("m", "\"input\": 0.02"));

	(void)state;
	assert_true(near(cost(full, 1000, -1, -1, 100), 0.0045));
	/* 1000 of input, of which 600 were read from and 300 written to the cache */
	assert_true(near(cost(full, 1000, 600, 300, 100),
			 (100 * 3 + 600 * 0.3 + 300 * 3.75 + 100 * 15) / 1e6));
	assert_true(near(cost(full, 0, 0, 0, 0), 0));
	/* the tier counts for the whole call */
	assert_true(near(cost(full, 200000, 0, 0, 0), 0.6));
	assert_true(near(cost(full, 200001, 0, 0, 10), (200001 * 6 + 10 * 22.5) / 1e6));
	/* whose cache prices are not listed */
	assert_true(cost(full, 200001, 5, 0, 10) < 0);
	assert_true(cost(plain, 10, 5, -1, 10) < 0);
	assert_true(cost(plain, 10, -1, 5, 10) < 0);
	/* counts that are not known, or contradict each other */
	assert_true(cost(plain, -1, -1, -1, 10) < 0);
	assert_true(cost(plain, 10, -1, -1, -1) < 0);
	assert_true(cost(full, 10, 11, 0, 1) < 0);
	assert_true(cost(full, 10, 6, 5, 1) < 0);
	assert_true(cost(full, TOKENS_MAX, TOKENS_MAX, TOKENS_MAX, 1) < 0);
	assert_true(near(cost(embedding, 1000000, -1, -1, -1), 0.02));
	assert_true(cost(embedding, 10, -1, -1, 3) < 0);
}

/* The cost rises with every count, and what is cached is never dearer than a cache price says. */
static void test_monotonic(void **state)
{
	const struct price_row *row = prices_find(*state, SPAN_LITERAL("anthropic"),
						  SPAN_LITERAL("claude-haiku-4-5"));
	uint32_t seed = 7;

	assert_non_null(row);
	for (int i = 0; i < 2000; i++) {
		struct token_usage usage = {.source = USAGE_REPORTED, .reasoning = TOKENS_UNKNOWN};
		double one, more;

		seed = seed * 1664525 + 1013904223;
		usage.input = seed >> 12;
		usage.cache_read = usage.input / 3;
		usage.cache_creation = usage.input / 5;
		usage.output = seed & 0xfff;
		assert_int_equal(price_cost(row, &usage, (struct span){0}, &one), PRICE_FOUND);
		usage.output++;
		assert_int_equal(price_cost(row, &usage, (struct span){0}, &more), PRICE_FOUND);
		assert_true(more > one);
		usage.cache_read = 0;
		assert_int_equal(price_cost(row, &usage, (struct span){0}, &more), PRICE_FOUND);
		assert_true(more >= one);
	}
}

/* Tiers of service, of the model before the vendor's; what nobody lists has no price. */
static void test_tiers(void **state)
{
	static const char file[] = HEAD
		"\"tiers\": {\"flex\": 0.5, \"priority\": 2}, \"models\": [" ROW(
			"m", "\"input\": 3, \"output\": 15, \"tiers\": {\"priority\": 1.8}") "]}";
	static const struct {
		const char *tier;
		enum price_gap gap;
		double usd;
	} cases[] = {
		{"", PRICE_FOUND, 18},           {"default", PRICE_FOUND, 18},
		{"standard", PRICE_FOUND, 18},   {"auto", PRICE_FOUND, 18},
		{"flex", PRICE_FOUND, 9},        {"FLEX", PRICE_FOUND, 9},
		{"priority", PRICE_FOUND, 32.4}, {"batch", PRICE_NO_TIER, -1},
		{"scale", PRICE_NO_TIER, -1},
	};
	const struct token_usage usage = {
		.source = USAGE_REPORTED, .input = 1000000, .output = 1000000};
	struct diag diag = {0};
	struct prices *prices = load(file, &diag);

	(void)state;
	assert_non_null(prices);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double usd = -1;

		assert_int_equal(
			price_cost(prices_find(prices, SPAN_LITERAL("acme-ai"), SPAN_LITERAL("m")),
				   &usage, span_str(cases[i].tier), &usd),
			cases[i].gap);
		assert_true(near(usd, cases[i].usd));
	}
	prices_free(prices);
	refused(HEAD "\"tiers\": {\"flex\": -1}, \"models\": []}",
		"x.json: tier \"flex\" must be a number from 0 to 100");
	refused(FILE_OF(ROW("m", "\"input\": 1, \"tiers\": {\"flex\": \"half\"}")),
		"x.json: models[0] (m): tier \"flex\" must be a number from 0 to 100");
}

/* What the built-in list says of tiers, lifetimes of the cache and sizes of the context. */
static void test_listed_tiers(void **state)
{
	const struct price_row *row = prices_find(*state, SPAN_LITERAL("anthropic"),
						  SPAN_LITERAL("claude-sonnet-4-5"));
	struct token_usage usage = {.source = USAGE_REPORTED,
				    .input = 10000,
				    .output = 100,
				    .cache_read = 2000,
				    .cache_creation = 5000,
				    .cache_creation_1h = 4000};
	double usd;

	assert_non_null(row);
	assert_int_equal(price_cost(row, &usage, (struct span){0}, &usd), PRICE_FOUND);
	assert_true(near(usd, (3000 * 3 + 2000 * 0.3 + 1000 * 3.75 + 4000 * 6 + 100 * 15) / 1e6));
	usage.input = 210000;
	assert_int_equal(price_cost(row, &usage, SPAN_LITERAL("batch"), &usd), PRICE_FOUND);
	assert_true(
		near(usd, (203000 * 6 + 2000 * 0.6 + 1000 * 7.5 + 4000 * 12 + 100 * 22.5) / 2e6));
	assert_int_equal(price_cost(row, &usage, SPAN_LITERAL("priority"), &usd), PRICE_NO_TIER);
	usage.cache_creation_1h = 5001;
	assert_int_equal(price_cost(row, &usage, (struct span){0}, &usd), PRICE_NO_COUNTS);
	row = prices_find(*state, SPAN_LITERAL("openai"), SPAN_LITERAL("gpt-5.4"));
	usage = (struct token_usage){.source = USAGE_REPORTED, .input = 272000, .output = 1};
	assert_int_equal(price_cost(row, &usage, SPAN_LITERAL("flex"), &usd), PRICE_FOUND);
	assert_true(near(usd, (272000 * 2.5 + 15) / 2e6));
	/* what a larger call costs is not listed */
	usage.input++;
	assert_int_equal(price_cost(row, &usage, (struct span){0}, &usd), PRICE_NO_PRICE);
}

static void test_anywhere(void **state)
{
	const struct price_row *row = prices_find_anywhere(*state, SPAN_LITERAL("gpt-5"));

	assert_non_null(row);
	assert_string_equal(row->vendor, "openai");
	assert_null(prices_find_anywhere(*state, SPAN_LITERAL("no-such-model")));
	assert_null(prices_find_anywhere(*state, SPAN_LITERAL("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),     cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_built_in),  cmocka_unit_test(test_errors),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_override),
		cmocka_unit_test(test_cost),      cmocka_unit_test(test_monotonic),
		cmocka_unit_test(test_tiers),     cmocka_unit_test(test_listed_tiers),
		cmocka_unit_test(test_anywhere),
	};

	return cmocka_run_group_tests_name("catalog/prices", tests, setup, teardown);
}
