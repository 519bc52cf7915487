/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "util/cleanup.h"

static const struct {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"run", "watch this host and write events as JSON lines", command_run},
	{"audit", "report the AI services in a capture file", command_audit},
	{"rules", "check, test and list policy rules", command_rules},
	{"catalog", "list and look up AI services", command_catalog},
	{"doctor", "say what this kernel and these processes allow to see", command_doctor},
};

static void help(FILE *to)
{
	fputs("usage: gnomon COMMAND [options]\n\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\n`gnomon COMMAND --help` says more. gnomon --version [--json] says which this "
	      "is.\n",
	      to);
}

static int version(bool json)
{
	if (json)
		printf("{\"name\":\"gnomon\",\"version\":\"%s\"}\n", GNOMON_VERSION);
	else
		printf("gnomon %s\n", GNOMON_VERSION);
	return EXIT_CLEAN;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(stdout);
		return EXIT_CLEAN;
	}
	if (strcmp(argv[1], "--version") == 0)
		return version(argc > 2 && strcmp(argv[2], "--json") == 0);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "gnomon: no command \"%s\"; try `gnomon --help`\n", argv[1]);
	return EXIT_USAGE;
}
