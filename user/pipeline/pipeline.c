/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "flow/dns_cache.h"
#include "pipeline/internal.h"
#include "policy/policy.h"
#include "policy/state.h"
#include "util/cleanup.h"

#define NS_PER_S 1000000000ULL
/* A loud loss is told once in this time, with the sum. */
#define DEGRADED_INTERVAL_NS (60 * NS_PER_S)

const char *loss_name(enum loss_kind kind)
{
	static const char *const names[LOSS_KIND_COUNT] = {
		[LOSS_RING] = "ring",           [LOSS_FAULT] = "fault",
		[LOSS_TABLE] = "table",         [LOSS_STREAM_BUDGET] = "stream_budget",
		[LOSS_SHARE] = "share",         [LOSS_CAPTURE] = "capture",
		[LOSS_TRUNCATED] = "truncated", [LOSS_PARSE] = "parse",
		[LOSS_STATE] = "state",         [LOSS_OUTPUT] = "output",
	};

	return names[kind];
}

static const enum field loss_fields[LOSS_KIND_COUNT] = {
	[LOSS_RING] = F_STATUS_LOST_RING,
	[LOSS_FAULT] = F_STATUS_LOST_FAULT,
	[LOSS_TABLE] = F_STATUS_LOST_TABLE,
	[LOSS_STREAM_BUDGET] = F_STATUS_LOST_STREAM_BUDGET,
	[LOSS_SHARE] = F_STATUS_LOST_SHARE,
	[LOSS_CAPTURE] = F_STATUS_LOST_CAPTURE,
	[LOSS_TRUNCATED] = F_STATUS_LOST_TRUNCATED,
	[LOSS_PARSE] = F_STATUS_LOST_PARSE,
	[LOSS_STATE] = F_STATUS_LOST_STATE,
	[LOSS_OUTPUT] = F_STATUS_LOST_OUTPUT,
};

static void read_host(struct pipeline *p)
{
	_cleanup_fclose_ FILE *file = NULL;

	if (gethostname(p->host_name, sizeof(p->host_name) - 1))
		p->host_name[0] = '\0';
	file = fopen("/etc/machine-id", "re");
	if (!file || !fgets(p->host_id, sizeof(p->host_id), file))
		return;
	p->host_id[strcspn(p->host_id, "\n")] = '\0';
}

struct pipeline *pipeline_new(const struct pipeline_config *config)
{
	struct pipeline *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->config = *config;
	p->stats.worst = -1;
	p->codings.max = CODINGS_MEMORY_MAX;
	p->flows = flows_new(wire_release, p);
	p->names = dns_cache_new();
	p->processes = processes_new(config->live ? "/proc" : NULL, "");
	if (config->live)
		p->users = users_new("/etc/passwd", "/etc/group");
	if (!config->state)
		p->own_state = policy_state_new(false);
	p->state = config->state ? config->state : p->own_state;
	if (!p->state || !p->flows || !p->names || !p->processes || (config->live && !p->users) ||
	    plaintext_init(p) || servers_init(p) || relays_init(p)) {
		pipeline_free(p);
		return NULL;
	}
	if (config->live) {
		read_host(p);
		/* ids must differ between runs; those of a capture are the same each time */
		if (getrandom(&p->id_seed, sizeof(p->id_seed), GRND_NONBLOCK) < 0)
			p->id_seed = (uint64_t)getpid();
	}
	return p;
}

void pipeline_free(struct pipeline *p)
{
	if (!p)
		return;
	/* nobody listens any more */
	p->config.source = NULL;
	if (p->streams.buckets)
		plaintext_done(p);
	flows_free(p->flows);
	servers_done(p);
	relays_done(p);
	dns_cache_free(p->names);
	processes_free(p->processes);
	users_free(p->users);
	policy_state_free(p->own_state);
	free(p);
}

static void on_process(struct pipeline *p, const struct observation *obs)
{
	if (!obs->who)
		return;
	if (obs->process.change == PROCESS_EXEC) {
		processes_exec(p->processes, obs->who, &obs->process, obs->time_ns);
		agent_arm(p, obs->who);
		return;
	}
	plaintext_process_exit(p, obs->who);
	relay_exit(p, obs->who);
	processes_exit(p->processes, obs->who);
}

void pipeline_feed(struct pipeline *p, const struct observation *obs)
{
	p->stats.observations++;
	/* a clock that was set back must not make durations negative */
	if (obs->time_ns > p->now_ns)
		p->now_ns = obs->time_ns;
	if (!p->id_seed && !p->config.live)
		p->id_seed = obs->time_ns;

	switch (obs->kind) {
	case OBS_PACKET:
		wire_packet(p, obs);
		break;
	case OBS_SEGMENT:
		plaintext_segment(p, obs);
		break;
	case OBS_SOCKET:
		wire_socket(p, obs);
		break;
	case OBS_STREAM_END:
		plaintext_end(p, &obs->stream_end.stream);
		break;
	case OBS_PROCESS:
		on_process(p, obs);
		break;
	case OBS_LINK:
		plaintext_link(p, obs);
		break;
	case OBS_LOSS:
		if (obs->loss.part)
			loss_of(p, obs->who, &obs->loss);
		else
			pipeline_lost(p, obs->loss.kind, obs->loss.count);
		break;
	case OBS_KIND_COUNT:
		break;
	}
}

void pipeline_lost(struct pipeline *p, enum loss_kind kind, uint64_t count)
{
	p->stats.lost[kind] += count;
}

static uint64_t resident_bytes(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/statm", "re");
	unsigned long size, resident;

	if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void set_losses(struct pipeline *p, struct event *event)
{
	struct pipeline_stats stats;

	pipeline_stats(p, &stats);
	for (int kind = 0; kind < LOSS_KIND_COUNT; kind++)
		event_set_int(event, loss_fields[kind], (int64_t)stats.lost[kind]);
	loss_tell(p, event);
}

/* Is something missing that should be there? What was left out on purpose is no defect. */
static bool degraded(const struct pipeline_stats *stats, const uint64_t *known)
{
	for (int kind = 0; kind < LOSS_KIND_COUNT; kind++)
		if (stats->lost[kind] > (known ? known[kind] : 0))
			return true;
	return false;
}

void pipeline_status(struct pipeline *p, const char *action, const char *error)
{
	struct policy_state_stats state;
	struct pipeline_stats stats;
	struct event event;

	pipeline_stats(p, &stats);
	policy_state_stats(p->state, &state);
	compose_base(p, &event, action, p->now_ns);
	event_set_text(&event, F_STATUS_STATE, degraded(&stats, NULL) ? "degraded" : "ok");
	event_set_text(&event, F_STATUS_POLICY_SHA256, policy_sha256(p->config.policy));
	event_set_text(&event, F_STATUS_CATALOGUE_SHA256, catalog_sha256(p->config.catalog));
	event_set_int(&event, F_STATUS_RULES, (int64_t)policy_rules(p->config.policy));
	event_set_int(&event, F_STATUS_SERVICES, (int64_t)catalog_services(p->config.catalog));
	event_set_int(&event, F_STATUS_EVENTS_SEEN, (int64_t)stats.observations);
	event_set_int(&event, F_STATUS_EVENTS_EMITTED, (int64_t)stats.events);
	event_set_int(&event, F_STATUS_FLOWS_ACTIVE, (int64_t)flows_count(p->flows));
	event_set_int(&event, F_STATUS_STREAMS_ACTIVE, (int64_t)p->streams.count);
	if (state.suppressed)
		event_set_int(&event, F_STATUS_ALERTS_SUPPRESSED, (int64_t)state.suppressed);
	set_losses(p, &event);
	if (p->config.live) {
		event_set_int(&event, F_PROCESS_PID, getpid());
		event_set_text(&event, F_PROCESS_NAME, "gnomon");
		event_set_int(&event, F_STATUS_RSS_BYTES, (int64_t)resident_bytes());
	}
	event_set_text(&event, F_ERROR, error);
	event_set_text(&event, F_EVENT_OUTCOME, error ? "failure" : "success");
	event_format(&event, F_MESSAGE,
		     "%s: %" PRIu64 " llm requests, %" PRIu64 " llm connections, %" PRIu64
		     " alerts so far%s%s",
		     action, stats.requests, stats.connections, stats.alerts, error ? ": " : "",
		     error ? error : "");
	compose_conclude(p, &event, NULL, true);
}

static void tell_degraded(struct pipeline *p)
{
	struct pipeline_stats stats;

	pipeline_stats(p, &stats);
	if (!degraded(&stats, p->lost_told))
		return;
	memcpy(p->lost_told, stats.lost, sizeof(p->lost_told));
	p->degraded_ns = p->now_ns;
	pipeline_status(p, "sensor-degraded", NULL);
}

void pipeline_tick(struct pipeline *p, uint64_t now_ns)
{
	if (now_ns > p->now_ns)
		p->now_ns = now_ns;
	wire_tick(p);
	if (!p->config.live)
		return;
	if (p->now_ns - p->degraded_ns > DEGRADED_INTERVAL_NS)
		tell_degraded(p);
	if (!p->next_status_ns)
		p->next_status_ns = p->now_ns + STATUS_INTERVAL_S * NS_PER_S;
	if (p->now_ns >= p->next_status_ns) {
		p->next_status_ns = p->now_ns + STATUS_INTERVAL_S * NS_PER_S;
		pipeline_status(p, "sensor-status", NULL);
	}
}

void pipeline_finish(struct pipeline *p)
{
	struct flow *flow;

	plaintext_finish(p);
	while ((flow = flows_oldest(p->flows)))
		wire_end(p, flow);
}

void pipeline_rules(struct pipeline *p, const struct catalog *catalog, const struct policy *policy,
		    const struct prices *prices, const struct agents *agents)
{
	p->config.catalog = catalog;
	p->config.policy = policy;
	p->config.prices = prices;
	p->config.agents = agents;
	wire_rematch(p);
	plaintext_rematch(p);
}

void pipeline_stats(const struct pipeline *p, struct pipeline_stats *stats)
{
	struct policy_state_stats state;

	policy_state_stats(p->state, &state);
	*stats = p->stats;
	stats->lost[LOSS_STATE] += flows_evicted(p->flows) + processes_evicted(p->processes) +
				   state.evicted + state.dropped;
}
