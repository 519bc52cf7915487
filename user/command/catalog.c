/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/command.h"

#include <stdio.h>

#include "catalog/catalog.h"
#include "command/rule_files.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"

static const char usage[] =
	"usage: gnomon catalog list\n"
	"       gnomon catalog lookup HOST\n"
	"       gnomon catalog check [PATH...]\n"
	"\n"
	"  list     one line per service: id, kind, country, patterns, vendor\n"
	"  lookup   which service a host belongs to, and by which pattern\n"
	"  check    load the catalogue and report every error\n"
	"\n"
	"The catalogue is what is built in and what " RULES_DIRECTORY
	" adds; with PATH, a file or\n"
	"directory, it is what is built in and those.\n"
	"\n"
	"Exit status: 0 good, 1 the host is not in the catalogue, 2 an error, 64 wrong usage.\n";

static int load(struct catalog **catalog, int count, char **paths)
{
	_cleanup_(diag_done) struct diag diag = {0};
	struct rule_set rules = {0};
	int r = rules_load_from(count ? NULL : RULES_DIRECTORY, &rules, (const char *const *)paths,
				(size_t)count, &diag);

	diag_print(&diag, stderr);
	if (r == 0)
		*catalog = TAKE_PTR(rules.catalog);
	rule_set_done(&rules);
	return r;
}

static int list(const struct catalog *catalog)
{
	for (size_t i = 0; i < catalog_services(catalog); i++) {
		const struct service *service = catalog_service(catalog, i);

		printf("%s\t%s\t%s\t%zu\t%s\n", service->id, service->kind,
		       service->country ? service->country : "-", service->pattern_count,
		       service->vendor);
	}
	return EXIT_CLEAN;
}

static void print_words(const char *name, const struct span *words, size_t count)
{
	if (count == 0)
		return;
	printf("%-14s", name);
	for (size_t i = 0; i < count; i++)
		printf("%s%.*s", i ? ", " : "", (int)words[i].len, words[i].at);
	printf("\n");
}

static int lookup(const struct catalog *catalog, const char *host)
{
	static const char *const how[] = {
		[CATALOG_HOST_EXACT] = "this host",
		[CATALOG_HOST_SUFFIX] = "every host below",
		[CATALOG_HOST_GLOB] = "a wildcard within labels",
	};
	const struct service *service;
	struct catalog_match match;

	if (!catalog_lookup(catalog, span_str(host), &match)) {
		fprintf(stderr, "gnomon: %s: no pattern of the catalogue matches\n", host);
		return EXIT_FINDINGS;
	}
	service = match.service;
	printf("%-14s%s\n", "service", service->id);
	printf("%-14s%s\n", "vendor", service->vendor);
	printf("%-14s%s\n", "kind", service->kind);
	if (service->country)
		printf("%-14s%s\n", "country", service->country);
	printf("%-14s%s\n", "provider", service->provider);
	printf("%-14s%s (%s)\n", "pattern", match.pattern, how[match.how]);
	printf("%-14s%s\n", "serves", match.api ? "an API" : "a web front end");
	printf("%-14s%s\n", "shared",
	       match.shared ? "yes: the host serves other things too" : "no");
	if (match.assets)
		printf("%-14s%s\n", "assets", "yes: pictures and scripts, presence at most");
	printf("%-14s%u\n", "confidence", match.confidence);
	print_words("families", service->families, service->family_count);
	print_words("keys", service->key_prefixes, service->key_prefix_count);
	return EXIT_CLEAN;
}

static int check(const struct catalog *catalog)
{
	size_t patterns = 0;

	for (size_t i = 0; i < catalog_services(catalog); i++)
		patterns += catalog_service(catalog, i)->pattern_count;
	printf("%zu services, %zu patterns: no errors\n", catalog_services(catalog), patterns);
	return EXIT_CLEAN;
}

static int usage_error(const char *message, const char *word)
{
	fprintf(stderr, "gnomon: catalog: %s%s\n%s", message, word, usage);
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	struct catalog *catalog = NULL;
	const char *word = argv[1];
	int result;

	if (strcmp(word, "list") == 0 && argc != 2)
		return usage_error("list takes no argument", "");
	if (strcmp(word, "lookup") == 0 && argc != 3)
		return usage_error("lookup takes one host", "");
	if (strcmp(word, "list") != 0 && strcmp(word, "lookup") != 0 && strcmp(word, "check") != 0)
		return usage_error("unknown subcommand ", word);
	if (load(&catalog, strcmp(word, "check") == 0 ? argc - 2 : 0, argv + 2) < 0)
		return EXIT_ERROR;
	if (strcmp(word, "list") == 0)
		result = list(catalog);
	else if (strcmp(word, "lookup") == 0)
		result = lookup(catalog, argv[2]);
	else
		result = check(catalog);
	catalog_free(catalog);
	return result;
}

int command_catalog(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(usage, stdout);
			return EXIT_CLEAN;
		}
		if (argv[i][0] == '-')
			return usage_error("unknown option ", argv[i]);
	}
	if (argc < 2) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return run(argc, argv);
}
