/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/catalog.h"
#include "catalog/pattern.h"
#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/diag.h"

static void add(struct catalog *catalog, const char *name, const char *text)
{
	struct diag diag = {0};

	if (catalog_add(catalog, name, span_str(text), &diag) < 0)
		fail_msg("%s", diag.messages[0]);
	assert_int_equal(diag.count, 0);
}

static void refuse(const char *text, const char *const *messages, size_t count)
{
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};
	char before[65];

	strcpy(before, catalog_sha256(catalog));
	assert_int_equal(catalog_add(catalog, "f", span_str(text), &diag), -EINVAL);
	for (size_t i = 0; i < count && i < diag.count; i++)
		assert_string_equal(diag.messages[i], messages[i]);
	assert_int_equal(diag.count, count);
	assert_string_equal(catalog_sha256(catalog), before);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_int_equal(catalog_services(catalog), 0);
	catalog_free(catalog);
	diag_done(&diag);
}

#define REFUSE(text, ...)                                                                          \
	refuse(text, (const char *[]){__VA_ARGS__},                                                \
	       sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

/* The service of that host, "" for none. */
static const char *found(const struct catalog *catalog, const char *host)
{
	struct catalog_match match;

	return catalog_lookup(catalog, span_str(host), (struct span){0}, &match) ? match.service->id
										 : "";
}

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
		"      - {host: '*.b.io', shared: true, confidence: 0x14}\n"
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
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("x.b.io"), (struct span){0}, &match));
	assert_int_equal(match.how, CATALOG_HOST_SUFFIX);
	assert_true(span_eq(match.pattern, SPAN_LITERAL("*.b.io")));
	assert_int_equal(match.confidence, 20);
	assert_true(match.shared);
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("www.a.io"), (struct span){0}, &match));
	assert_int_equal(match.place, CATALOG_WEB_HOST);
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("b.c"), (struct span){0}, &match));
	assert_true(match.shared);
	assert_null(match.service->country);
	assert_string_equal(match.service->provider, "b");
	assert_int_equal(match.confidence, 95);
	catalog_free(catalog);
}

#define SERVICE(id, hosts) "  - {id: " id ", vendor: V, kind: gateway, api_hosts: [" hosts "]}\n"

static void test_override(void **state)
{
	struct catalog *catalog = catalog_new(), *same = catalog_new();

	(void)state;
	add(catalog, "f", "services:\n" SERVICE("b", "b.io, '*.old.io'") SERVICE("a", "a.io"));
	add(catalog, "g", "services:\n" SERVICE("b", "new.io") SERVICE("c", "a.io"));
	assert_int_equal(catalog_seal(catalog), 0);
	assert_int_equal(catalog_services(catalog), 3);
	assert_string_equal(catalog_service(catalog, 0)->id, "a");
	assert_string_equal(catalog_service(catalog, 1)->id, "b");
	assert_string_equal(catalog_service(catalog, 2)->id, "c");
	/* the whole service is replaced, its hosts too */
	assert_string_equal(found(catalog, "b.io"), "");
	assert_string_equal(found(catalog, "x.old.io"), "");
	assert_string_equal(found(catalog, "new.io"), "b");
	/* of equal patterns the later one's */
	assert_string_equal(found(catalog, "a.io"), "c");
	assert_ptr_equal(catalog_service_by_id(catalog, SPAN_LITERAL("b")),
			 catalog_service(catalog, 1));
	assert_null(catalog_service_by_id(catalog, SPAN_LITERAL("bb")));
	assert_null(catalog_service_by_id(catalog, SPAN_LITERAL("")));

	/* the sum is of the texts, in order */
	assert_int_equal(strlen(catalog_sha256(catalog)), 64);
	add(same, "x", "services:\n" SERVICE("b", "b.io, '*.old.io'") SERVICE("a", "a.io"));
	assert_string_not_equal(catalog_sha256(catalog), catalog_sha256(same));
	add(same, "y", "services:\n" SERVICE("b", "new.io") SERVICE("c", "a.io"));
	assert_string_equal(catalog_sha256(catalog), catalog_sha256(same));
	catalog_free(catalog);
	catalog_free(same);
}

static void test_errors(void **state)
{
	(void)state;
	REFUSE("", "f: a catalogue file needs \"services\"");
	REFUSE("service: []\n",
	       "f:1:1: unknown key \"service\" in a catalogue file, did you mean \"services\"?",
	       "f:1:1: a catalogue file needs \"services\"");
	REFUSE("services:\n  - id: a\n    kindd: x\n",
	       "f:3:5: unknown key \"kindd\" in a service, did you mean \"kind\"?",
	       "f:2:5: a service needs \"vendor\"", "f:2:5: a service needs \"kind\"");
	REFUSE("services:\n  - {id: a, vendor: V, kind: model-apis}\n",
	       "f:2:30: unknown kind \"model-apis\", did you mean \"model-api\"?");
	REFUSE("services:\n" SERVICE("a", "x.io") SERVICE("b", "y.io") SERVICE("a", "z.io"),
	       "f:4:10: duplicate id \"a\", the first on line 2");
	REFUSE("services:\n" SERVICE("a", "x.io") SERVICE("b", "x.io"),
	       "f:3:51: duplicate pattern \"x.io\", the first on line 2");
	REFUSE("services:\n  - {id: A, vendor: V, kind: mcp, country: usa}\n",
	       "f:2:10: an id is a-z, 0-9, '-', '.' or '_', at most 63 characters, not \"unknown\"",
	       "f:2:44: a country is two capital letters, a code of ISO 3166 alpha-2");
	REFUSE("services:\n  - {id: unknown, vendor: V, kind: mcp}\n",
	       "f:2:10: an id is a-z, 0-9, '-', '.' or '_', at most 63 characters, not "
	       "\"unknown\"");
	REFUSE("services:\n  - {id: a, vendor: V, kind: mcp, shared: yes, confidence: 101}\n",
	       "f:2:43: must be true or false", "f:2:60: must be a number from 0 to 100");
	REFUSE("services:\n  - {id: a, vendor: V, kind: mcp, families: [openai-chta]}\n",
	       "f:2:46: unknown family \"openai-chta\", did you mean \"openai-chat\"?");
	REFUSE("services:\n  - {id: a, vendor: V, kind: mcp, api_hosts: [{hosts: x}]}\n",
	       "f:2:48: unknown key \"hosts\" in a host, did you mean \"host\"?",
	       "f:2:47: a host needs \"host\"");
}

static void bad_pattern(const char *text, const char *reason)
{
	struct pattern pattern;
	const char *wrong = pattern_parse(span_str(text), &pattern);

	assert_non_null(wrong);
	assert_string_equal(wrong, reason);
}

static void test_bad_patterns(void **state)
{
	static const char odd[] =
		"a host name has only a-z, 0-9, '-', '_' and '.', a pattern '*' too";

	(void)state;
	REFUSE("services:\n  - {id: a, vendor: V, kind: mcp, api_hosts: [Api.x.io, '*.com']}\n",
	       "f:2:47: bad host pattern \"Api.x.io\": upper-case letters never match",
	       "f:2:57: bad host pattern \"*.com\": a '*' needs at least two literal labels behind "
	       "it");
	bad_pattern("", "empty pattern");
	bad_pattern("a..b", "empty label");
	bad_pattern(".a.b", "empty label");
	bad_pattern("a.b.", "empty label");
	bad_pattern("-a.b", "a label neither begins nor ends with '-'");
	bad_pattern("https://a.b", odd);
	bad_pattern("\xc3\xa4.b", "an international name is written as on the wire, with xn--");
	bad_pattern("a.b/", "empty segment of a path");
	bad_pattern("a.b//c", "empty segment of a path");
	bad_pattern("a.b/c/", "empty segment of a path");
	bad_pattern("a.b/../c", "a path has no segments \".\" and \"..\"");
	bad_pattern("a.b/c*", "a '*' in a path stands for a whole segment");
	bad_pattern("a.b/c?d",
		    "a path has neither blanks nor '?', '#', '%' and '\\', and is ASCII");
	bad_pattern("a.b/c d",
		    "a path has neither blanks nor '?', '#', '%' and '\\', and is ASCII");
	bad_pattern("/c", "empty pattern");
	bad_pattern("a b.c", odd);
	bad_pattern("*", "a '*' needs at least two literal labels behind it");
	bad_pattern("a.*", "a '*' needs at least two literal labels behind it");
	bad_pattern("a.*.com", "a '*' needs at least two literal labels behind it");
	bad_pattern("a*b*.c.d", "more than one '*' in a label");
	bad_pattern("*.a.*.c.d", "a pattern that begins with \"*.\" has no other '*'");
	bad_pattern("*.amazonaws.com", "matches hosts of unrelated parties");
	bad_pattern("*.co.uk", "matches hosts of unrelated parties");
	bad_pattern("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.io",
		    "label of more than 63 characters");
}

static void test_glob_cap(void **state)
{
	char text[8192] = "services:\n  - id: a\n    vendor: V\n    kind: mcp\n    api_hosts:\n";
	struct catalog *catalog = catalog_new();
	size_t len = strlen(text);

	(void)state;
	for (int i = 0; i < CATALOG_GLOBS_PER_SUFFIX_MAX; i++)
		len += (size_t)sprintf(text + len, "      - x%d-*.a.io\n", i);
	add(catalog, "f", text);
	strcpy(text + len, "      - y-*.b.io\n      - y-*.a.io\n");
	REFUSE(text, "f:71:9: too many patterns with a '*' end in \"a.io\", the first on line 6");
	catalog_free(catalog);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most_specific), cmocka_unit_test(test_host_forms),
		cmocka_unit_test(test_match),         cmocka_unit_test(test_port),
		cmocka_unit_test(test_override),      cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bad_patterns),  cmocka_unit_test(test_glob_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
