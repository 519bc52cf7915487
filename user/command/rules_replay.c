/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "command/rule_files.h"
#include "policy/policy.h"
#include "policy/state.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/event_json.h"
#include "util/terminal.h"
#include "util/text.h"

struct replay {
	const struct rule_set *rules;
	struct policy_state *state;
	const char *name;
	size_t events, alerts, observed, bad;
	bool broken;
	int worst;
};

static struct span string_of(const struct event *event, enum field field)
{
	return event_has(event, field) ? event->value[field].string : (struct span){0};
}

/* The first of the fields that the event has. */
static struct span first_of(const struct event *event, const enum field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (event_has(event, fields[i]))
			return event->value[fields[i]].string;
	return SPAN_LITERAL("-");
}

static void print_finding(const struct event *event, const struct finding *finding)
{
	static const enum field who[] = {F_USER_NAME, F_USER_ID, F_CONTAINER_ID,
					 F_PROCESS_EXECUTABLE};
	static const enum field where[] = {F_URL_DOMAIN, F_DESTINATION_DOMAIN};
	char time[TEXT_VALUE_MAX] = "-", name[128], user[64], service[64], host[128];

	if (event_has(event, F_TIMESTAMP))
		text_time(time, event->value[F_TIMESTAMP].time_ns);
	terminal_clean(name, sizeof(name), span_str(finding->rule_name));
	terminal_clean(user, sizeof(user), first_of(event, who, ARRAY_SIZE(who)));
	terminal_clean(service, sizeof(service), string_of(event, F_SERVICE));
	terminal_clean(host, sizeof(host), first_of(event, where, ARRAY_SIZE(where)));
	printf("%s\t%s\t%s\t%s\t%s\t%s\t%s", time, finding->rule_id,
	       finding->observe ? "observe" : severity_name(finding->severity), user,
	       *service ? service : "-", host, name);
	if (finding->has_window)
		printf(" (%.15g above %.15g)", finding->window_value, finding->window_threshold);
	if (finding->suppressed)
		printf(" (and %llu before)", (unsigned long long)finding->suppressed);
	putchar('\n');
}

/* What an earlier policy said is no event. */
static bool is_finding(const struct event *event)
{
	struct span dataset = string_of(event, F_EVENT_DATASET);

	return span_eq(dataset, SPAN_LITERAL("gnomon.alert")) ||
	       span_eq(dataset, SPAN_LITERAL("gnomon.observed"));
}

static void replay_event(struct replay *replay, struct event *event)
{
	struct finding found[FINDINGS_PER_EVENT_MAX];
	size_t n;

	if (is_finding(event))
		return;
	replay->events++;
	event_clear(event, F_VERDICT);
	event_clear(event, F_VERDICT_REASON);
	policy_judge(replay->rules->policy, event);
	n = policy_match(replay->rules->policy, replay->state, event, found, ARRAY_SIZE(found));
	for (size_t i = 0; i < n; i++) {
		print_finding(event, &found[i]);
		replay->observed += found[i].observe;
		if (found[i].observe)
			continue;
		replay->alerts++;
		if ((int)found[i].severity > replay->worst)
			replay->worst = (int)found[i].severity;
	}
}

static void replay_line(struct replay *replay, struct span line, unsigned int number)
{
	_cleanup_(diag_done) struct diag diag = {0};
	struct arena arena = {0};
	struct event event;

	if (event_from_json(&event, line, &arena, replay->name, number, &diag) == 0)
		replay_event(replay, &event);
	else
		replay->bad++;
	diag_print(&diag, stderr);
	arena_done(&arena);
}

/* False: the file could not be read to its end. */
static bool replay_file(struct replay *replay, FILE *file)
{
	_cleanup_free_ char *line = NULL;
	unsigned int number = 0;
	size_t cap = 0;
	ssize_t len;

	while ((len = getline(&line, &cap, file)) > 0) {
		struct span text = span_of(line, (size_t)len);

		number++;
		while (text.len && strchr(" \t\r\n", text.at[text.len - 1]))
			text.len--;
		if (text.len)
			replay_line(replay, text, number);
	}
	return !ferror(file);
}

int rules_replay(const struct rule_set *rules, const char *path, enum severity fail_on)
{
	struct replay replay = {.rules = rules, .name = path, .worst = -1};
	bool standard_input = strcmp(path, "-") == 0;
	_cleanup_fclose_ FILE *file = standard_input ? NULL : fopen(path, "re");
	struct policy_state_stats stats;

	if (!standard_input && !file) {
		fprintf(stderr, "gnomon: %s: %s\n", path, strerror(errno));
		return EXIT_ERROR;
	}
	replay.state = policy_state_new(true);
	if (!replay.state) {
		fprintf(stderr, "gnomon: out of memory\n");
		return EXIT_ERROR;
	}
	if (!replay_file(&replay, standard_input ? stdin : file)) {
		fprintf(stderr, "gnomon: %s: %s\n", path, strerror(errno));
		replay.broken = true;
	}
	policy_state_stats(replay.state, &stats);
	policy_state_free(replay.state);
	fprintf(stderr,
		"%zu events, %zu alerts, %zu observed, %llu held back, %zu lines not read\n",
		replay.events, replay.alerts, replay.observed, (unsigned long long)stats.suppressed,
		replay.bad);
	return (replay.worst >= (int)fail_on ? EXIT_FINDINGS : EXIT_CLEAN) |
	       (replay.bad || replay.broken ? EXIT_ERROR : EXIT_CLEAN);
}
