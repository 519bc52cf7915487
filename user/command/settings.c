/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "gnomon/finding.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/files.h"
#include "util/json_writer.h"
#include "util/yaml.h"

#define DEFAULT_CONFIG "/etc/gnomon/gnomon.yaml"

static const char run_help[] =
	"usage: gnomon run [options]\n"
	"Watches this host until it is told to end (SIGTERM, Ctrl-C). SIGHUP reloads rules.\n"
	"\n"
	"  -c, --config FILE    options from a file [" DEFAULT_CONFIG "]\n"
	"      --rules PATH     more rules: a YAML file or a directory of them; repeatable\n"
	"      --output SPEC    stdout, file:PATH; repeatable [stdout]\n"
	"      --events LIST    of alert,llm,connection,server,status, or all\n"
	"      --format NAME    ecs [ecs]\n"
	"      --scope SCOPE    whose TLS is read: all, or ai: of agents, and of processes once "
	"they\n"
	"                       have connected to an AI service; nobody else pays for it [all]\n"
	"      --label NAME=VALUE  a label of every event; repeatable\n"
	"      --fleet-salt-file FILE  fingerprints of keys and accounts, under this secret\n"
	"      --duration SECS  end after so long, with the exit status of an audit\n"
	"  -v, --verbose        say more on stderr\n"
	"  -h, --help           this\n";

static const char audit_help[] =
	"usage: gnomon audit -r FILE|- [options] [FILTER EXPRESSION]\n"
	"Reads a capture and reports the AI services in it.\n"
	"Exit: 0 clean, 1 findings, 2 error or incomplete, 3 findings and incomplete, 64 usage.\n"
	"\n"
	"  -r FILE              capture file, pcap or pcapng; - is standard input\n"
	"  -n                   accepted for habit; names are never looked up\n"
	"      --rules PATH     more rules: a YAML file or a directory of them; repeatable\n"
	"      --events LIST    with --format json: of alert,llm,connection,server,status, or all\n"
	"      --format NAME    text, json [text]\n"
	"  -o FILE              write there instead of to standard output\n"
	"      --fail-on LEVEL  low, medium, high, critical: findings that matter [medium]\n"
	"      --all            every other connection too, as `connection` events\n"
	"      --label NAME=VALUE  a label of every event; repeatable\n"
	"      --fleet-salt-file FILE  fingerprints of keys and accounts, under this secret\n"
	"  -h, --help           this\n";

enum option_code {
	OPTION_RULES = 256,
	OPTION_OUTPUT,
	OPTION_EVENTS,
	OPTION_FORMAT,
	OPTION_SCOPE,
	OPTION_DURATION,
	OPTION_FAIL_ON,
	OPTION_ALL,
	OPTION_LABEL,
	OPTION_SALT,
};

static const struct option run_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"rules", required_argument, NULL, OPTION_RULES},
	{"output", required_argument, NULL, OPTION_OUTPUT},
	{"events", required_argument, NULL, OPTION_EVENTS},
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"scope", required_argument, NULL, OPTION_SCOPE},
	{"duration", required_argument, NULL, OPTION_DURATION},
	{"label", required_argument, NULL, OPTION_LABEL},
	{"fleet-salt-file", required_argument, NULL, OPTION_SALT},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static const struct option audit_options[] = {
	{"rules", required_argument, NULL, OPTION_RULES},
	{"events", required_argument, NULL, OPTION_EVENTS},
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"fail-on", required_argument, NULL, OPTION_FAIL_ON},
	{"all", no_argument, NULL, OPTION_ALL},
	{"label", required_argument, NULL, OPTION_LABEL},
	{"fleet-salt-file", required_argument, NULL, OPTION_SALT},
	{"help", no_argument, NULL, 'h'},
	{0},
};

/* Seconds from the environment, for tests. */
static uint64_t seconds_from(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);
	unsigned long seconds = text ? strtoul(text, NULL, 10) : 0;

	if (!seconds || seconds > DURATION_MAX_S)
		seconds = otherwise;
	return seconds * 1000000000ULL;
}

uint64_t settings_interim_ns(void)
{
	return seconds_from("GNOMON_INTERIM_SECONDS", CONNECTION_INTERIM_S);
}

uint64_t settings_health_ns(void)
{
	return seconds_from("GNOMON_HEALTH_SECONDS", HEALTH_INTERVAL_S);
}

void settings_done(struct settings *s)
{
	for (size_t i = 0; i < s->owned_count; i++)
		free(s->owned[i]);
	s->owned_count = 0;
}

struct span settings_labels(const struct settings *s, char to[static LABELS_TEXT_MAX])
{
	struct json_writer json;

	json_init(&json, to, LABELS_TEXT_MAX);
	json_open(&json, '{');
	for (size_t i = 0; i < s->label_count; i++) {
		json_name(&json, span_str(s->labels[i].name));
		json_string(&json, span_str(s->labels[i].value), LABEL_VALUE_MAX);
	}
	json_close(&json, '}');
	return span_of(to, json.full || !s->label_count ? 0 : json.len);
}

static int set_classes(struct settings *s, const char *list, struct diag *diag)
{
	static const struct {
		const char *name;
		unsigned int classes;
	} names[] = {
		{"alert", CLASS_ALERT},           {"llm", CLASS_LLM},
		{"connection", CLASS_CONNECTION}, {"server", CLASS_SERVER},
		{"status", CLASS_STATUS},         {"all", CLASS_ALL},
	};

	s->classes = 0;
	while (*list) {
		size_t len = strcspn(list, ","), i = 0;

		while (i < ARRAY_SIZE(names) &&
		       !span_eq(span_of(list, len), span_str(names[i].name)))
			i++;
		if (i == ARRAY_SIZE(names)) {
			diag_add(diag, NULL, 0, 0,
				 "--events: \"%.*s\" is none of alert, llm, connection, server, "
				 "status, all",
				 (int)len, list);
			return -EINVAL;
		}
		s->classes |= names[i].classes;
		list += len + (list[len] == ',');
	}
	return 0;
}

static int set_number(uint64_t *to, const char *name, const char *text, struct diag *diag)
{
	char *end;

	errno = 0;
	*to = strtoull(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-') {
		diag_add(diag, NULL, 0, 0, "--%s: \"%s\" is no number", name, text);
		return -EINVAL;
	}
	return 0;
}

static int append(const char **list, size_t *count, size_t max, const char *name, const char *value,
		  struct diag *diag)
{
	if (*count == max) {
		diag_add(diag, NULL, 0, 0, "--%s: at most %zu", name, max);
		return -E2BIG;
	}
	list[(*count)++] = value;
	return 0;
}

static int set_scope(struct settings *s, const char *value, struct diag *diag)
{
	s->ai_only = strcmp(value, "ai") == 0;
	if (s->ai_only || strcmp(value, "all") == 0)
		return 0;
	diag_add(diag, NULL, 0, 0, "--scope: \"%s\" is neither all nor ai", value);
	return -EINVAL;
}

static int set_fail_on(struct settings *s, const char *value, struct diag *diag)
{
	s->fail_on = severity_parse(span_str(value));
	if (s->fail_on >= 0)
		return 0;
	diag_add(diag, NULL, 0, 0, "--fail-on: \"%s\" is none of low, medium, high, critical",
		 value);
	return -EINVAL;
}

/* ECS keeps labels flat: their names have no dots. */
static bool is_label_name(struct span name)
{
	if (!name.len || name.len > LABEL_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!(name.at[i] >= 'a' && name.at[i] <= 'z') && name.at[i] != '_' &&
		    !(i && name.at[i] >= '0' && name.at[i] <= '9'))
			return false;
	return true;
}

/* NULL: good. */
static const char *label_fault(const struct settings *s, struct span name, struct span value)
{
	if (!is_label_name(name))
		return "a name is letters a-z, digits and _, at most 32";
	if (!value.len || value.len > LABEL_VALUE_MAX)
		return "a value has from 1 to 64 bytes";
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.at[i] < ' ' || value.at[i] == 0x7f)
			return "a value has no control characters";
	for (size_t i = 0; i < s->label_count; i++)
		if (span_eq(name, span_str(s->labels[i].name)))
			return "that name has a value already";
	return s->label_count == LABELS_MAX ? "there are 16 already" : NULL;
}

static int set_label(struct settings *s, const char *text, struct diag *diag)
{
	const char *equals = strchrnul(text, '=');
	struct span name = span_of(text, (size_t)(equals - text));
	struct span value = span_str(*equals ? equals + 1 : "");
	const char *fault = label_fault(s, name, value);
	struct label *label = &s->labels[s->label_count];
	char json[LABELS_TEXT_MAX];

	if (fault) {
		diag_add(diag, NULL, 0, 0, "--label: \"%.128s\": %s", text, fault);
		return -EINVAL;
	}
	span_copy(label->name, sizeof(label->name), name);
	span_copy(label->value, sizeof(label->value), value);
	s->label_count++;
	if (settings_labels(s, json).len)
		return 0;
	s->label_count--;
	diag_add(diag, NULL, 0, 0, "--label: all labels together are too long");
	return -E2BIG;
}

/* One long option, from either source. */
static int set_option(struct settings *s, int code, const char *value, struct diag *diag)
{
	switch (code) {
	case OPTION_RULES:
		return append(s->rules, &s->rule_count, RULE_PATHS_MAX, "rules", value, diag);
	case OPTION_OUTPUT:
		return append(s->outputs, &s->output_count, OUTPUTS_MAX, "output", value, diag);
	case OPTION_EVENTS:
		return set_classes(s, value, diag);
	case OPTION_FORMAT:
		s->format = value;
		return 0;
	case OPTION_SCOPE:
		return set_scope(s, value, diag);
	case OPTION_DURATION:
		return set_number(&s->duration_s, "duration", value, diag);
	case OPTION_FAIL_ON:
		return set_fail_on(s, value, diag);
	case OPTION_ALL:
		s->all = true;
		return 0;
	case OPTION_LABEL:
		return set_label(s, value, diag);
	case OPTION_SALT:
		s->salt_path = value;
		return 0;
	case 'v':
		s->verbose = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int set_from_node(struct settings *s, const struct yaml_document *document,
			 const struct yaml_node *key, const struct yaml_node *value,
			 struct diag *diag)
{
	const char *text = yaml_string(value);
	const struct option *option = run_options;
	char *copy;
	int r;

	while (option->name && strcmp(option->name, yaml_string(key)) != 0)
		option++;
	if (!option->name || option->val == 'c' || option->val == 'h') {
		yaml_error(document, key, diag, "\"%s\" is no option", yaml_string(key));
		return -EINVAL;
	}
	if (!text || s->owned_count == ARRAY_SIZE(s->owned)) {
		yaml_error(document, value, diag, "a value, or a list of values, is wanted here");
		return -EINVAL;
	}
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	s->owned[s->owned_count++] = copy;
	r = set_option(s, option->val, copy, diag);
	if (r)
		yaml_error(document, value, diag, "this value of \"%s\" is not taken",
			   option->name);
	return r;
}

static int read_config(struct settings *s, const char *path, struct diag *diag)
{
	struct yaml_document *document;
	const struct yaml_node *root;
	struct file_text text;
	int r = file_read(path, YAML_BYTES_MAX, &text, diag);

	if (r)
		return r;
	document = yaml_load(path, span_of(text.at, text.len), diag);
	free(text.at);
	if (!document)
		return -EINVAL;
	root = yaml_root(document);
	if (root && root->kind != YAML_MAPPING) {
		yaml_error(document, root, diag, "options are wanted here, as \"name: value\"");
		r = -EINVAL;
	}
	for (const struct yaml_node *key = root && !r ? root->first : NULL; key; key = key->next) {
		const struct yaml_node *value = key->value;

		if (value->kind == YAML_SEQUENCE)
			for (const struct yaml_node *item = value->first; item; item = item->next)
				r = set_from_node(s, document, key, item, diag) ?: r;
		else
			r = set_from_node(s, document, key, value, diag) ?: r;
	}
	yaml_unload(document);
	return r;
}

static int usage(const struct diag *diag, const char *command)
{
	diag_print(diag, stderr);
	fprintf(stderr, "gnomon: try `gnomon %s --help`\n", command);
	return EXIT_USAGE;
}

/* Lists of the command line replace those of the file. */
static void forget_lists(struct settings *s, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--rules", 7) == 0)
			s->rule_count = 0;
		if (strncmp(argv[i], "--output", 8) == 0)
			s->output_count = 0;
		if (strncmp(argv[i], "--label", 7) == 0)
			s->label_count = 0;
	}
}

static const char *find_config(int argc, char **argv, bool *asked)
{
	*asked = true;
	for (int i = 1; i < argc; i++) {
		if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) &&
		    i + 1 < argc)
			return argv[i + 1];
		if (strncmp(argv[i], "--config=", 9) == 0)
			return argv[i] + 9;
		if (strncmp(argv[i], "-c", 2) == 0 && argv[i][2])
			return argv[i] + 2;
	}
	*asked = false;
	return DEFAULT_CONFIG;
}

int settings_parse_run(struct settings *s, int argc, char **argv)
{
	_cleanup_(diag_done) struct diag diag = {0};
	bool asked;
	const char *config = find_config(argc, argv, &asked);
	int code;

	s->classes = CLASS_ALL;
	s->format = "ecs";
	if ((asked || access(config, F_OK) == 0) && read_config(s, config, &diag)) {
		diag_print(&diag, stderr);
		return EXIT_ERROR;
	}
	forget_lists(s, argc, argv);
	optind = 1;
	while ((code = getopt_long(argc, argv, "c:vh", run_options, NULL)) != -1) {
		if (code == 'h') {
			fputs(run_help, stdout);
			return EXIT_CLEAN;
		}
		if (code == '?' || (code != 'c' && set_option(s, code, optarg, &diag)))
			return usage(&diag, "run");
	}
	if (optind < argc) {
		diag_add(&diag, NULL, 0, 0, "run: unexpected \"%s\"", argv[optind]);
		return usage(&diag, "run");
	}
	return -1;
}

/* The words of a filter expression, as one. */
static char *join(char **words, int count)
{
	size_t len = 1;
	char *text, *end;

	for (int i = 0; i < count; i++)
		len += strlen(words[i]) + 1;
	text = calloc(1, len);
	end = text;
	for (int i = 0; text && i < count; i++) {
		if (i)
			*end++ = ' ';
		end = stpcpy(end, words[i]);
	}
	return text;
}

static int set_audit_option(struct settings *s, int code, struct diag *diag)
{
	switch (code) {
	case 'r':
		s->capture = optarg;
		return 0;
	case 'o':
		s->report_path = optarg;
		return 0;
	case 'n':
		return 0;
	default:
		return set_option(s, code, optarg, diag);
	}
}

int settings_parse_audit(struct settings *s, int argc, char **argv)
{
	_cleanup_(diag_done) struct diag diag = {0};
	int code;

	s->classes = CLASS_ALL;
	s->format = "text";
	s->fail_on = SEVERITY_MEDIUM;
	optind = 1;
	while ((code = getopt_long(argc, argv, "r:o:nh", audit_options, NULL)) != -1) {
		if (code == 'h') {
			fputs(audit_help, stdout);
			return EXIT_CLEAN;
		}
		if (code == '?' || set_audit_option(s, code, &diag))
			return usage(&diag, "audit");
	}
	if (!s->capture) {
		diag_add(&diag, NULL, 0, 0, "audit: -r FILE is needed");
		return usage(&diag, "audit");
	}
	if (strcmp(s->format, "text") != 0 && strcmp(s->format, "json") != 0) {
		diag_add(&diag, NULL, 0, 0, "--format: \"%s\" is neither text nor json", s->format);
		return usage(&diag, "audit");
	}
	if (optind < argc) {
		s->owned[s->owned_count] = join(argv + optind, argc - optind);
		s->filter = s->owned[s->owned_count++];
	}
	return -1;
}
