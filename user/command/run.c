/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "catalog/catalog.h"
#include "command/command.h"
#include "command/outputs.h"
#include "command/rule_files.h"
#include "command/settings.h"
#include "pipeline/pipeline.h"
#include "policy/policy.h"
#include "policy/state.h"
#include "source/hooks.h"
#include "source/sources.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/fingerprint.h"
#include "util/sd_notify.h"

#define NS_PER_S UINT64_C(1000000000)
/* How long the loop sleeps when nothing happens: bounds the delay of signals and of the watchdog. */
#define POLL_MS 200
/* Observations between two looks at the clock. */
#define BATCH 512
/* Records still in the ring at the end are read for so long at most. */
#define DRAIN_NS (2 * NS_PER_S)

struct sensor {
	struct settings settings;
	char labels[LABELS_TEXT_MAX];
	struct fleet_salt salt;
	struct outputs outputs;
	struct rule_set rules;
	struct policy_state *state;
	uint64_t saved_ns; /* when the state was last written */
	void *source;
	struct pipeline *pipeline;
	uint64_t started_ns;
	uint64_t refused_told;
	bool output_gone;
};

static volatile sig_atomic_t stop_asked, reload_asked;

static void on_signal(int number)
{
	if (number == SIGHUP)
		reload_asked = 1;
	else
		stop_asked = 1;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: the wait must end */
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void deliver(void *ctx, const struct event *event)
{
	struct sensor *sensor = ctx;

	if (outputs_write(&sensor->outputs, event) == -EPIPE)
		sensor->output_gone = true;
}

/* The honest summary: what is hooked, what is not and why. */
static void print_hooks(const struct hooks_report *report)
{
	static const char *const states[] = {[HOOK_ATTACHED] = "ok",
					     [HOOK_UNAVAILABLE] = "unavailable",
					     [HOOK_FAILED] = "failed"};
	size_t hooked = 0;

	for (int id = 0; id < HOOK_COUNT; id++)
		fprintf(stderr, "  hook %-14s %s: %s\n", hook_name((enum hook_id)id),
			states[report->hook[id].state], report->hook[id].detail);
	for (size_t i = 0; i < report->file_count; i++) {
		const struct tls_file_report *file = &report->files[i];

		if (file->error)
			fprintf(stderr, "  library %s: %s, not hooked: %s\n", file->path,
				file->library, strerror(-file->error));
		else
			fprintf(stderr, "  library %s: %s, %u functions hooked\n", file->path,
				file->library, file->hooks);
		hooked += !file->error;
	}
	if (!hooked)
		fprintf(stderr, "  no TLS library is hooked: connections are seen by name only\n");
}

static void print_start(const struct sensor *s)
{
	fprintf(stderr, "gnomon %s watches this host\n", GNOMON_VERSION);
	print_hooks(bpf_source_hooks(s->source));
	fprintf(stderr, "  catalogue: %zu services; policy: %zu rules, sha256 %.12s\n",
		catalog_services(s->rules.catalog), policy_rules(s->rules.policy),
		policy_sha256(s->rules.policy));
	fprintf(stderr, "  user space keeps at most %d connections and %d streams\n", FLOWS_MAX,
		STREAMS_MAX);
	fprintf(stderr, "gnomon: ready\n");
}

static void print_stop(const struct sensor *s)
{
	struct pipeline_stats stats;
	bool any = false;
	char text[160];

	pipeline_stats(s->pipeline, &stats);
	fprintf(stderr,
		"gnomon: stopped after %" PRIu64 " s: %" PRIu64 " observations, %" PRIu64
		" events (%" PRIu64 " llm requests, %" PRIu64 " llm connections, %" PRIu64
		" alerts)\n",
		(now_ns() - s->started_ns) / NS_PER_S, stats.observations, stats.events,
		stats.requests, stats.connections, stats.alerts);
	fprintf(stderr, "gnomon: %" PRIu64 " files searched for TLS functions\n",
		__atomic_load_n(&bpf_source_hooks(s->source)->searched, __ATOMIC_RELAXED));
	fprintf(stderr, "gnomon: lost:");
	for (int kind = 0; kind < LOSS_KIND_COUNT; kind++) {
		if (!stats.lost[kind])
			continue;
		fprintf(stderr, " %s %" PRIu64, loss_name((enum loss_kind)kind), stats.lost[kind]);
		any = true;
	}
	fprintf(stderr, "%s\n", any ? "" : " nothing");
	for (size_t i = 0; i < LOSS_PROCESSES_MAX; i++)
		if (pipeline_losers(s->pipeline, i, text, sizeof(text)))
			fprintf(stderr, "gnomon: lost of %s\n", text);
}

/* Gives back what loading has freed: beside it small things have been allocated that stay, so that the
 * heap would keep the room of a second set of rules, and a little more with each reload. */
static void trim_memory(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/* New rules aside, then swapped in whole; the old ones stay when the new are wrong. */
static void reload(struct sensor *s)
{
	_cleanup_(diag_done) struct diag diag = {0};
	struct rule_set rules;
	const char *error = NULL;

	sd_notify_send("RELOADING=1");
	if (rules_load(&rules, s->settings.rules, s->settings.rule_count, &diag)) {
		error = diag.count ? diag.messages[0] : "out of memory";
	} else {
		pipeline_rules(s->pipeline, rules.catalog, rules.policy, rules.prices,
			       rules.agents);
		rule_set_done(&s->rules);
		s->rules = rules;
		bpf_source_rejudge(s->source);
	}
	trim_memory();
	outputs_reopen(&s->outputs, &diag);
	diag_print(&diag, stderr);
	pipeline_status(s->pipeline, "policy-reload", error);
	fprintf(stderr, "gnomon: %s\n",
		error ? "rules not reloaded, the old ones stay" : "rules reloaded");
	sd_notify_send("READY=1");
}

static void account_outputs(struct sensor *s)
{
	uint64_t refused = outputs_refused(&s->outputs);

	if (refused > s->refused_told)
		pipeline_lost(s->pipeline, LOSS_OUTPUT, refused - s->refused_told);
	s->refused_told = refused;
}

/* One batch of observations. False: the source has broken. */
static bool step(struct sensor *s, int timeout_ms)
{
	struct observation obs;
	int r = 1;

	for (int i = 0; i < BATCH && r == 1; i++) {
		/* waits for the first alone: what trickles in would keep signals and the watchdog waiting */
		r = bpf_source.next(s->source, &obs, i ? 0 : timeout_ms);
		if (r == 1)
			pipeline_feed(s->pipeline, &obs);
	}
	pipeline_tick(s->pipeline, now_ns());
	account_outputs(s);
	return r >= 0;
}

static void drain(struct sensor *s)
{
	uint64_t end = now_ns() + DRAIN_NS;
	struct observation obs;

	while (now_ns() < end && bpf_source.next(s->source, &obs, 0) == 1)
		pipeline_feed(s->pipeline, &obs);
}

/* The kernel's last counters, which may have risen since the source told of them. */
static void final_losses(struct sensor *s)
{
	struct source_stats source;
	struct pipeline_stats stats;

	bpf_source.stats(s->source, &source);
	pipeline_stats(s->pipeline, &stats);
	for (int kind = 0; kind <= LOSS_SHARE; kind++)
		if (source.lost[kind] > stats.lost[kind])
			pipeline_lost(s->pipeline, (enum loss_kind)kind,
				      source.lost[kind] - stats.lost[kind]);
}

/* First uses and alerts must not be told again after a restart; so much of them a crash may forget. */
static void save_state(struct sensor *s, bool now)
{
	uint64_t time = now_ns();
	int r;

	if (!now && time - s->saved_ns < STATE_SAVE_S * NS_PER_S && time >= s->saved_ns)
		return;
	s->saved_ns = time;
	r = policy_state_save(s->state);
	if (r < 0)
		fprintf(stderr, "gnomon: the state of the policy cannot be kept: %s\n",
			strerror(-r));
}

static void watchdog(uint64_t *last)
{
	uint64_t now = now_ns();

	if (now - *last < NS_PER_S && now >= *last)
		return;
	*last = now;
	sd_notify_send("WATCHDOG=1");
}

static bool time_is_up(const struct sensor *s)
{
	return s->settings.duration_s &&
	       now_ns() - s->started_ns >= s->settings.duration_s * NS_PER_S;
}

static int watch(struct sensor *s)
{
	uint64_t told = 0;
	bool healthy = true;

	trim_memory();
	pipeline_tick(s->pipeline, now_ns());
	pipeline_status(s->pipeline, "sensor-start", NULL);
	print_start(s);
	sd_notify_send("READY=1");
	while (!stop_asked && healthy && !s->output_gone && !time_is_up(s)) {
		if (reload_asked) {
			reload_asked = 0;
			reload(s);
		}
		healthy = step(s, POLL_MS);
		save_state(s, false);
		watchdog(&told);
	}
	sd_notify_send("STOPPING=1");
	drain(s);
	pipeline_finish(s->pipeline);
	save_state(s, true);
	final_losses(s);
	account_outputs(s);
	pipeline_status(s->pipeline, "sensor-stop", NULL);
	print_stop(s);
	if (!healthy)
		fprintf(stderr, "gnomon: the ring buffer can no longer be read\n");
	if (s->output_gone)
		fprintf(stderr, "gnomon: nobody reads the output any more\n");
	return healthy && !s->output_gone ? EXIT_CLEAN : EXIT_ERROR;
}

/* A one-off run answers like an audit: findings, and whether something was missed. */
static int duration_status(const struct sensor *s)
{
	struct pipeline_stats stats;
	int status = EXIT_CLEAN;

	pipeline_stats(s->pipeline, &stats);
	if (stats.worst >= SEVERITY_MEDIUM)
		status |= EXIT_FINDINGS;
	for (int kind = 0; kind < LOSS_KIND_COUNT; kind++)
		if (stats.lost[kind])
			status |= EXIT_ERROR;
	return status;
}

static const char *unseen_reason(const struct hooks_report *report)
{
	for (size_t i = 0; i < report->file_count; i++)
		if (!report->files[i].error)
			return "unknown-tls";
	return "not-armed";
}

static int open_all(struct sensor *s, struct diag *diag)
{
	const char *directory = getenv("STATE_DIRECTORY");
	struct source_config source = {.interim_ns = settings_interim_ns(),
				       .health_ns = settings_health_ns(),
				       .ai_only = s->settings.ai_only};
	struct pipeline_config config;
	int r;

	if (directory && *directory)
		source.state_directory = directory;
	r = rules_load(&s->rules, s->settings.rules, s->settings.rule_count, diag);
	if (!r && s->settings.salt_path)
		r = fleet_salt_read(&s->salt, s->settings.salt_path, diag);
	if (!r)
		r = outputs_open(&s->outputs, &s->settings, "stdout", diag);
	if (!r)
		r = bpf_source.open(&s->source, &source, diag);
	if (r)
		return r;
	s->state = policy_state_new(true);
	if (!s->state)
		return -ENOMEM;
	/* what is lost of it is worth a warning, not a sensor that does not start */
	if (source.state_directory)
		policy_state_open(s->state, directory, diag);
	config = (struct pipeline_config){
		.live = true,
		.catalog = s->rules.catalog,
		.policy = s->rules.policy,
		.state = s->state,
		.prices = s->rules.prices,
		.agents = s->rules.agents,
		.source = &bpf_source,
		.ai_only = source.ai_only,
		.source_state = s->source,
		.interim_ns = source.interim_ns,
		.unseen_reason = unseen_reason(bpf_source_hooks(s->source)),
		.labels = settings_labels(&s->settings, s->labels),
		.salt = s->settings.salt_path ? &s->salt : NULL,
		.deliver = deliver,
		.ctx = s,
	};
	s->pipeline = pipeline_new(&config);
	return s->pipeline ? 0 : -ENOMEM;
}

static void close_all(struct sensor *s)
{
	pipeline_free(s->pipeline);
	bpf_source.close(s->source);
	outputs_close(&s->outputs);
	policy_state_free(s->state);
	rule_set_done(&s->rules);
	settings_done(&s->settings);
}

int command_run(int argc, char **argv)
{
	_cleanup_(close_all) struct sensor sensor = {0};
	_cleanup_(diag_done) struct diag diag = {0};
	int status = settings_parse_run(&sensor.settings, argc, argv);

	if (status >= 0)
		return status;
	catch_signals();
	if (open_all(&sensor, &diag)) {
		diag_print(&diag, stderr);
		return EXIT_ERROR;
	}
	diag_print(&diag, stderr);
	sensor.started_ns = now_ns();
	status = watch(&sensor);
	if (status == EXIT_CLEAN && sensor.settings.duration_s)
		status = duration_status(&sensor);
	return status;
}
