/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/pattern.h"
#include "unit/catalog/small_catalog.h"

static const char precedence[] = "services:\n"
				 "  - id: exact\n"
				 "    vendor: V\n"
				 "    kind: model-api\n"
				 "    api_hosts: [api.a.example.com, bedrock.eu.cloud.example]\n"
				 "  - id: near\n"
				 "    vendor: V\n"
				 "    kind: model-api\n"
				 "    api_hosts: ['*.a.example.com']\n"
				 "  - id: far\n"
				 "    vendor: V\n"
				 "    kind: model-api\n"
				 "    web_hosts: ['*.example.com']\n"
				 "  - id: glob\n"
				 "    vendor: V\n"
				 "    kind: gateway\n"
				 "    api_hosts: [bedrock.*.cloud.example, '*-ai.cloud.example',\n"
				 "                a-very-long-first-label-*.b.example.com]\n"
				 "  - id: suffix-of-glob\n"
				 "    vendor: V\n"
				 "    kind: gateway\n"
				 "    api_hosts: ['*.cloud.example', '*.c.b.example.com']\n";

static void test_most_specific(void **state)
{
	struct catalog *catalog = catalog_new();

	(void)state;
	add(catalog, "f", precedence);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_string_equal(found(catalog, "api.a.example.com"), "exact");
	assert_string_equal(found(catalog, "x.a.example.com"), "near");
	assert_string_equal(found(catalog, "x.api.a.example.com"), "near");
	assert_string_equal(found(catalog, "a.example.com"), "far");
	assert_string_equal(found(catalog, "x.y.z.example.com"), "far");
	assert_string_equal(found(catalog, "example.com"), "");
	assert_string_equal(found(catalog, "xexample.com"), "");
	assert_string_equal(found(catalog, "bedrock.us.cloud.example"), "glob");
	assert_string_equal(found(catalog, "bedrock.eu.cloud.example"), "exact");
	assert_string_equal(found(catalog, "bedrock.u.s.cloud.example"), "suffix-of-glob");
	assert_string_equal(found(catalog, "eu-ai.cloud.example"), "glob");
	/* a `*` is at least one character */
	assert_string_equal(found(catalog, "-ai.cloud.example"), "suffix-of-glob");
	assert_string_equal(found(catalog, "x.eu-ai.cloud.example"), "suffix-of-glob");
	assert_string_equal(found(catalog, "cloud.example"), "");
	/* the longer literal wins over the suffix with more labels */
	assert_string_equal(found(catalog, "a-very-long-first-label-1.b.example.com"), "glob");
	assert_string_equal(found(catalog, "x.c.b.example.com"), "suffix-of-glob");
	catalog_free(catalog);
}

static void test_host_forms(void **state)
{
	struct catalog *catalog = catalog_new();
	struct catalog_match match;
	char longest[300];

	(void)state;
	assert_false(catalog_lookup(catalog, SPAN_LITERAL("api.a.example.com"), (struct span){0},
				    &match));
	add(catalog, "f", precedence);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_string_equal(found(catalog, "API.A.Example.COM"), "exact");
	assert_string_equal(found(catalog, "api.a.example.com."), "exact");
	assert_string_equal(found(catalog, "X.Example.com."), "far");
	assert_string_equal(found(catalog, "api.a.example.com.."), "");
	assert_string_equal(found(catalog, ""), "");
	assert_string_equal(found(catalog, "."), "");
	assert_string_equal(found(catalog, ".."), "");
	assert_string_equal(found(catalog, "com"), "");
	assert_string_equal(found(catalog, ".example.com"), "");
	memset(longest, 'a', sizeof(longest));
	strcpy(longest + sizeof(longest) - sizeof(".example.com"), ".example.com");
	assert_string_equal(found(catalog, longest), "");
	assert_string_equal(found(catalog, longest + 60), "far");
	catalog_free(catalog);
}

static void test_port(void **state)
{
	static const char text[] =
		"services:\n"
		"  - {id: a, vendor: A, kind: self-hosted, families: [openai-chat], ports: [80, "
		"8000]}\n"
		"  - {id: b, vendor: B, kind: self-hosted, families: [tgi], ports: [8000]}\n"
		"  - {id: c, vendor: C, kind: self-hosted, families: [tgi], ports: [81]}\n"
		"  - {id: d, vendor: D, kind: self-hosted, families: [tgi], ports: [81]}\n";
	struct catalog *catalog = catalog_new();
	struct catalog_match match;

	(void)state;
	add(catalog, "f", text);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_true(catalog_lookup_port(catalog, 8000, SPAN_LITERAL("openai-chat"), &match));
	assert_string_equal(match.service->id, "a");
	assert_int_equal(match.how, CATALOG_PORT);
	assert_true(catalog_lookup_port(catalog, 8000, SPAN_LITERAL("tgi"), &match));
	assert_string_equal(match.service->id, "b");
	assert_false(catalog_lookup_port(catalog, 8000, SPAN_LITERAL("gemini"), &match));
	assert_false(catalog_lookup_port(catalog, 8001, SPAN_LITERAL("tgi"), &match));
	/* two are on it: neither is named */
	assert_false(catalog_lookup_port(catalog, 81, SPAN_LITERAL("tgi"), &match));
	catalog_free(catalog);
}

static void test_match(void **state)
{
	static const char text[] =
		"services:\n"
		"  - id: a\n"
		"    vendor: Vendor A\n"
		"    kind: coding-agent\n"
		"    country: NO\n"
		"    provider: openai\n"
		"    confidence: 80\n"
		"    api_hosts:\n"
		"      - api.a.io\n"
		"      - {host: '*.b.io', shared: true, assets: true, confidence: 0x14}\n"
		"    web_hosts: [www.a.io]\n"
		"    families: [openai-chat, gemini]\n"
		"    key_prefixes: [sk-a-]\n"
		"  - {id: b, vendor: B, kind: mcp, shared: true, api_hosts: [b.c]}\n";
	struct catalog *catalog = catalog_new();
	struct catalog_match match;

	(void)state;
	add(catalog, "f", text);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("api.a.io"), (struct span){0}, &match));
	assert_string_equal(match.service->id, "a");
	assert_string_equal(match.service->vendor, "Vendor A");
	assert_string_equal(match.service->kind, "coding-agent");
	assert_string_equal(match.service->country, "NO");
	assert_string_equal(match.service->provider, "openai");
	assert_int_equal(match.service->family_count, 2);
	assert_true(span_eq(match.service->families[1], SPAN_LITERAL("gemini")));
	assert_int_equal(match.service->key_prefix_count, 1);
	assert_int_equal(match.service->pattern_count, 3);
	assert_int_equal(match.how, CATALOG_HOST_EXACT);
	assert_int_equal(match.confidence, 80);
	assert_int_equal(match.place, CATALOG_API_HOST);
	assert_false(match.shared);
	assert_false(match.assets);
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("x.b.io"), (struct span){0}, &match));
	assert_int_equal(match.how, CATALOG_HOST_SUFFIX);
	assert_true(span_eq(match.pattern, SPAN_LITERAL("*.b.io")));
	assert_int_equal(match.confidence, 20);
	assert_true(match.shared);
	assert_true(match.assets);
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("www.a.io"), (struct span){0}, &match));
	assert_int_equal(match.place, CATALOG_WEB_HOST);
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("b.c"), (struct span){0}, &match));
	assert_true(match.shared);
	assert_null(match.service->country);
	assert_string_equal(match.service->provider, "b");
	assert_int_equal(match.confidence, 95);
	catalog_free(catalog);
}

static const char prefixes[] =
	"services:\n"
	"  - {id: chat, vendor: V, kind: chat-web, url_prefixes: [a.io/chat, '*.b.io/ai/*/run']}\n"
	"  - {id: deep, vendor: V, kind: chat-web, url_prefixes: [a.io/chat/deep, b.a.io/x]}\n"
	"  - {id: own, vendor: V, kind: model-api, api_hosts: [c.io], url_prefixes: [c.io/api]}\n"
	"  - {id: plan, vendor: V, kind: model-api, url_prefixes: [c.io/api/plan]}\n"
	"  - {id: wide, vendor: V, kind: model-api, api_hosts: ['*.d.io', '*.c.d.io']}\n"
	"  - {id: wide-path, vendor: V, kind: mcp, url_prefixes: ['*.d.io/mcp', x-*.c.d.io/mcp]}\n"
	"  - {id: all, vendor: V, kind: model-api, shared: true, api_hosts: [e.io],\n"
	"     url_prefixes: [e.io/v1, {url: e.io/v2, shared: true, confidence: 20}]}\n";

static void test_url_prefixes(void **state)
{
	struct catalog *catalog = catalog_new();

	(void)state;
	add(catalog, "f", prefixes);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_string_equal(found_url(catalog, "a.io/chat"), "chat");
	assert_string_equal(found_url(catalog, "A.IO./chat/"), "chat");
	assert_string_equal(found_url(catalog, "a.io/chat/x?y#z"), "chat");
	assert_string_equal(found_url(catalog, "a.io/chat?x"), "chat");
	assert_string_equal(found_url(catalog, "a.io/chat#x"), "chat");
	assert_string_equal(found_url(catalog, "a.io/%63h%61t/x"), "chat");
	assert_string_equal(found_url(catalog, "a.io///chat"), "chat");
	assert_string_equal(found_url(catalog, "a.io/chatter"), "");
	assert_string_equal(found_url(catalog, "a.io/Chat"), "");
	assert_string_equal(found_url(catalog, "a.io/x/chat"), "");
	assert_string_equal(found_url(catalog, "a.io/cha"), "");
	assert_string_equal(found_url(catalog, "a.io/%6"), "");
	assert_string_equal(found_url(catalog, "a.io/%00chat"), "");
	assert_string_equal(found_url(catalog, "a.io/"), "");
	assert_string_equal(found_url(catalog, "a.io/chat/deep/er"), "deep");
	assert_string_equal(found_url(catalog, "a.io/chat/deeper"), "chat");
	/* a star is one segment, and not an empty one */
	assert_string_equal(found_url(catalog, "x.b.io/ai/1/run"), "chat");
	assert_string_equal(found_url(catalog, "x.b.io/ai/1/run/2"), "chat");
	assert_string_equal(found_url(catalog, "x.b.io/ai/1/2/run"), "");
	assert_string_equal(found_url(catalog, "x.b.io/ai//run"), "");
	assert_string_equal(found_url(catalog, "x.b.io/ai/run"), "");
	/* the more specific host counts before the longer path */
	assert_string_equal(found_url(catalog, "x.c.d.io/mcp"), "wide");
	assert_string_equal(found_url(catalog, "x-1.c.d.io/mcp"), "wide-path");
	assert_string_equal(found_url(catalog, "y.d.io/mcp"), "wide-path");
	assert_string_equal(found_url(catalog, "y.d.io/other"), "wide");
	/* what a host shares, its prefixes do not, unless they say so */
	assert_string_equal(found_url(catalog, "e.io/v1/x"), "all");
	assert_string_equal(found_url(catalog, "e.io/v2/x"), "all?");
	assert_string_equal(found_url(catalog, "e.io/v3"), "all?");
	catalog_free(catalog);
}

/* What only a name is known of. */
static void test_path_not_known(void **state)
{
	struct catalog *catalog = catalog_new();

	(void)state;
	add(catalog, "f", prefixes);
	assert_int_equal(catalog_seal(catalog), 0);
	/* prefixes alone: it may be anything */
	assert_string_equal(found_url(catalog, "a.io"), "deep?|chat");
	assert_string_equal(found_url(catalog, "x.b.io"), "chat?");
	/* a pattern of its own, and prefixes of others */
	assert_string_equal(found_url(catalog, "c.io"), "own|plan");
	assert_string_equal(found_url(catalog, "y.d.io"), "wide|wide-path");
	/* the prefix of the less specific host could not win */
	assert_string_equal(found_url(catalog, "x.c.d.io"), "wide");
	assert_string_equal(found_url(catalog, "x-1.c.d.io"), "wide|wide-path");
	assert_string_equal(found_url(catalog, "e.io"), "all?");
	/* no path: OPTIONS and CONNECT */
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("a.io"), SPAN_LITERAL("*"),
				   &(struct catalog_match){0}));
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("a.io"), SPAN_LITERAL("a.io:443"),
				   &(struct catalog_match){0}));
	assert_string_equal(found_url(catalog, "c.io/"), "own");
	assert_string_equal(found_url(catalog, "c.io/api/plan/x"), "plan");
	assert_string_equal(found_url(catalog, "c.io/api/x"), "own");
	catalog_free(catalog);
}

static void test_other_hosts(void **state)
{
	static const char text[] = "services:\n"
				   "  - {id: a, vendor: A, kind: chat-web, web_hosts: ['*.a.io'],\n"
				   "     other_hosts: [docs.a.io, '*.help.a.io']}\n";
	struct catalog *catalog = catalog_new();
	struct catalog_match match;

	(void)state;
	add(catalog, "f", text);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_string_equal(found_url(catalog, "x.a.io"), "a");
	assert_string_equal(found_url(catalog, "docs.a.io"), "a?");
	assert_string_equal(found_url(catalog, "x.help.a.io/y"), "a?");
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("docs.a.io"), (struct span){0}, &match));
	assert_int_equal(match.place, CATALOG_OTHER_HOST);
	catalog_free(catalog);
}

static void test_other_ports(void **state)
{
	static const char text[] =
		"services:\n"
		"  - {id: a, vendor: A, kind: self-hosted, families: [tgi], ports: [80]}\n"
		"  - {id: b, vendor: B, kind: self-hosted, families: [tgi], other_ports: [80, "
		"81]}\n"
		"  - {id: c, vendor: C, kind: self-hosted, families: [tgi], other_ports: [82]}\n"
		"  - {id: d, vendor: D, kind: self-hosted, families: [tgi], other_ports: [82]}\n";
	struct catalog *catalog = catalog_new();
	struct catalog_match match;

	(void)state;
	add(catalog, "f", text);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_true(catalog_lookup_port(catalog, 80, SPAN_LITERAL("tgi"), &match));
	assert_string_equal(match.service->id, "a");
	assert_true(catalog_lookup_port(catalog, 81, SPAN_LITERAL("tgi"), &match));
	assert_string_equal(match.service->id, "b");
	assert_int_equal(match.place, CATALOG_LOCAL_PORT);
	assert_false(catalog_lookup_port(catalog, 82, SPAN_LITERAL("tgi"), &match));
	catalog_free(catalog);
}

struct told {
	char text[1024];
};

static void tell_pattern(void *ctx, const struct catalog_pattern *pattern)
{
	struct told *told = ctx;
	size_t n = strlen(told->text);

	snprintf(told->text + n, sizeof(told->text) - n, "%.*s %s%s%s%s\n", (int)pattern->text.len,
		 pattern->text.at, pattern->service->id, pattern->replaced ? " replaced" : "",
		 pattern->path_open ? " open" : "", pattern->path_else ? " else" : "");
}

static const char *explained(const struct catalog *catalog, const char *host, const char *path)
{
	static struct told told;

	told.text[0] = '\0';
	assert_int_equal(
		catalog_explain(catalog, span_str(host), span_str(path), tell_pattern, &told), 0);
	return told.text;
}

static void test_explain(void **state)
{
	struct catalog *catalog = catalog_new();

	(void)state;
	add(catalog, "f",
	    "services:\n" SERVICE("old", "x.a.io, 'x*.a.io'") SERVICE("a", "'*.a.io'"));
	add(catalog, "g",
	    "services:\n" SERVICE("old", "x.a.io")
		    SERVICE("b", "x*.a.io, '*.y.a.io'") "  - {id: c, vendor: V, kind: mcp, "
							"url_prefixes: [x.a.io/m]}\n");
	assert_int_equal(catalog_seal(catalog), 0);
	assert_string_equal(explained(catalog, "X.a.io.", ""),
			    "x.a.io/m c open\nx.a.io old\n*.a.io a\n");
	assert_string_equal(explained(catalog, "x.a.io", "/m/1"),
			    "x.a.io/m c\nx.a.io old\n*.a.io a\n");
	assert_string_equal(explained(catalog, "x.a.io", "/n"),
			    "x.a.io/m c else\nx.a.io old\n*.a.io a\n");
	assert_string_equal(explained(catalog, "x1.a.io", ""),
			    "x*.a.io b\n*.a.io a\nx*.a.io old replaced\n");
	assert_string_equal(explained(catalog, "a.io", ""), "");
	catalog_free(catalog);
}

static uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A text of few letters, so that much of what is made matches. */
static size_t make_host(char *to, uint32_t *random, bool pattern)
{
	size_t labels = 2 + random_next(random) % 4, n = 0;

	for (size_t i = 0; i < labels; i++) {
		bool star = pattern && i + 2 < labels && random_next(random) % 3 == 0;

		if (i)
			to[n++] = '.';
		if (!star || random_next(random) % 2)
			to[n++] = (char)('a' + random_next(random) % 2);
		if (star)
			to[n++] = '*';
		if (star && random_next(random) % 2)
			to[n++] = (char)('a' + random_next(random) % 2);
	}
	if (pattern && random_next(random) % 3 == 0)
		n += (size_t)sprintf(to + n, "/%c", 'p' + (char)(random_next(random) % 2));
	to[n] = '\0';
	return n;
}

struct best {
	struct span text;
	const struct service *service;
	size_t open;
};

static void note_best(void *ctx, const struct catalog_pattern *pattern)
{
	struct best *best = ctx;

	if (pattern->replaced || pattern->path_else || best->service)
		return;
	best->open += pattern->path_open;
	if (pattern->path_open)
		return;
	best->text = pattern->text;
	best->service = pattern->service;
}

/* The index finds what looking at every pattern finds. */
static void test_index_and_scan_agree(void **state)
{
	uint32_t random = 2463534242;
	size_t total = 0;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct catalog *catalog = catalog_new();
		char text[256], host[64];
		struct pattern pattern;
		size_t found = 0;

		/* a file each, so that equal patterns may come again */
		for (int i = 0; i < 40; i++) {
			make_host(host, &random, true);
			if (pattern_parse(span_str(host), &pattern))
				continue;
			sprintf(text, "services: [{id: s%d, vendor: V, kind: mcp, %s: ['%s']}]\n",
				i % 35, strchr(host, '/') ? "url_prefixes" : "api_hosts", host);
			add(catalog, "f", text);
		}
		assert_int_equal(catalog_seal(catalog), 0);
		for (int i = 0; i < 100; i++) {
			const char *path = i % 3 == 0 ? "" : i % 3 == 1 ? "/p/x" : "/q";
			struct best best = {0};
			struct catalog_match match = {0};
			bool known;

			make_host(host, &random, false);
			known = catalog_lookup(catalog, span_str(host), span_str(path), &match);
			catalog_explain(catalog, span_str(host), span_str(path), note_best, &best);
			assert_int_equal(known, best.service || best.open);
			if (!best.service)
				continue;
			found++;
			assert_ptr_equal(match.service, best.service);
			assert_true(span_eq(match.pattern, best.text));
			assert_true(match.other_count <= best.open);
		}
		total += found;
		catalog_free(catalog);
	}
	assert_true(total > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most_specific), cmocka_unit_test(test_host_forms),
		cmocka_unit_test(test_match),         cmocka_unit_test(test_port),
		cmocka_unit_test(test_url_prefixes),  cmocka_unit_test(test_path_not_known),
		cmocka_unit_test(test_other_hosts),   cmocka_unit_test(test_other_ports),
		cmocka_unit_test(test_explain),       cmocka_unit_test(test_index_and_scan_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
