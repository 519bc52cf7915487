/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/span.h"

/* What --events chooses: bits of event_classes. */
enum event_class {
	CLASS_ALERT = 1 << 0,
	CLASS_LLM = 1 << 1,
	CLASS_CONNECTION = 1 << 2,
	CLASS_SERVER = 1 << 3,
	CLASS_STATUS = 1 << 4,
	CLASS_ALL = (1 << 5) - 1,
};

/* The options of `run` and `audit`: defaults, then the configuration file, then the command line. */
struct settings {
	const char *rules[RULE_PATHS_MAX];
	size_t rule_count;
	const char *outputs[OUTPUTS_MAX];
	size_t output_count;
	unsigned int classes; /* of enum event_class */
	const char *format;   /* run: ecs; audit: text, json, html */
	uint64_t duration_s;  /* 0: no end */
	bool ai_only;         /* --scope ai */
	bool verbose;
	const char *salt_path; /* --fleet-salt-file; NULL: none */
	struct label {
		char name[LABEL_NAME_MAX + 1];
		char value[LABEL_VALUE_MAX + 1];
	} labels[LABELS_MAX];
	size_t label_count;
	/* audit */
	const char *capture; /* -r */
	const char *filter;
	const char *report_path; /* -o */
	int fail_on;             /* enum severity */
	bool all;
	/* what the configuration file and joined arguments own */
	char *owned[RULE_PATHS_MAX + OUTPUTS_MAX + LABELS_MAX + 8];
	size_t owned_count;
};

/* Parse argv from its first word, the command's name. -1: go on. Otherwise the exit status: help was
 * printed, or the usage was wrong and said so on stderr. */
int settings_parse_run(struct settings *settings, int argc, char **argv);
int settings_parse_audit(struct settings *settings, int argc, char **argv);
/* Between interim events of open connections: CONNECTION_INTERIM_S, or what the environment variable
 * GNOMON_INTERIM_SECONDS of the tests says. */
uint64_t settings_interim_ns(void);
/* The labels as a JSON object, in `to`; empty without any. */
struct span settings_labels(const struct settings *settings, char to[static LABELS_TEXT_MAX]);
/* Between checks of files with probes: HEALTH_INTERVAL_S, or GNOMON_HEALTH_SECONDS. */
uint64_t settings_health_ns(void);
void settings_done(struct settings *settings);
