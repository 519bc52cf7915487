/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "catalog/catalog.h"
#include "util/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct scan {
	const struct catalog_match *match; /* NULL: nothing was found */
	bool seen, any;
};

static void on_pattern(void *ctx, const struct catalog_pattern *pattern)
{
	struct scan *scan = ctx;

	if (pattern->replaced || pattern->path_else)
		return;
	scan->any = true;
	scan->seen |= scan->match && pattern->service == scan->match->service &&
		      span_eq(pattern->text, scan->match->pattern);
}

/* What a look-up finds is among what a scan of all patterns finds, and the other way round. */
static void look_up(const struct catalog *catalog, struct span host, struct span path)
{
	struct catalog_match match;
	struct scan scan = {0};

	if (catalog_lookup(catalog, host, path, &match)) {
		scan.match = &match;
		assert(match.other_count <= CATALOG_OPEN_MAX);
		assert(match.confidence <= 100);
	}
	assert(catalog_explain(catalog, host, path, on_pattern, &scan) == 0);
	assert(scan.any == (scan.match != NULL));
	assert(scan.seen == (scan.match != NULL));
}

static const char first[] =
	"services:\n"
	"  - {id: a, vendor: A, kind: mcp, api_hosts: [a.io, '*.a.io'], url_prefixes: [b.io/x]}\n";

/* HOST, a line end, PATH, a line end, and a catalogue file that comes after a small one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of((const char *)data, size), part[2];
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};
	size_t before;
	int r;

	for (size_t i = 0; i < 2; i++) {
		const char *end = text.len ? memchr(text.at, '\n', text.len) : NULL;

		part[i] = span_of(text.at, end ? (size_t)(end - text.at) : text.len);
		text = span_skip(text, part[i].len + 1);
	}
	assert(catalog_add(catalog, "first", span_of(first, sizeof(first) - 1), &diag) == 0);
	assert(catalog_seal(catalog) == 0);
	before = catalog_services(catalog);
	r = catalog_add(catalog, "fuzz", text, &diag);
	assert((r < 0) == diag_any(&diag));
	assert(catalog_seal(catalog) == 0);
	assert(catalog_services(catalog) >= before);
	assert(r == 0 || catalog_services(catalog) == before);
	look_up(catalog, part[0], part[1]);
	look_up(catalog, part[0], (struct span){0});
	for (size_t i = 0; i < catalog_services(catalog); i++) {
		const struct service *service = catalog_service(catalog, i);
		struct catalog_pattern pattern;

		assert(service->id && service->vendor && service->kind && service->provider);
		for (size_t j = 0; j < service->pattern_count; j++) {
			catalog_service_pattern(catalog, service, j, &pattern);
			assert(pattern.service == service && !pattern.replaced);
		}
	}
	catalog_free(catalog);
	diag_done(&diag);
	return 0;
}
