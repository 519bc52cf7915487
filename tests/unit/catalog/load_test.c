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

/* Reading catalogue files: what they replace and change, and every message. */

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

static void test_change(void **state)
{
	static const char first[] =
		"services:\n"
		"  - id: a\n"
		"    vendor: Old\n"
		"    kind: model-api\n"
		"    country: US\n"
		"    provider: openai\n"
		"    api_hosts: [a.io, '*.b.io', {host: s.io, shared: true, confidence: 30}]\n"
		"    url_prefixes: [c.io/x]\n"
		"    families: [gemini]\n"
		"    key_prefixes: [k-]\n"
		"    ports: [80]\n";
	static const char second[] = "services:\n"
				     "  - override: a\n"
				     "    vendor: New\n"
				     "    country: FR\n"
				     "    confidence: 50\n"
				     "    api_hosts: [n.io]\n"
				     "    families: [tgi]\n"
				     "    ports: [81]\n"
				     "    remove: ['*.b.io', c.io/x]\n";
	static const char third[] = "services:\n  - {override: a, kind: gateway, remove: [n.io]}\n";
	struct catalog *catalog = catalog_new();
	const struct service *service;
	struct catalog_match match;

	(void)state;
	add(catalog, "f", first);
	add(catalog, "g", second);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_int_equal(catalog_services(catalog), 1);
	service = catalog_service(catalog, 0);
	assert_string_equal(service->vendor, "New");
	assert_string_equal(service->kind, "model-api");
	assert_string_equal(service->country, "FR");
	assert_string_equal(service->provider, "openai");
	assert_int_equal(service->pattern_count, 3);
	assert_int_equal(service->family_count, 2);
	assert_int_equal(service->key_prefix_count, 1);
	assert_int_equal(service->port_count, 2);
	assert_string_equal(found_url(catalog, "a.io"), "a");
	assert_string_equal(found_url(catalog, "n.io"), "a");
	assert_string_equal(found_url(catalog, "s.io"), "a?");
	assert_string_equal(found_url(catalog, "x.b.io"), "");
	assert_string_equal(found_url(catalog, "c.io/x"), "");
	/* `confidence` is of what is added */
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("n.io"), (struct span){0}, &match));
	assert_int_equal(match.confidence, 50);
	assert_true(catalog_lookup(catalog, SPAN_LITERAL("a.io"), (struct span){0}, &match));
	assert_int_equal(match.confidence, 95);
	/* a change of what is changed already */
	add(catalog, "h", third);
	assert_int_equal(catalog_seal(catalog), 0);
	service = catalog_service(catalog, 0);
	assert_string_equal(service->kind, "gateway");
	assert_string_equal(service->vendor, "New");
	assert_string_equal(found_url(catalog, "n.io"), "");
	assert_string_equal(found_url(catalog, "a.io"), "a");
	catalog_free(catalog);
}

/* The last message on a second file, after one with the services "first" and "second". */
static void refuse_second(const char *text, size_t count, const char *message)
{
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};

	add(catalog, "f", "services:\n" SERVICE("first", "a.io") SERVICE("second", "b.io"));
	assert_int_equal(catalog_add(catalog, "g", span_str(text), &diag), -EINVAL);
	assert_int_equal(diag.count, count);
	assert_string_equal(diag.messages[count - 1], message);
	assert_int_equal(catalog_seal(catalog), 0);
	assert_string_equal(found_url(catalog, "a.io"), "first");
	catalog_free(catalog);
	diag_done(&diag);
}

static void test_change_errors(void **state)
{
	(void)state;
	refuse_second("services: [{override: frist}]\n", 1,
		      "g:1:23: no earlier file has a service \"frist\", did you mean \"first\"?");
	/* an entry of the same file is not an earlier one */
	refuse_second("services:\n" SERVICE("new", "n.io") "  - {override: new}\n", 2,
		      "g:3:16: duplicate id \"new\", the first on line 2");
	refuse_second("services: [{override: first, remove: [c.io]}]\n", 1,
		      "g:1:39: first has no such pattern, did you mean \"a.io\"?");
	refuse_second("services: [{override: first, remove: [[a.io]]}]\n", 1,
		      "g:1:39: first has no such pattern");
	refuse_second("services: [{override: first, id: x}]\n", 1,
		      "g:1:30: unknown key \"id\" in an override of a service");
	refuse_second("services: [{override: first, api_hosts: [a.io]}]\n", 1,
		      "g:1:42: duplicate pattern \"a.io\", the first on line 1");
	refuse_second("services: [{override: first, remove: [a.io]}, {override: first, remove: "
		      "[a.io]}]\n",
		      1, "g:1:58: duplicate id \"first\", the first on line 1");
}

static void test_value_errors(void **state)
{
	(void)state;
	REFUSE("services:\n  - {id: a, vendor: '', kind: mcp}\n", "f:2:21: empty, or holds a NUL");
	REFUSE("services:\n  - {id: a, vendor: V, kind: mcp, key_prefixes: [\"x\\0\"]}\n",
	       "f:2:50: empty, or holds a NUL");
	REFUSE("services:\n  - {id: a, vendor: V, kind: mcp, families: [[x]], key_prefixes: "
	       "[{}]}\n",
	       "f:2:46: must be a string", "f:2:67: must be a string");
	REFUSE("services:\n  - {id: a, vendor: V, kind: mcp, ports: [0, 65536, x, [1]]}\n",
	       "f:2:43: a port is a number from 1 to 65535",
	       "f:2:46: a port is a number from 1 to 65535",
	       "f:2:53: a port is a number from 1 to 65535",
	       "f:2:56: a port is a number from 1 to 65535");
	REFUSE("services:\n  - {id: a, vendor: V, kind: mcp, other_ports: [no]}\n",
	       "f:2:49: a port is a number from 1 to 65535");
	REFUSE("services:\n  - {id: a, vendor: V, kind: mcp, country: UK}\n",
	       "f:2:44: a country is two capital letters, a code of ISO 3166 alpha-2");
	REFUSE("services:\n  - {id: a, vendor: V, kind: mcp, api_hosts: [a.io/x],\n"
	       "     url_prefixes: [a.io, {url: b.io}, {host: a.io/x}]}\n",
	       "f:2:47: bad host pattern \"a.io/x\": a path makes it one of \"url_prefixes\"",
	       "f:3:21: bad URL pattern \"a.io\": a URL prefix has a path",
	       "f:3:33: bad URL pattern \"b.io\": a URL prefix has a path",
	       "f:3:41: unknown key \"host\" in a URL prefix",
	       "f:3:40: a URL prefix needs \"url\"");
	REFUSE("services: [a]\n", "f:1:12: a service must be a mapping, not a scalar");
	REFUSE("services: {}\n", "f:1:11: \"services\" must be a list, not a mapping");
}

/* What no file of a hostile or mistaken author may do. */
static void test_hostile(void **state)
{
	char *deep = calloc(1, 4096), *big = malloc(70000);

	(void)state;
	REFUSE("services: &a [*a, *a]\n", "f:1:11: anchors are not supported",
	       "f:1:15: aliases are not supported", "f:1:19: aliases are not supported");
	REFUSE("services:\n  - {id: \xff, vendor: V, kind: mcp}\n",
	       "f:2:10: not valid UTF-8 text: invalid leading UTF-8 octet");
	strcpy(deep, "services: ");
	memset(deep + 10, '[', 2000);
	refuse(deep, (const char *[]){"f:1:42: nested too deeply"}, 1);
	/* a huge scalar is no pattern; the message quotes little of it */
	memset(big, 'a', 69999);
	memcpy(big, "services: [{id: a, vendor: V, kind: mcp, api_hosts: [", 53);
	strcpy(big + 69990, "]}]\n");
	refuse(big,
	       (const char *[]){"f:1:54: bad host pattern \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": longer than a "
				"host name can be"},
	       1);
	free(deep);
	free(big);
}

static void test_too_many(void **state)
{
	enum { PER_FILE = 100000 };
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};
	char name[32], *text;
	size_t len;
	int r = 0;

	(void)state;
	for (int file = 0; file < CATALOG_PATTERNS_MAX / PER_FILE + 1; file++) {
		FILE *out = open_memstream(&text, &len);

		assert_int_equal(r, 0);
		fprintf(out, "services:\n- {id: s%d, vendor: V, kind: mcp, api_hosts: [x.io", file);
		for (int i = 1; i < PER_FILE; i++)
			fprintf(out, ",%d.io", i);
		fputs("]}\n", out);
		fclose(out);
		snprintf(name, sizeof(name), "f%d", file);
		r = catalog_add(catalog, name, span_of(text, len), &diag);
		free(text);
	}
	assert_int_equal(r, -EINVAL);
	assert_int_equal(diag.count, 1);
	assert_string_equal(diag.messages[0], "f4: more than 400000 patterns in all");
	assert_int_equal(catalog_seal(catalog), 0);
	assert_true(catalog_bytes(catalog) < CATALOG_PATTERNS_MAX * 400UL);
	catalog_free(catalog);
	diag_done(&diag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_override),     cmocka_unit_test(test_errors),
		cmocka_unit_test(test_bad_patterns), cmocka_unit_test(test_glob_cap),
		cmocka_unit_test(test_change),       cmocka_unit_test(test_change_errors),
		cmocka_unit_test(test_value_errors), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
