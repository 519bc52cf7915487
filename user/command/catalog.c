/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <strings.h>

#include "catalog/catalog.h"
#include "command/catalog_show.h"
#include "command/rule_files.h"
#include "gnomon/limits.h"
#include "policy/policy.h"
#include "util/authority.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/punycode.h"

static const char usage[] =
	"usage: gnomon catalog list [--kind KIND] [--vendor TEXT] [--country CODE] [--json]\n"
	"       gnomon catalog lookup [--json] HOST[/PATH]\n"
	"       gnomon catalog check [PATH...]\n"
	"\n"
	"  list     one line per service: id, kind, country, patterns, vendor\n"
	"  lookup   which service a host or URL belongs to, which pattern says so, and which do "
	"not\n"
	"  check    load the catalogue and report every error\n"
	"\n"
	"  --kind, --country   services of that kind (model-api ...), of that country (US ...)\n"
	"  --vendor            services whose vendor has TEXT in its name\n"
	"  --json              JSON, for list an object a line\n"
	"  --rules PATH        adds a file or directory, as for `run`; may be repeated\n"
	"\n"
	"The catalogue is what is built in and what " RULES_DIRECTORY
	" adds; `check PATH` takes what is\n"
	"built in and those files or directories.\n"
	"\n"
	"Exit status: 0 good, 1 the host is not in the catalogue, 2 an error, 64 wrong usage.\n";

/* Beyond all exit codes. */
#define HELPED 1000

struct options {
	struct catalog_filter filter;
	bool json;
	const char *rules[RULE_PATHS_MAX];
	size_t rule_count;
};

static int load(struct catalog **catalog, const char *directory, const char *const *paths,
		size_t count)
{
	_cleanup_(diag_done) struct diag diag = {0};
	struct rule_set rules = {0};
	int r = rules_load_from(directory, &rules, paths, count, &diag);

	diag_print(&diag, stderr);
	if (r == 0)
		*catalog = TAKE_PTR(rules.catalog);
	rule_set_done(&rules);
	return r;
}

static int list(const struct catalog *catalog, const struct options *options)
{
	for (size_t i = 0; i < catalog_services(catalog); i++) {
		const struct service *service = catalog_service(catalog, i);

		if (catalog_filter_takes(&options->filter, service))
			catalog_show_service(catalog, service, options->json);
	}
	return EXIT_CLEAN;
}

static int lookup(const struct catalog *catalog, const char *text, bool json)
{
	struct span path, host = authority_host(url_authority(span_str(text), &path));
	char wire[HOST_NAME_MAX_BYTES];
	int r = punycode_host(host, wire, sizeof(wire));

	if (r < 0) {
		fprintf(stderr, "gnomon: %s: no host has such a name\n", text);
		return EXIT_FINDINGS;
	}
	r = catalog_show_lookup(catalog, span_of(wire, (size_t)r), path, json);
	if (r == -ENOENT && !json)
		fprintf(stderr, "gnomon: %s: no pattern of the catalogue matches\n", text);
	if (r == -ENOMEM)
		fprintf(stderr, "gnomon: out of memory\n");
	return r == 0 ? EXIT_CLEAN : r == -ENOENT ? EXIT_FINDINGS : EXIT_ERROR;
}

static int check(const struct catalog *catalog)
{
	size_t patterns = 0;

	for (size_t i = 0; i < catalog_services(catalog); i++)
		patterns += catalog_service(catalog, i)->pattern_count;
	printf("%zu services, %zu patterns, %zu KB: no errors\n", catalog_services(catalog),
	       patterns, catalog_bytes(catalog) / 1024);
	return EXIT_CLEAN;
}

static int usage_error(const char *message, const char *word)
{
	fprintf(stderr, "gnomon: catalog: %s%s\n%s", message, word, usage);
	return EXIT_USAGE;
}

static bool is_kind(const char *word)
{
	for (const char *const *kind = catalog_kinds; *kind; kind++)
		if (strcmp(word, *kind) == 0)
			return true;
	return false;
}

/* A negative result is an exit code's: usage was wrong, or help was asked for. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
		{"kind", required_argument, NULL, 'k'},
		{"vendor", required_argument, NULL, 'v'},
		{"country", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'},
		{"rules", required_argument, NULL, 'r'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		switch (c) {
		case 'k':
			if (!is_kind(optarg))
				return -usage_error("unknown kind ", optarg);
			options->filter.kind = optarg;
			break;
		case 'v':
			options->filter.vendor = optarg;
			break;
		case 'c':
			options->filter.country = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'r':
			if (options->rule_count == RULE_PATHS_MAX)
				return -usage_error("too many --rules", "");
			options->rules[options->rule_count++] = optarg;
			break;
		case ':':
			return -usage_error("a value is missing after ", argv[optind - 1]);
		case 'h':
			fputs(usage, stdout);
			return -HELPED;
		default:
			return -usage_error("unknown option ", argv[optind - 1]);
		}
	}
	return optind;
}

/* What does not fit the subcommand, or NULL. */
static const char *misuse(const char *word, const struct options *options, int words)
{
	bool filtered = options->filter.kind || options->filter.vendor || options->filter.country;

	if (strcmp(word, "list") == 0)
		return words ? "list takes no argument" : NULL;
	if (filtered)
		return "--kind, --vendor and --country are for list";
	if (strcmp(word, "lookup") == 0)
		return words != 1 ? "lookup takes one host" : NULL;
	if (options->json)
		return "check has no --json";
	return options->rule_count ? "check takes its files as arguments" : NULL;
}

static int run(const char *word, const struct options *options, int count, char **words)
{
	bool is_check = strcmp(word, "check") == 0;
	struct catalog *catalog = NULL;
	const char *wrong = misuse(word, options, count);
	int result;

	if (wrong)
		return usage_error(wrong, "");
	if (load(&catalog, is_check && count ? NULL : RULES_DIRECTORY,
		 is_check ? (const char *const *)words : options->rules,
		 is_check ? (size_t)count : options->rule_count) < 0)
		return EXIT_ERROR;
	if (is_check)
		result = check(catalog);
	else if (strcmp(word, "list") == 0)
		result = list(catalog, options);
	else
		result = lookup(catalog, words[0], options->json);
	catalog_free(catalog);
	return result;
}

int command_catalog(int argc, char **argv)
{
	static const char *const words[] = {"list", "lookup", "check"};
	struct options options = {0};
	int first = parse(argc, argv, &options);

	if (first < 0)
		return first == -HELPED ? EXIT_CLEAN : -first;
	if (first == argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(argv[first], words[i]) == 0)
			return run(words[i], &options, argc - first - 1, argv + first + 1);
	return usage_error("unknown subcommand ", argv[first]);
}
