/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "catalog/agents.h"
#include "gnomon/finding.h"
#include "pipeline/internal.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/event_text.h"
#include "util/text.h"

/* What becomes an event when a rule has fired on one. */

static struct span string_of(const struct event *event, enum field field)
{
	return event_has(event, field) ? event->value[field].string : (struct span){0};
}

static void append(struct event *event, enum field list, struct span item)
{
	if (item.len && !event_append(event, list, item))
		event_set_bool(event, F_TRUNCATED, true);
}

/* The fields that an alert carries over from the event that triggered it. */
static const enum field carried[] = {
	F_USER_ID,
	F_USER_NAME,
	F_USER_GROUP_NAME,
	F_PROCESS_PID,
	F_PROCESS_NAME,
	F_PROCESS_EXECUTABLE,
	F_PROCESS_START,
	F_PROCESS_ENTITY_ID,
	F_PROCESS_PARENT_PID,
	F_PROCESS_PARENT_NAME,
	F_CONTAINER_ID,
	F_CONTAINER_IMAGE_NAME,
	F_ORCHESTRATOR_NAMESPACE,
	F_ORCHESTRATOR_RESOURCE_NAME,
	F_SOURCE_IP,
	F_SOURCE_PORT,
	F_SOURCE_BYTES,
	F_DESTINATION_IP,
	F_DESTINATION_PORT,
	F_DESTINATION_BYTES,
	F_DESTINATION_DOMAIN,
	F_PROXY_IP,
	F_PROXY_PORT,
	F_NETWORK_TRANSPORT,
	F_NETWORK_TYPE,
	F_NETWORK_PROTOCOL,
	F_NETWORK_DIRECTION,
	F_NETWORK_COMMUNITY_ID,
	F_SERVER_IP,
	F_SERVER_PORT,
	F_PROXY_IP,
	F_PROXY_PORT,
	F_TLS_CLIENT_SERVER_NAME,
	F_TLS_CLIENT_JA4,
	F_URL_DOMAIN,
	F_URL_PATH,
	F_USER_AGENT_ORIGINAL,
	F_GEN_AI_OPERATION_NAME,
	F_GEN_AI_PROVIDER_NAME,
	F_GEN_AI_REQUEST_MODEL,
	F_GEN_AI_RESPONSE_MODEL,
	F_GEN_AI_INPUT_TOKENS,
	F_GEN_AI_OUTPUT_TOKENS,
	F_USAGE_SOURCE,
	F_USAGE_INPUT_LOW,
	F_USAGE_INPUT_HIGH,
	F_USAGE_OUTPUT_LOW,
	F_USAGE_OUTPUT_HIGH,
	F_COST_USD,
	F_MCP_METHOD,
	F_MCP_TOOL,
	F_MCP_SERVER,
	F_SERVICE,
	F_SERVICE_KIND,
	F_SERVICE_COUNTRY,
	F_API_FAMILY,
	F_AGENT,
	F_AGENT_CONFIDENCE,
	F_SCRIPT,
	F_LOGIN_USER,
	F_ACCOUNT_KIND,
	F_ACCOUNT_FINGERPRINT,
	F_KEY_KIND,
	F_KEY_FINGERPRINT,
	F_VERDICT,
	F_VERDICT_REASON,
	F_VISIBILITY,
	F_VISIBILITY_REASON,
	F_CONFIDENCE,
	F_LINK,
	F_RELAY,
	F_FLOW_ID,
	F_STATUS_STATE,
	F_STATUS_LOST_RING,
	F_STATUS_LOST_FAULT,
	F_STATUS_LOST_TABLE,
	F_STATUS_LOST_STREAM_BUDGET,
	F_STATUS_LOST_CAPTURE,
	F_STATUS_LOST_TRUNCATED,
	F_STATUS_LOST_PARSE,
	F_STATUS_LOST_STATE,
	F_STATUS_LOST_OUTPUT,
};

static void carry_over(const struct event *from, struct event *to)
{
	/* items live in the event that they are of */
	static const enum field lists[] = {F_AGENT_EVIDENCE, F_ANCESTORS, F_EVIDENCE};

	for (size_t i = 0; i < ARRAY_SIZE(carried); i++) {
		enum field f = carried[i];

		if (!event_has(from, f))
			continue;
		to->present[f / 64] |= 1ULL << (f % 64);
		to->value[f] = from->value[f];
	}
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
		for (size_t i = 0;
		     event_has(from, lists[l]) && i < from->value[lists[l]].list.count; i++)
			append(to, lists[l], from->value[lists[l]].list.items[i]);
}

/* ---- the message ------------------------------------------------------------------------- */

/* One sentence: who did what, how much of it, and why that is told. */
struct sentence {
	char text[ALERT_MESSAGE_MAX];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void say(struct sentence *s, const char *format, ...)
{
	size_t room = sizeof(s->text) - s->used;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(s->text + s->used, room, format, args);
	va_end(args);
	if (n > 0)
		s->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void say_use(struct sentence *s, const struct event *trigger)
{
	struct span service = string_of(trigger, F_SERVICE);
	struct span host = string_of(trigger, F_URL_DOMAIN);
	struct span model = string_of(trigger, F_GEN_AI_REQUEST_MODEL);
	struct span agent = string_of(trigger, F_AGENT);
	int64_t sent = event_has(trigger, F_SOURCE_BYTES) ? trigger->value[F_SOURCE_BYTES].integer
							  : 0;

	if (!host.len)
		host = string_of(trigger, F_DESTINATION_DOMAIN);
	if (agent.len && !span_eq(agent, SPAN_LITERAL(AGENT_NONE)))
		say(s, ", agent %.*s,", (int)agent.len, agent.at);
	say(s, " sent %" PRId64 " bytes to %.*s", sent, (int)service.len, service.at);
	if (host.len)
		say(s, " (%.*s)", (int)host.len, host.at);
	if (model.len)
		say(s, ", model %.*s", (int)model.len, model.at);
}

static bool has_evidence(const struct event *event, struct span wanted)
{
	const struct field_list *list = &event->value[F_EVIDENCE].list;

	for (size_t i = 0; event_has(event, F_EVIDENCE) && i < list->count; i++)
		if (span_eq(list->items[i], wanted))
			return true;
	return false;
}

static void say_server(struct sentence *s, const struct event *trigger)
{
	struct span family = string_of(trigger, F_API_FAMILY);
	struct span model = string_of(trigger, F_GEN_AI_RESPONSE_MODEL);
	char address[TEXT_VALUE_MAX] = "";

	if (event_has(trigger, F_SERVER_IP))
		text_ip(address, &trigger->value[F_SERVER_IP].ip);
	say(s, " serves the %.*s API", (int)family.len, family.at);
	if (model.len)
		say(s, ", model %.*s,", (int)model.len, model.at);
	say(s, " on %s%sport %" PRId64, address, *address ? " " : "",
	    event_has(trigger, F_SERVER_PORT) ? trigger->value[F_SERVER_PORT].integer : 0);
	if (has_evidence(trigger, SPAN_LITERAL("reachable")))
		say(s, ", which other hosts can reach");
	else if (has_evidence(trigger, SPAN_LITERAL("loopback_only")))
		say(s, ", for this host alone");
}

/* About the sensor itself. */
static void say_status(struct sentence *s, const struct event *trigger)
{
	struct span message = string_of(trigger, F_MESSAGE);
	const char *before = "; lost: ";

	say(s, "%.*s", (int)message.len, message.at);
	for (int field = F_STATUS_LOST_RING; field <= F_STATUS_LOST_OUTPUT; field++) {
		const char *name = strrchr(field_table[field].name, '.') + 1;

		if (!event_has(trigger, (enum field)field) || !trigger->value[field].integer)
			continue;
		say(s, "%s%s %" PRId64, before, name, trigger->value[field].integer);
		before = ", ";
	}
}

static void say_window(struct sentence *s, const struct event *trigger,
		       const struct finding *finding)
{
	const char *what = finding->window_what;
	char value[EVENT_VALUE_TEXT_MAX];

	if (finding->window == WINDOW_NEW) {
		event_value_text(value, trigger, (enum field)field_by_name(span_str(what)));
		say(s, ", for the first time in %s %s %s", finding->window_over, what, value);
	}
	if (finding->has_window)
		say(s, ", %.15g %s%s in %s where %.15g are allowed", finding->window_value,
		    finding->window == WINDOW_DISTINCT ? "different " : "", what,
		    finding->window_over, finding->window_threshold);
}

/* Is it said otherwise? */
static bool is_said(enum field field)
{
	static const enum field said[] = {F_EVENT_ACTION,   F_SERVICE,      F_VERDICT,
					  F_VERDICT_REASON, F_STATUS_STATE, F_RELAY};

	for (size_t i = 0; i < ARRAY_SIZE(said); i++)
		if (said[i] == field)
			return true;
	return false;
}

/* What the provider list said, when that was asked for, and the facts that the rule looked at. */
static void say_why(struct sentence *s, const struct event *trigger, const struct finding *finding)
{
	struct span reason = string_of(trigger, F_VERDICT_REASON);
	const char *before = ": ";
	bool asked = false;

	for (size_t i = 0; i < finding->fact_count; i++)
		asked |= finding->facts[i] == F_VERDICT || finding->facts[i] == F_VERDICT_REASON;
	if (asked && reason.len) {
		say(s, "%s%.*s", before, (int)reason.len, reason.at);
		before = "; ";
	}
	for (size_t i = 0; i < finding->fact_count; i++) {
		char value[EVENT_VALUE_TEXT_MAX];
		enum field field = finding->facts[i];

		if (is_said(field) || !event_has(trigger, field))
			continue;
		event_value_text(value, trigger, field);
		say(s, "%s%s is %s", before, field_table[field].name, value);
		before = ", ";
	}
}

static void set_message(const struct event *trigger, struct event *alert,
			const struct finding *finding)
{
	struct sentence s = {.used = 0};
	char who[96];

	say(&s, "%s: ", finding->rule_name);
	compose_who(trigger, who, sizeof(who));
	if (!event_has(trigger, F_SERVICE) && !event_has(trigger, F_SERVER_PORT)) {
		say_status(&s, trigger);
	} else {
		say(&s, "%s", who);
		if (event_has(trigger, F_SERVER_PORT))
			say_server(&s, trigger);
		else
			say_use(&s, trigger);
		say_window(&s, trigger, finding);
		say_why(&s, trigger, finding);
	}
	if (finding->suppressed)
		say(&s, "; %" PRIu64 " more like it since the last alert", finding->suppressed);
	event_format(alert, F_MESSAGE, "%s", s.text);
}

/* ---- related.* --------------------------------------------------------------------------- */

static bool list_has(const struct event *event, enum field list, struct span item)
{
	const struct field_list *items = &event->value[list].list;

	for (size_t i = 0; event_has(event, list) && i < items->count; i++)
		if (span_eq(items->items[i], item))
			return true;
	return false;
}

/* Once each. */
static void set_related(struct event *event, enum field list, const enum field *from, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char text[TEXT_VALUE_MAX];
		struct span item;

		if (!event_has(event, from[i]))
			continue;
		if (field_table[from[i]].type == FIELD_IP)
			item = span_of(text, text_ip(text, &event->value[from[i]].ip));
		else
			item = event->value[from[i]].string;
		if (!item.len || list_has(event, list, item))
			continue;
		if (item.at == text && !event_append_copy(event, list, item))
			event_set_bool(event, F_TRUNCATED, true);
		else if (item.at != text)
			append(event, list, item);
	}
}

static void set_all_related(struct event *event)
{
	static const enum field ips[] = {F_SOURCE_IP, F_DESTINATION_IP, F_SERVER_IP, F_PROXY_IP};
	static const enum field users[] = {F_USER_NAME, F_LOGIN_USER};
	static const enum field hosts[] = {F_HOST_NAME, F_DESTINATION_DOMAIN, F_URL_DOMAIN,
					   F_TLS_CLIENT_SERVER_NAME};

	set_related(event, F_RELATED_IP, ips, ARRAY_SIZE(ips));
	set_related(event, F_RELATED_USER, users, ARRAY_SIZE(users));
	set_related(event, F_RELATED_HOSTS, hosts, ARRAY_SIZE(hosts));
}

static void set_rule(struct event *alert, const struct finding *finding)
{
	event_set_int(alert, F_EVENT_SEVERITY, severity_number(finding->severity));
	event_set_text(alert, F_SEVERITY, severity_name(finding->severity));
	event_set_text(alert, F_RULE_ID, finding->rule_id);
	event_set_text(alert, F_RULE_NAME, finding->rule_name);
	event_set_text(alert, F_RULE_VERSION, finding->rule_version);
	event_set_text(alert, F_RULE_RULESET, finding->ruleset);
	event_set_text(alert, F_RULE_CATEGORY, finding->category);
	event_set_text(alert, F_RULE_REFERENCE, finding->reference);
	if (finding->technique_count)
		event_set_text(alert, F_THREAT_FRAMEWORK, "MITRE ATT&CK");
	for (size_t i = 0; i < finding->technique_count; i++)
		append(alert, F_THREAT_TECHNIQUE_ID, finding->techniques[i]);
	for (size_t i = 0; i < finding->tag_count; i++)
		append(alert, F_TAGS, finding->tags[i]);
}

void alert_compose(struct pipeline *p, struct event *alert, const struct event *trigger,
		   const struct finding *finding)
{
	compose_base(p, alert, finding->rule_id, trigger->value[F_TIMESTAMP].time_ns);
	if (finding->observe) {
		event_set_text(alert, F_EVENT_KIND, "event");
		event_set_text(alert, F_EVENT_DATASET, "gnomon.observed");
	}
	set_rule(alert, finding);
	carry_over(trigger, alert);
	set_message(trigger, alert, finding);
	set_all_related(alert);
	event_set_int(alert, F_COUNT, (int64_t)finding->suppressed + 1);
	event_set_int(alert, F_SUPPRESSED, (int64_t)finding->suppressed);
	if (finding->has_window) {
		event_set_double(alert, F_WINDOW_VALUE, finding->window_value);
		event_set_double(alert, F_WINDOW_THRESHOLD, finding->window_threshold);
	}
	event_set_string(alert, F_TRIGGER_ID, string_of(trigger, F_EVENT_ID));
	event_set_text(alert, F_POLICY_SHA256, policy_sha256(p->config.policy));
}
