/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nanoseconds of one catalogue look-up with 100,000 patterns: a quarter exact with subdomains, a half
 * suffixes, a quarter globs that share their endings by 25. Hosts are taken in an order that caches
 * cannot guess. Fails when the mean of a kind is above the promised 200 ns.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "catalog/catalog.h"
#include "util/cleanup.h"
#include "util/diag.h"

#define PATTERNS   100000
#define LOOKUPS    4000000
#define HOSTS      65536
#define PROMISE_NS 200.0

static uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void pattern_text(char *to, size_t cap, unsigned int i)
{
	switch (i % 4) {
	case 0:
		snprintf(to, cap, "api.vendor-%u.example.com", i);
		break;
	case 1:
		snprintf(to, cap, "'*.svc-%u.example.net'", i);
		break;
	case 2:
		snprintf(to, cap, "'*.host-%u.io'", i);
		break;
	default:
		snprintf(to, cap, "runtime-%u.*.cloud-%u.example.org", i % 100, i / 100);
	}
}

static void host_text(char *to, size_t cap, unsigned int i)
{
	switch (i % 4) {
	case 0:
		snprintf(to, cap, "api.vendor-%u.example.com", i);
		break;
	case 1:
		snprintf(to, cap, "eu.chat.svc-%u.example.net", i);
		break;
	case 2:
		snprintf(to, cap, "www.host-%u.io", i);
		break;
	default:
		snprintf(to, cap, "runtime-%u.us-east-1.cloud-%u.example.org", i % 100, i / 100);
	}
}

static struct catalog *build(void)
{
	struct catalog *catalog = catalog_new();
	struct diag diag = {0};
	char *text = NULL, pattern[80];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs("services:\n", out);
	for (unsigned int i = 0; i < PATTERNS; i++) {
		if (i % 100 == 0)
			fprintf(out, "- id: s%u\n  vendor: V\n  kind: mcp\n  api_hosts:\n",
				i / 100);
		pattern_text(pattern, sizeof(pattern), i);
		fprintf(out, "  - %s\n", pattern);
	}
	fclose(out);
	if (catalog_add(catalog, "bench", span_of(text, len), &diag) < 0 ||
	    catalog_seal(catalog) < 0) {
		diag_print(&diag, stderr);
		exit(2);
	}
	free(text);
	return catalog;
}

static double measure(const struct catalog *catalog, const char *name, bool hits)
{
	static char hosts[HOSTS][64];
	struct timespec start, end;
	struct catalog_match match;
	uint32_t random = 1;
	size_t found = 0;
	double ns;

	for (size_t i = 0; i < HOSTS; i++) {
		host_text(hosts[i], sizeof(hosts[i]), random_next(&random) % PATTERNS);
		if (!hits)
			hosts[i][strlen(hosts[i]) - 1] = 'x';
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (size_t i = 0; i < LOOKUPS; i++)
		found += catalog_lookup(catalog, span_str(hosts[i % HOSTS]), &match);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (found != (hits ? LOOKUPS : 0)) {
		fprintf(stderr, "%s: %zu of %d found\n", name, found, LOOKUPS);
		exit(2);
	}
	ns = ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) /
	     LOOKUPS;
	printf("catalog_lookup %s %d patterns: %.0f ns\n", name, PATTERNS, ns);
	return ns;
}

int main(void)
{
	struct catalog *catalog = build();
	double hit = measure(catalog, "hit", true);
	double miss = measure(catalog, "miss", false);

	catalog_free(catalog);
	return hit > PROMISE_NS || miss > PROMISE_NS;
}
