/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Nanoseconds of one catalogue look-up with 100,000 patterns, of the kinds that the shipped
 * catalogue has in about its proportions: of 16, ten exact, five suffixes, one glob; 25 globs share
 * an ending. Hosts come in an order that caches cannot guess: 4,096 different ones, more than a
 * busy gateway sees at a time, and 65,536, which is waiting for memory. Fails when the former take
 * more than the promised 200 ns on average.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "catalog/catalog.h"
#include "util/cleanup.h"
#include "util/diag.h"

#define PATTERNS   100000
#define LOOKUPS    1000000
#define ROUNDS     5
#define HOSTS_WARM 4096
#define HOSTS_COLD 65536
#define PROMISE_NS 200.0

static uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

enum kind { EXACT, SUFFIX, GLOB };

static enum kind kind_of(unsigned int i)
{
	return i % 16 < 10 ? EXACT : i % 16 < 15 ? SUFFIX : GLOB;
}

/* The i-th pattern, or a host that it matches. */
static void make_text(char *to, size_t cap, unsigned int i, bool host)
{
	switch (kind_of(i)) {
	case EXACT:
		snprintf(to, cap, "api.vendor-%u.example.com", i);
		break;
	case SUFFIX:
		snprintf(to, cap, "%ssvc-%u.example.net%s", host ? "www." : "'*.", i,
			 host ? "" : "'");
		break;
	case GLOB:
		snprintf(to, cap, "runtime-%u.%s.cloud-%u.example.org", i % 400,
			 host ? "us-east-1" : "*", i / 400);
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
		make_text(pattern, sizeof(pattern), i, false);
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

static double measure(const struct catalog *catalog, size_t host_count, bool hits)
{
	static char hosts[HOSTS_COLD][64];
	struct timespec start, end;
	struct catalog_match match;
	uint32_t random = 1;
	double ns, best = 0;
	size_t found;

	for (size_t i = 0; i < host_count; i++) {
		make_text(hosts[i], sizeof(hosts[i]), random_next(&random) % PATTERNS, true);
		if (!hits)
			hosts[i][strlen(hosts[i]) - 1] = 'x';
	}
	/* The best of some rounds of processor time: the machine is not ours alone. */
	for (int round = 0; round < ROUNDS; round++) {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
		found = 0;
		for (size_t i = 0; i < LOOKUPS; i++)
			found += catalog_lookup(catalog, span_str(hosts[i % host_count]),
						(struct span){0}, &match);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
		if (found != (hits ? LOOKUPS : 0)) {
			fprintf(stderr, "%zu of %d found\n", found, LOOKUPS);
			exit(2);
		}
		ns = ((double)(end.tv_sec - start.tv_sec) * 1e9 +
		      (double)(end.tv_nsec - start.tv_nsec)) /
		     LOOKUPS;
		if (round == 0 || ns < best)
			best = ns;
	}
	printf("catalog_lookup %s, %d patterns, %zu hosts: %.0f ns\n", hits ? "hit" : "miss",
	       PATTERNS, host_count, best);
	return best;
}

int main(void)
{
	struct catalog *catalog = build();
	double hit = measure(catalog, HOSTS_WARM, true);
	double miss = measure(catalog, HOSTS_WARM, false);

	measure(catalog, HOSTS_COLD, true);
	measure(catalog, HOSTS_COLD, false);
	catalog_free(catalog);
	return hit > PROMISE_NS || miss > PROMISE_NS;
}
