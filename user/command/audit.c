/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "catalog/catalog.h"
#include "command/command.h"
#include "command/outputs.h"
#include "command/rule_files.h"
#include "command/settings.h"
#include "pipeline/pipeline.h"
#include "policy/policy.h"
#include "report/text.h"
#include "source/sources.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/fingerprint.h"

struct audit {
	struct settings settings;
	char labels[LABELS_TEXT_MAX];
	struct fleet_salt salt;
	struct outputs outputs; /* of --format json */
	struct report *report;  /* of --format text */
	struct rule_set rules;
	const struct source_ops *ops;
	void *source;
	struct pipeline *pipeline;
	uint64_t refused_told;
};

static void deliver(void *ctx, const struct event *event)
{
	struct audit *audit = ctx;

	if (audit->report)
		report_add(audit->report, event);
	else
		outputs_write(&audit->outputs, event);
}

/* JSON lines go through an output as the sensor's do: to standard output, or to -o as a new file. */
static int open_json(struct audit *a, struct diag *diag)
{
	struct settings *s = &a->settings;
	char *spec;

	s->format = "ecs";
	if (s->report_path) {
		/* an audit's result is a document, not a log: no appending to an older one */
		int fd = open(s->report_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

		if (fd < 0) {
			diag_add(diag, s->report_path, 0, 0, "%s", strerror(errno));
			return -errno;
		}
		close(fd);
		if (asprintf(&spec, "file:%s", s->report_path) < 0)
			return -ENOMEM;
		s->owned[s->owned_count++] = spec;
		s->outputs[s->output_count++] = spec;
	}
	return outputs_open(&a->outputs, s, "stdout", diag);
}

static int open_all(struct audit *a, struct diag *diag)
{
	struct source_config source = {.path = a->settings.capture, .filter = a->settings.filter};
	struct pipeline_config config;
	int r;

	r = rules_load(&a->rules, a->settings.rules, a->settings.rule_count, diag);
	if (!r && a->settings.salt_path)
		r = fleet_salt_read(&a->salt, a->settings.salt_path, diag);
	if (r)
		return r;
	a->ops = script_source_detect(source.path) ? &script_source : &pcap_source;
	r = a->ops->open(&a->source, &source, diag);
	if (r)
		return r;
	if (strcmp(a->settings.format, "text") == 0) {
		a->report = report_new();
		r = a->report ? 0 : -ENOMEM;
	} else {
		r = open_json(a, diag);
	}
	if (r)
		return r;
	config = (struct pipeline_config){
		.all = a->settings.all,
		.catalog = a->rules.catalog,
		.policy = a->rules.policy,
		.prices = a->rules.prices,
		.agents = a->rules.agents,
		.source = a->ops,
		.source_state = a->source,
		.interim_ns = settings_interim_ns(),
		.unseen_reason = "capture",
		.labels = settings_labels(&a->settings, a->labels),
		.salt = a->settings.salt_path ? &a->salt : NULL,
		.deliver = deliver,
		.ctx = a,
	};
	a->pipeline = pipeline_new(&config);
	return a->pipeline ? 0 : -ENOMEM;
}

static void close_all(struct audit *a)
{
	pipeline_free(a->pipeline);
	if (a->source)
		a->ops->close(a->source);
	outputs_close(&a->outputs);
	report_free(a->report);
	rule_set_done(&a->rules);
	settings_done(&a->settings);
}

/* 0, or what ended the reading: -EPIPE when the file ends in the middle of a packet. */
static int read_everything(struct audit *a)
{
	struct observation obs;
	int r;

	while ((r = a->ops->next(a->source, &obs, -1)) >= 0) {
		if (r == 0)
			continue;
		pipeline_feed(a->pipeline, &obs);
		pipeline_tick(a->pipeline, obs.time_ns);
	}
	return r == -ENODATA ? 0 : r;
}

static void account(struct audit *a, int result)
{
	struct source_stats source;
	struct pipeline_stats told;
	uint64_t refused = outputs_refused(&a->outputs);

	a->ops->stats(a->source, &source);
	pipeline_stats(a->pipeline, &told);
	/* what the source counted and did not deliver as an observation */
	for (int kind = 0; kind < LOSS_KIND_COUNT; kind++)
		if (source.lost[kind] > told.lost[kind])
			pipeline_lost(a->pipeline, (enum loss_kind)kind,
				      source.lost[kind] - told.lost[kind]);
	if (result && !source.lost[LOSS_TRUNCATED])
		pipeline_lost(a->pipeline, LOSS_TRUNCATED, 1);
	if (refused)
		pipeline_lost(a->pipeline, LOSS_OUTPUT, refused);
}

static int print_report(const struct audit *a)
{
	FILE *to = stdout;
	int r;

	if (a->settings.report_path) {
		to = fopen(a->settings.report_path, "we");
		if (!to) {
			fprintf(stderr, "gnomon: %s: %s\n", a->settings.report_path,
				strerror(errno));
			return -errno;
		}
	}
	report_print_text(a->report, to, isatty(fileno(to)) && !getenv("NO_COLOR"));
	r = fflush(to) || ferror(to) ? -EIO : 0;
	if (to != stdout)
		fclose(to);
	if (r)
		fprintf(stderr, "gnomon: the report could not be written\n");
	return r;
}

static int exit_status(const struct audit *a, bool failed)
{
	struct pipeline_stats stats;
	bool incomplete = failed;
	int status = EXIT_CLEAN;

	pipeline_stats(a->pipeline, &stats);
	for (int kind = 0; kind < LOSS_KIND_COUNT; kind++) {
		if (!stats.lost[kind])
			continue;
		fprintf(stderr, "gnomon: incomplete: lost %s %llu\n",
			loss_name((enum loss_kind)kind), (unsigned long long)stats.lost[kind]);
		incomplete = true;
	}
	if (stats.worst >= a->settings.fail_on)
		status |= EXIT_FINDINGS;
	return incomplete ? status | EXIT_ERROR : status;
}

static int audit(struct audit *a)
{
	int r = read_everything(a);

	if (r)
		fprintf(stderr, "gnomon: %s: %s\n", a->settings.capture,
			r == -EPIPE ? "the capture ends in the middle of a packet" : strerror(-r));
	pipeline_finish(a->pipeline);
	account(a, r);
	pipeline_status(a->pipeline, "sensor-status", NULL);
	if (a->report)
		r = print_report(a) ?: r;
	else if (outputs_refused(&a->outputs))
		r = -EIO;
	return exit_status(a, r != 0);
}

int command_audit(int argc, char **argv)
{
	_cleanup_(close_all) struct audit a = {0};
	_cleanup_(diag_done) struct diag diag = {0};
	int status = settings_parse_audit(&a.settings, argc, argv);

	if (status >= 0)
		return status;
	if (open_all(&a, &diag)) {
		diag_print(&diag, stderr);
		return EXIT_ERROR;
	}
	diag_print(&diag, stderr);
	return audit(&a);
}
