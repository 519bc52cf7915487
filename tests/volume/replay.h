/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/*
 * Replays a fleet's weeks through the rules, each endpoint with a state of its own as each has a sensor of its
 * own, and counts what is told: the first week under what is built in, the second under what an organisation
 * makes of it. Each alert must say who, what, how much and why, and name a page that says what to do.
 */

#include <sys/stat.h>
#include <unistd.h>

#include "command/rule_files.h"
#include "policy/policy.h"
#include "policy/state.h"
#include "util/diag.h"
#include "util/files.h"
#include "volume/fleet.h"

#define REPLAY_WEEKS     2
#define REPLAY_DAYS      7
#define REPLAY_RULES_MAX 64
/* Alerts that did not say all they have to; the first of them are shown. */
#define REPLAY_SHOWN_MAX 5

struct replay_rule {
	char id[32];
	const char *severity;
	size_t told[REPLAY_WEEKS], hosts[REPLAY_WEEKS];
	unsigned int last[REPLAY_WEEKS]; /* the number of the endpoint that told it last, from 1 */
};

struct replay {
	struct rule_set rules[REPLAY_WEEKS];
	struct pipeline *pipeline;
	struct fleet_endpoint endpoint;
	unsigned int endpoints, spread, week;
	uint64_t seed;
	char directory[64]; /* where sensors keep what outlives them */
	size_t events[REPLAY_WEEKS], alerts[REPLAY_WEEKS], observed[REPLAY_WEEKS];
	size_t by_role[REPLAY_WEEKS][ROLE_COUNT], of_role[ROLE_COUNT];
	size_t lost;  /* moments that the day's plan had no room for, entries that a state forgot */
	size_t wrong; /* alerts that do not say all they have to */
	struct replay_rule table[REPLAY_RULES_MAX];
	size_t rule_count;
};

static bool replay_says(struct span text, struct span part)
{
	return part.len && memmem(text.at, text.len, part.at, part.len);
}

static struct span replay_string(const struct event *event, enum field field)
{
	return event_has(event, field) ? event->value[field].string : (struct span){0};
}

/* A page that is there and says what to do. Each is read once. */
static bool replay_page(struct span path)
{
	static char known[REPLAY_RULES_MAX][64];
	static size_t count;
	_cleanup_(diag_done) struct diag diag = {0};
	struct file_text text;
	char name[64];
	bool good;

	span_copy(name, sizeof(name), path);
	for (size_t i = 0; i < count; i++)
		if (strcmp(known[i], name) == 0)
			return true;
	if (!name[0] || count == REPLAY_RULES_MAX || file_read(name, 1 << 20, &text, &diag) < 0)
		return false;
	good = memmem(text.at, text.len, "## What to do\n", 14) != NULL;
	free(text.at);
	if (good)
		strcpy(known[count++], name);
	return good;
}

/* NULL, or what the alert fails to say. */
static const char *replay_lacks(const struct event *alert)
{
	struct span message = replay_string(alert, F_MESSAGE);
	struct span name = replay_string(alert, F_RULE_NAME);
	bool server = event_has(alert, F_SERVER_PORT), status = event_has(alert, F_STATUS_STATE);
	const char *why;

	if (!span_starts(message, name))
		return "which rule";
	message = span_skip(message, name.len);
	if (!status && !replay_says(message, replay_string(alert, F_PROCESS_NAME)))
		return "who: the process";
	if (!status && !replay_says(message, replay_string(alert, F_USER_NAME)) &&
	    !replay_says(message, replay_string(alert, F_USER_ID)))
		return "who: the user";
	if (!server && !status && !replay_says(message, replay_string(alert, F_SERVICE)))
		return "what";
	if (server && !replay_says(message, SPAN_LITERAL(" API")))
		return "what";
	if (!replay_says(message, server   ? SPAN_LITERAL(" port ")
				  : status ? SPAN_LITERAL("lost: ")
					   : SPAN_LITERAL(" bytes ")))
		return "how much";
	/* behind the colon after the name comes another one */
	why = memmem(message.at + 2, message.len - 2, ": ", 2);
	if (!why || (size_t)(why - message.at) + 4 > message.len)
		return "why";
	if (!replay_page(replay_string(alert, F_RULE_REFERENCE)))
		return "what to do";
	return NULL;
}

static struct replay_rule *replay_rule_of(struct replay *r, const struct event *alert)
{
	char id[32];

	span_copy(id, sizeof(id), replay_string(alert, F_RULE_ID));
	for (size_t i = 0; i < r->rule_count; i++)
		if (strcmp(r->table[i].id, id) == 0)
			return &r->table[i];
	if (r->rule_count == REPLAY_RULES_MAX)
		abort();
	strcpy(r->table[r->rule_count].id, id);
	r->table[r->rule_count].severity = severity_name(SEVERITY_LOW);
	for (int severity = 0; severity < SEVERITY_COUNT; severity++)
		if (alert->value[F_EVENT_SEVERITY].integer ==
		    severity_number((enum severity)severity))
			r->table[r->rule_count].severity = severity_name((enum severity)severity);
	return &r->table[r->rule_count++];
}

static void replay_alert(struct replay *r, const struct event *alert)
{
	const char *lacks = replay_lacks(alert);
	struct replay_rule *rule = replay_rule_of(r, alert);
	struct span message = replay_string(alert, F_MESSAGE);

	if (lacks && r->wrong++ < REPLAY_SHOWN_MAX)
		fprintf(stderr, "an alert does not say %s: %.*s\n", lacks, (int)message.len,
			message.at);
	rule->told[r->week]++;
	rule->hosts[r->week] += rule->last[r->week] != r->endpoint.number + 1;
	rule->last[r->week] = r->endpoint.number + 1;
	r->alerts[r->week]++;
	r->by_role[r->week][r->endpoint.role - roles]++;
}

static void replay_deliver(void *ctx, const struct event *event)
{
	struct span dataset = replay_string(event, F_EVENT_DATASET);
	struct replay *r = ctx;

	if (span_eq(dataset, SPAN_LITERAL("gnomon.alert")))
		replay_alert(r, event);
	else if (span_eq(dataset, SPAN_LITERAL("gnomon.observed")))
		r->observed[r->week]++;
	else
		r->events[r->week]++;
}

/* The sensor's process ends, and another one begins. */
static void replay_restart(struct replay *r, struct policy_state **state)
{
	struct diag diag = {0};

	if (*state) {
		if (policy_state_save(*state) < 0)
			abort();
		policy_state_free(*state);
	}
	*state = policy_state_new(true);
	if (!*state || policy_state_open(*state, r->directory, &diag) < 0)
		abort();
	r->pipeline->state = *state;
}

static void replay_day(struct replay *r, unsigned int day, struct policy_state **state)
{
	struct fleet_endpoint *e = &r->endpoint;
	struct event event;

	fleet_day(e, day);
	r->lost += e->moment_count == FLEET_MOMENTS_MAX;
	for (size_t i = 0; i < e->moment_count; i++) {
		if (e->moments[i].what == WHAT_RESTART) {
			replay_restart(r, state);
			continue;
		}
		fleet_event(r->pipeline, e, &e->moments[i], &event);
		compose_conclude(r->pipeline, &event, NULL, true);
	}
}

static void replay_forget(const struct replay *r)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/policy.state", r->directory);
	unlink(path);
}

static void replay_endpoint(struct replay *r, unsigned int number)
{
	struct policy_state_stats stats;
	struct policy_state *state = NULL;

	fleet_endpoint_init(&r->endpoint, number, r->seed, r->spread);
	r->of_role[r->endpoint.role - roles]++;
	span_copy(r->pipeline->host_name, sizeof(r->pipeline->host_name),
		  span_str(r->endpoint.host));
	replay_forget(r);
	replay_restart(r, &state);
	for (r->week = 0; r->week < REPLAY_WEEKS; r->week++) {
		const struct rule_set *rules = &r->rules[r->week];

		pipeline_rules(r->pipeline, rules->catalog, rules->policy, rules->prices,
			       rules->agents);
		for (unsigned int day = 0; day < REPLAY_DAYS; day++)
			replay_day(r, r->week * REPLAY_DAYS + day, &state);
	}
	policy_state_stats(state, &stats);
	r->lost += stats.evicted + stats.dropped;
	policy_state_free(state);
	fleet_endpoint_done(&r->endpoint);
}

/* Alerts of that week for each endpoint and day. */
static double replay_rate(const struct replay *r, unsigned int week)
{
	return (double)r->alerts[week] / r->endpoints / REPLAY_DAYS;
}

/* Each line begins with `mark`: "# " for TAP. */
static void replay_print(const struct replay *r, const char *mark)
{
	printf("%s%u endpoints:", mark, r->endpoints);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		printf(" %zu %s", r->of_role[i], roles[i].name);
	printf(", seed %llu\n", (unsigned long long)r->seed);
	for (unsigned int week = 0; week < REPLAY_WEEKS; week++) {
		printf("%sweek %u, %s: %zu events, %zu alerts (%.3f an endpoint and day:", mark,
		       week + 1, week ? "with the first week's policy" : "before there is a policy",
		       r->events[week], r->alerts[week], replay_rate(r, week));
		for (size_t i = 0; i < ROLE_COUNT; i++)
			printf(" %s %.3f", roles[i].name,
			       r->of_role[i] ? (double)r->by_role[week][i] / (double)r->of_role[i] /
						       REPLAY_DAYS
					     : 0);
		printf("), %zu observed\n", r->observed[week]);
	}
	for (size_t i = 0; i < r->rule_count; i++) {
		const struct replay_rule *rule = &r->table[i];

		printf("%s  %-8s %-7s week 1: %6zu on %4zu endpoints, week 2: %6zu on %4zu\n", mark,
		       rule->id, rule->severity, rule->told[0], rule->hosts[0], rule->told[1],
		       rule->hosts[1]);
	}
}

static int replay_open(struct replay *r, unsigned int endpoints, uint64_t seed, unsigned int spread)
{
	static const char *const ours[] = {"tests/volume/catalogue.yaml",
					   "tests/volume/policy.yaml"};
	struct pipeline_config config = {.deliver = replay_deliver, .ctx = r};
	struct diag diag = {0};

	*r = (struct replay){.endpoints = endpoints, .spread = spread, .seed = seed};
	/* a file of a restart is synced; memory is quick at that */
	snprintf(r->directory, sizeof(r->directory), "%s/gnomon-volume-XXXXXX",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(r->directory))
		return -1;
	if (rules_load_from(NULL, &r->rules[0], NULL, 0, &diag) ||
	    rules_load_from(NULL, &r->rules[1], ours, ARRAY_SIZE(ours), &diag)) {
		diag_print(&diag, stderr);
		return -1;
	}
	config.catalog = r->rules[0].catalog;
	config.policy = r->rules[0].policy;
	r->pipeline = pipeline_new(&config);
	return r->pipeline ? 0 : -1;
}

static void replay_close(struct replay *r)
{
	pipeline_free(r->pipeline);
	for (unsigned int week = 0; week < REPLAY_WEEKS; week++)
		rule_set_done(&r->rules[week]);
	replay_forget(r);
	rmdir(r->directory);
}

/* Replays all. What does not fit is no reason to go on: see r->lost and r->wrong. */
static void replay_run(struct replay *r)
{
	for (unsigned int number = 0; number < r->endpoints; number++)
		replay_endpoint(r, number);
}
