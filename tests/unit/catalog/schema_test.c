/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog/catalog.h"
#include "unit/schema.h"

/* Catalogue files against rules/schema/providers.schema.json. */

#define SCHEMA "rules/schema/providers.schema.json"

static void test_shipped(void **state)
{
	(void)state;
	check_folder(SCHEMA, "rules/providers", 10);
}

/* What is wrong to the loader for its form is wrong to the schema, and the other way round. */
static void test_agreement(void **state)
{
#define OVERRIDE "services: [{override: base"
#define SERVICE  "services: [{id: a, vendor: V, kind: mcp"
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"services: []", true},
		{"service: []", false},
		{"services: [{id: a}]", false},
		{"services: [{id: A, vendor: V, kind: mcp}]", false},
		{"services: [{id: a, vendor: V, kind: mpc}]", false},
		{"services: [{id: a, vendor: '', kind: mcp}]", false},
		{SERVICE "}]", true},
		{SERVICE ", country: NO, provider: openai, shared: true, confidence: 0}]", true},
		{SERVICE ", country: no}]", false},
		{SERVICE ", shared: yes}]", false},
		{SERVICE ", confidence: 101}]", false},
		{SERVICE ", families: [gemini, tgi]}]", true},
		{SERVICE ", families: [gemnii]}]", false},
		{SERVICE ", ports: [80], other_ports: [65535]}]", true},
		{SERVICE ", ports: [http]}]", false},
		{SERVICE ", key_prefixes: [sk-]}]", true},
		{SERVICE ", key_prefixes: ['']}]", false},
		{SERVICE ", api_hosts: [a.io, '*.b.io', x-*.c.io]}]", true},
		{SERVICE ", api_hosts: [{host: a.io, shared: true, confidence: 70}]}]", true},
		{SERVICE ", api_hosts: [{host: a.io, port: 80}]}]", false},
		{SERVICE ", api_hosts: [{shared: true}]}]", false},
		{SERVICE ", api_hosts: [A.io]}]", false},
		{SERVICE ", web_hosts: [a..io]}]", false},
		{SERVICE ", other_hosts: [a.io/x]}]", false},
		{SERVICE ", url_prefixes: [a.io/x, '*.b.io/*/y', {url: c.io/z}]}]", true},
		{SERVICE ", url_prefixes: [a.io]}]", false},
		{SERVICE ", url_prefixes: [a.io/]}]", false},
		{SERVICE ", url_prefixes: [a.io/x?y]}]", false},
		{SERVICE ", url_prefixes: [{host: a.io/x}]}]", false},
		{SERVICE ", remove: [a.io]}]", false},
		{OVERRIDE "}]", true},
		{OVERRIDE ", kind: gateway, api_hosts: [n.io], remove: [base.io]}]", true},
		{OVERRIDE ", kind: gatway}]", false},
		{OVERRIDE ", id: a}]", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct catalog *catalog = catalog_new();
		struct diag diag = {0};
		int r;

		assert_int_equal(
			catalog_add(catalog, "f",
				    SPAN_LITERAL("services: [{id: base, vendor: B, kind: mcp, "
						 "api_hosts: [base.io]}]"),
				    &diag),
			0);
		r = catalog_add(catalog, "g", span_str(cases[i].text), &diag);
		if ((r == 0) != cases[i].good)
			fail_msg("%s: %s", cases[i].text,
				 diag.count ? diag.messages[0] : "no error");
		if (follows(SCHEMA, "g", span_str(cases[i].text)) != cases[i].good)
			fail_msg("%s: the schema says otherwise", cases[i].text);
		catalog_free(catalog);
		diag_done(&diag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_agreement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
