/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "command/command.h"
#include "source/hooks.h"
#include "source/libraries.h"
#include "source/sources.h"
#include "util/cleanup.h"
#include "util/diag.h"

/*
 * Tries everything that `run` would do and tells how it went: the source is opened for real, so that the answer
 * is this kernel's and not a table's.
 */

static const char help_text[] =
	"usage: gnomon doctor [--json]\n"
	"Says what this kernel and the running processes allow the sensor to see.\n"
	"Exit: 0 the sensor can run, 2 it cannot.\n";

/* linux/capability.h */
static const struct capability {
	const char *name;
	unsigned int bit;
	const char *use;
	bool for_perf_only; /* needed only where uprobe_multi is missing */
} capabilities[] = {
	{"CAP_BPF", 39, "load programs", false},
	{"CAP_PERFMON", 38, "read the kernel's types and attach tracing", false},
	{"CAP_NET_ADMIN", 12, "attach at the cgroup root", false},
	{"CAP_SYS_PTRACE", 19, "read other users' /proc/PID/exe, maps and root", false},
	{"CAP_DAC_READ_SEARCH", 2, "read libraries in private directories", false},
	{"CAP_SYS_ADMIN", 21, "uprobes through perf, on kernels before 6.6", true},
};

struct findings {
	struct utsname kernel;
	uint64_t effective; /* capabilities */
	bool runs;
	struct diag diag;
	const struct hooks_report *hooks; /* NULL: the source did not open */
	struct tls_library *libraries;
	size_t library_count;
};

static uint64_t effective_capabilities(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/status", "re");
	unsigned long long bits = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &bits) == 1)
			break;
	return bits;
}

static bool is_missing(const struct findings *f, const struct capability *c)
{
	if (c->for_perf_only && f->hooks && f->hooks->uprobe_multi)
		return false;
	return !(f->effective >> c->bit & 1);
}

static const char *state_word(enum hook_state state)
{
	static const char *const words[] = {[HOOK_ATTACHED] = "usable",
					    [HOOK_UNAVAILABLE] = "unavailable",
					    [HOOK_FAILED] = "failed"};

	return words[state];
}

static void print_text(const struct findings *f)
{
	printf("kernel %s (%s)\n", f->kernel.release, f->kernel.machine);
	if (f->hooks)
		printf("  uprobe_multi links  %s\n", f->hooks->uprobe_multi ? "yes" : "no");
	for (int id = 0; f->hooks && id < HOOK_COUNT; id++)
		printf("  hook %-14s %s: %s\n", hook_name((enum hook_id)id),
		       state_word(f->hooks->hook[id].state), f->hooks->hook[id].detail);
	for (size_t i = 0; i < f->diag.count; i++)
		printf("  %s\n", f->diag.messages[i]);

	printf("capabilities\n");
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		printf("  %-20s %-8s %s\n", capabilities[i].name,
		       f->effective >> capabilities[i].bit & 1 ? "held"
		       : is_missing(f, &capabilities[i])       ? "MISSING"
							       : "unneeded",
		       capabilities[i].use);

	printf("TLS libraries of running processes\n");
	if (!f->library_count)
		printf("  none is loaded\n");
	for (size_t i = 0; i < f->library_count; i++) {
		const struct tls_library *l = &f->libraries[i];

		printf("  %s (%s), %u process%s: %s\n", l->path, l->library, l->processes,
		       l->processes == 1 ? "" : "es", l->readable ? "readable" : l->reason);
	}
	printf("%s\n", f->runs ? "The sensor can run here." : "The sensor cannot run here.");
}

static struct json_object *hooks_json(const struct findings *f)
{
	struct json_object *list = json_object_new_array();

	for (int id = 0; f->hooks && id < HOOK_COUNT; id++) {
		struct json_object *hook = json_object_new_object();

		json_object_object_add(hook, "name",
				       json_object_new_string(hook_name((enum hook_id)id)));
		json_object_object_add(
			hook, "state",
			json_object_new_string(state_word(f->hooks->hook[id].state)));
		json_object_object_add(hook, "detail",
				       json_object_new_string(f->hooks->hook[id].detail));
		json_object_array_add(list, hook);
	}
	return list;
}

static struct json_object *libraries_json(const struct findings *f)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < f->library_count; i++) {
		const struct tls_library *l = &f->libraries[i];
		struct json_object *library = json_object_new_object();

		json_object_object_add(library, "path", json_object_new_string(l->path));
		json_object_object_add(library, "library", json_object_new_string(l->library));
		json_object_object_add(library, "processes",
				       json_object_new_int((int)l->processes));
		json_object_object_add(library, "readable", json_object_new_boolean(l->readable));
		if (!l->readable)
			json_object_object_add(library, "reason",
					       json_object_new_string(l->reason));
		json_object_array_add(list, library);
	}
	return list;
}

static void print_json(const struct findings *f)
{
	struct json_object *root = json_object_new_object();
	struct json_object *kernel = json_object_new_object();
	struct json_object *missing = json_object_new_array();
	struct json_object *errors = json_object_new_array();

	json_object_object_add(kernel, "release", json_object_new_string(f->kernel.release));
	json_object_object_add(kernel, "machine", json_object_new_string(f->kernel.machine));
	if (f->hooks)
		json_object_object_add(kernel, "uprobe_multi",
				       json_object_new_boolean(f->hooks->uprobe_multi));
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (is_missing(f, &capabilities[i]))
			json_object_array_add(missing,
					      json_object_new_string(capabilities[i].name));
	for (size_t i = 0; i < f->diag.count; i++)
		json_object_array_add(errors, json_object_new_string(f->diag.messages[i]));
	json_object_object_add(root, "runs", json_object_new_boolean(f->runs));
	json_object_object_add(root, "kernel", kernel);
	json_object_object_add(root, "hooks", hooks_json(f));
	json_object_object_add(root, "missing_capabilities", missing);
	json_object_object_add(root, "tls_libraries", libraries_json(f));
	json_object_object_add(root, "errors", errors);
	puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}

static int examine(bool json)
{
	struct source_config config = {0};
	struct findings f = {0};
	void *source = NULL;

	uname(&f.kernel);
	f.effective = effective_capabilities();
	f.runs = bpf_source.open(&source, &config, &f.diag) == 0;
	if (f.runs)
		f.hooks = bpf_source_hooks(source);
	f.library_count = tls_libraries_loaded(&f.libraries);
	if (json)
		print_json(&f);
	else
		print_text(&f);
	if (f.runs)
		bpf_source.close(source);
	free(f.libraries);
	diag_done(&f.diag);
	return f.runs ? EXIT_CLEAN : EXIT_ERROR;
}

int command_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	bool json = false;
	int code;

	optind = 1;
	while ((code = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (code == 'h') {
			fputs(help_text, stdout);
			return EXIT_CLEAN;
		}
		if (code != 'j')
			return EXIT_USAGE;
		json = true;
	}
	if (optind < argc) {
		fprintf(stderr, "gnomon: doctor: unexpected \"%s\"\n", argv[optind]);
		return EXIT_USAGE;
	}
	return examine(json);
}
