/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#include "flow/community_id.h"
#include "flow/container.h"
#include "gnomon/finding.h"
#include "pipeline/internal.h"
#include "policy/policy.h"
#include "protocol/tunnel.h"
#include "util/cleanup.h"
#include "util/ids.h"
#include "util/mix.h"

/* event.dataset, event.kind and the lists of ECS per action; the last row is for rule ids. */
static const struct {
	const char *action, *dataset, *kind, *type;
	const char *category[2];
} actions[] = {
	{"llm-request", "gnomon.llm", "event", "access", {"api", "network"}},
	{"llm-connection", "gnomon.connection", "event", "connection", {"network"}},
	{"llm-server", "gnomon.server", "event", "info", {"network", "process"}},
	{"connection", "gnomon.connection", "event", "connection", {"network"}},
	{"sensor-start", "gnomon.status", "event", "start", {"host"}},
	{"sensor-stop", "gnomon.status", "event", "end", {"host"}},
	{"sensor-status", "gnomon.status", "metric", "info", {"host"}},
	{"sensor-degraded", "gnomon.status", "event", "error", {"host"}},
	{"policy-reload", "gnomon.status", "event", "change", {"configuration"}},
	{NULL, "gnomon.alert", "alert", "info", {"network", "intrusion_detection"}},
};

static void set_id(struct pipeline *p, struct event *event)
{
	char text[ID_MAX];

	id_format(text, 0, hash_mix(p->id_seed + p->id_count++));
	event_format(event, F_EVENT_ID, "%s", text);
}

void compose_base(struct pipeline *p, struct event *event, const char *action, uint64_t time_ns)
{
	size_t row = 0;

	while (actions[row].action && strcmp(actions[row].action, action) != 0)
		row++;
	event_init(event);
	event->labels = p->config.labels;
	event_set_time(event, F_TIMESTAMP, time_ns);
	event_set_text(event, F_ECS_VERSION, "9.5.0");
	event_set_text(event, F_OBSERVER_VENDOR, "gnomon");
	event_set_text(event, F_OBSERVER_PRODUCT, "gnomon");
	event_set_text(event, F_OBSERVER_TYPE, "sensor");
	event_set_text(event, F_OBSERVER_VERSION, GNOMON_VERSION);
	event_set_text(event, F_HOST_NAME, p->host_name);
	event_set_text(event, F_HOST_ID, p->host_id);
	event_set_text(event, F_EVENT_KIND, actions[row].kind);
	event_set_text(event, F_EVENT_ACTION, action);
	event_set_text(event, F_EVENT_DATASET, actions[row].dataset);
	event_set_text(event, F_EVENT_MODULE, "gnomon");
	for (size_t i = 0; i < ARRAY_SIZE(actions[row].category) && actions[row].category[i]; i++)
		event_append(event, F_EVENT_CATEGORY, span_str(actions[row].category[i]));
	event_append(event, F_EVENT_TYPE, span_str(actions[row].type));
	set_id(p, event);
}

/* Names of another user namespace's users are not the host's to give. */
static void set_user(struct pipeline *p, struct event *event, const struct process_identity *who,
		     const struct process *process)
{
	event_format(event, F_USER_ID, "%" PRIu32, who->uid);
	if (!p->users || (process && process->foreign_user))
		return;
	event_set_text(event, F_USER_NAME, users_name(p->users, who->uid, p->now_ns));
	event_set_text(event, F_USER_GROUP_NAME, users_group(p->users, who->gid, p->now_ns));
}

static void set_login(struct pipeline *p, struct event *event, uint32_t uid)
{
	const char *name;

	if (uid == PROCESS_NO_LOGIN)
		return;
	name = p->users ? users_name(p->users, uid, p->now_ns) : NULL;
	if (name)
		event_set_text(event, F_LOGIN_USER, name);
	else
		event_format(event, F_LOGIN_USER, "%" PRIu32, uid);
}

static void set_container(struct event *event, const struct container *container)
{
	if (!container)
		return;
	event_set_text(event, F_CONTAINER_ID, container->name.id);
	event_set_text(event, F_CONTAINER_IMAGE_NAME, container->image);
	event_set_text(event, F_ORCHESTRATOR_NAMESPACE, container->pod_namespace);
	event_set_text(event, F_ORCHESTRATOR_RESOURCE_NAME, container->pod);
}

void compose_process(struct pipeline *p, struct event *event, const struct process_identity *who)
{
	const struct process *process;
	char id[ID_MAX];

	if (!who || !who->pid)
		return;
	process = processes_find(p->processes, who);
	set_user(p, event, who, process);
	event_set_int(event, F_PROCESS_PID, who->pid);
	id_format(id, 0, hash_mix(hash_mix(p->id_seed ^ who->pid) ^ who->start_ns));
	event_format(event, F_PROCESS_ENTITY_ID, "%s", id);
	if (!process)
		return;
	event_set_text(event, F_PROCESS_NAME, process->name);
	event_set_text(event, F_PROCESS_EXECUTABLE, process->executable);
	if (process->started_ns)
		event_set_time(event, F_PROCESS_START, process->started_ns);
	if (process->parent_pid)
		event_set_int(event, F_PROCESS_PARENT_PID, process->parent_pid);
	if (process->ancestor_count)
		event_set_text(event, F_PROCESS_PARENT_NAME, process->ancestors[0]);
	set_container(event, processes_container(p->processes, process));
	for (size_t i = 0; i < process->ancestor_count; i++)
		event_append(event, F_ANCESTORS, span_str(process->ancestors[i]));
	event_set_text(event, F_SCRIPT, process->script);
	set_login(p, event, process->login_uid);
}

/* Through a proxy the destination is whom the client asked for, as far as that is known. */
static void set_destination(struct event *event, const struct flow *flow)
{
	const struct wire *wire = wire_of(flow);
	const struct net_address *address = &flow->server.address;
	uint16_t port = wire_target_port(flow);

	if (wire->target) {
		address = &wire->target->address;
		event_set_ip(event, F_PROXY_IP, &flow->server.address);
		event_set_int(event, F_PROXY_PORT, flow->server.port);
	}
	event_set_ip(event, F_DESTINATION_IP, address);
	if (port)
		event_set_int(event, F_DESTINATION_PORT, port);
	if (wire_target_name(wire)[0])
		event_set_text(event, F_DESTINATION_DOMAIN, wire_target_name(wire));
}

/* The protocol inside is what the server chose, or what was offered alone; TLS 1.3 encrypts the choice. */
static void set_tls(struct event *event, const struct wire *wire)
{
	const char *chosen = wire->answer.alpn;

	event_set_text(event, F_NETWORK_PROTOCOL, wire->is_quic ? "quic" : "tls");
	/* RFC 9001 section 4.2 */
	event_set_text(event, F_TLS_VERSION,
		       wire->is_quic ? "1.3" : tls_version_text(wire->answer.version));
	if (!chosen[0] && wire->hello.alpn_only)
		chosen = wire->hello.alpn;
	event_set_text(event, F_TLS_NEXT_PROTOCOL, chosen);
	event_set_text(event, F_TLS_CLIENT_SERVER_NAME, wire->hello.server_name);
	event_set_text(event, F_TLS_CLIENT_JA4, wire->hello.ja4);
}

void compose_flow(struct pipeline *p, struct event *event, const struct flow *flow)
{
	const struct wire *wire = wire_of(flow);
	char text[COMMUNITY_ID_MAX > ID_MAX ? COMMUNITY_ID_MAX : ID_MAX];

	event_set_ip(event, F_SOURCE_IP, &flow->client.address);
	if (flow->client.port)
		event_set_int(event, F_SOURCE_PORT, flow->client.port);
	set_destination(event, flow);
	event_set_text(event, F_NETWORK_TRANSPORT, flow->transport == 17 ? "udp" : "tcp");
	event_set_text(event, F_NETWORK_TYPE, flow->server.address.family == 6 ? "ipv6" : "ipv4");
	if (p->config.live)
		event_set_text(event, F_NETWORK_DIRECTION, "egress");
	community_id(text, &flow->client, &flow->server, flow->transport);
	event_format(event, F_NETWORK_COMMUNITY_ID, "%s", text);
	if (wire->has_hello)
		set_tls(event, wire);
	if (wire->http)
		event_set_text(event, F_NETWORK_PROTOCOL, "http");
	id_format(text, 0, hash_mix(hash_mix(p->id_seed ^ flow->started_ns) ^ flow->link.hash));
	event_format(event, F_FLOW_ID, "%s", text);
}

void compose_service(struct event *event, const struct service *service)
{
	event_set_text(event, F_SERVICE, service ? service->id : "unknown");
	if (!service)
		return;
	event_set_text(event, F_SERVICE_KIND, service->kind);
	event_set_text(event, F_SERVICE_COUNTRY, service->country);
	event_set_text(event, F_GEN_AI_PROVIDER_NAME, service->provider);
}

static struct span string_of(const struct event *event, enum field field)
{
	return event_has(event, field) ? event->value[field].string : (struct span){0};
}

void compose_who(const struct event *event, char *to, size_t cap)
{
	struct span name = string_of(event, F_PROCESS_NAME);
	struct span user = string_of(event, F_USER_NAME);

	if (!user.len)
		user = string_of(event, F_USER_ID);
	if (name.len) {
		snprintf(to, cap, "%.*s (%.*s)", (int)name.len, name.at, (int)user.len, user.at);
	} else if (event_has(event, F_SOURCE_IP)) {
		const struct net_address *ip = &event->value[F_SOURCE_IP].ip;

		inet_ntop(ip->family == 6 ? AF_INET6 : AF_INET, ip->bytes, to, (socklen_t)cap);
	} else {
		snprintf(to, cap, "somebody");
	}
}

static void deliver(struct pipeline *p, const struct event *event)
{
	p->stats.events++;
	p->config.deliver(p->config.ctx, event);
}

static void deliver_alert(struct pipeline *p, const struct event *trigger,
			  const struct finding *finding)
{
	struct event alert;

	alert_compose(p, &alert, trigger, finding);
	if (!finding->observe) {
		p->stats.alerts++;
		if ((int)finding->severity > p->stats.worst)
			p->stats.worst = (int)finding->severity;
	}
	deliver(p, &alert);
}

/* The verdict on what the host alone tells: only what holds for every service that it may be is one. */
static void judge_open(const struct policy *policy, struct event *event,
		       const struct catalog_match *match)
{
	for (size_t i = 0; i < match->other_count; i++) {
		const struct service *other = match->others[i];
		struct event with = *event;

		event_clear(&with, F_SERVICE_COUNTRY);
		compose_service(&with, other);
		policy_judge(policy, &with);
		if (span_eq(string_of(&with, F_VERDICT), string_of(event, F_VERDICT)))
			continue;
		event_set_text(event, F_VERDICT, "undetermined");
		event_format(event, F_VERDICT_REASON,
			     "the path, which is not known, decides between %s and %s",
			     match->service->id, other->id);
		return;
	}
}

void compose_conclude(struct pipeline *p, struct event *event, const struct catalog_match *by_name,
		      bool alerts)
{
	struct finding findings[FINDINGS_PER_EVENT_MAX];
	size_t n = 0;

	if (event_has(event, F_SERVICE))
		policy_judge(p->config.policy, event);
	if (by_name && event_has(event, F_SERVICE))
		judge_open(p->config.policy, event, by_name);
	if (alerts)
		n = policy_match(p->config.policy, p->state, event, findings, ARRAY_SIZE(findings));
	deliver(p, event);
	for (size_t i = 0; i < n; i++)
		deliver_alert(p, event, &findings[i]);
}
