/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/collect.h"

#include <stdlib.h>

#include "report/text.h"
#include "util/hash.h"
#include "util/terminal.h"
#include "util/text.h"

static const enum field loss_field[LOSS_KIND_COUNT] = {
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

struct report *report_new(void)
{
	return calloc(1, sizeof(struct report));
}

void report_free(struct report *report)
{
	free(report);
}

static struct span get_string(const struct event *event, enum field field)
{
	return event_has(event, field) ? event->value[field].string : span_of(NULL, 0);
}

/* Counters; a negative one would be another's mistake. */
static uint64_t get_count(const struct event *event, enum field field)
{
	if (!event_has(event, field) || event->value[field].integer < 0)
		return 0;
	return (uint64_t)event->value[field].integer;
}

static bool get_bool(const struct event *event, enum field field)
{
	return event_has(event, field) && event->value[field].boolean;
}

static bool is(const struct event *event, enum field field, struct span value)
{
	return span_eq(get_string(event, field), value);
}

/* Both are counters of one audit: they stay at the top rather than start again. */
static void add_to(uint64_t *sum, uint64_t value)
{
	if (__builtin_add_overflow(*sum, value, sum))
		*sum = UINT64_MAX;
}

static uint64_t hash_of(uint64_t hash, struct span text)
{
	/* The NUL keeps "a" + "bc" and "ab" + "c" apart. */
	return hash_fnv1a(hash_fnv1a(hash, text), SPAN_LITERAL("\0"));
}

static struct span ip_text(char to[TEXT_VALUE_MAX], const struct event *event, enum field field)
{
	size_t len = 0;

	if (event_has(event, field))
		len = text_ip(to, &event->value[field].ip);
	return span_of(to, len);
}

static void names_add(struct report_names *names, struct span name)
{
	uint64_t hash = hash_of(HASH_START, name);

	if (name.len == 0)
		return;
	for (size_t i = 0; i < names->count; i++)
		if (names->hash[i] == hash)
			return;
	if (names->count == REPORT_CLIENTS_MAX) {
		names->more = true;
		return;
	}
	if (names->count < NAMES_SHOWN)
		terminal_clean(names->shown[names->count], REPORT_NAME_MAX, name);
	names->hash[names->count++] = hash;
}

/* Who used it, in the words that say most: an agent, a process, or only an address. */
static void add_client(struct report_names *names, const struct event *event)
{
	char ip[TEXT_VALUE_MAX];
	struct span name = get_string(event, F_AGENT);

	if (!name.len)
		name = get_string(event, F_PROCESS_NAME);
	if (!name.len)
		name = ip_text(ip, event, F_SOURCE_IP);
	names_add(names, name);
}

static struct report_service *service_row(struct report *report, const struct event *event)
{
	struct span service = get_string(event, F_SERVICE);
	struct span verdict = get_string(event, F_VERDICT);
	bool unknown = span_eq(service, SPAN_LITERAL("unknown"));
	struct report_service *row;
	char name[REPORT_NAME_MAX];
	uint64_t key;

	/* What the catalogue does not know is known by its name alone. */
	if (unknown && event_has(event, F_DESTINATION_DOMAIN))
		service = get_string(event, F_DESTINATION_DOMAIN);
	if (!verdict.len)
		verdict = SPAN_LITERAL("-");
	key = hash_of(hash_of(HASH_START, service), verdict);
	terminal_clean(name, sizeof(name), service);
	for (size_t i = 0; i < report->service_count; i++)
		if (report->services[i].key == key &&
		    strcmp(report->services[i].service, name) == 0)
			return &report->services[i];
	/* Whoever makes up host names may not push the known services out of the table. */
	if (report->service_count == REPORT_SERVICES_MAX ||
	    (unknown && report->service_count >= REPORT_SERVICES_MAX / 2))
		return &report->other_services;
	row = &report->services[report->service_count++];
	row->key = key;
	span_copy(row->service, sizeof(row->service), span_str(name));
	terminal_clean(row->verdict, sizeof(row->verdict), verdict);
	return row;
}

static void add_use(struct report *report, const struct event *event, bool request)
{
	struct report_service *row;

	/* The first client's event has it already. */
	if (get_bool(event, F_RELAY))
		return;
	row = service_row(report, event);
	if (request) {
		row->requests++;
	} else {
		/* Interim events carry bytes of a connection that another event will end. */
		row->connections += !get_bool(event, F_INTERIM);
		/* An llm-request's bytes are inside of these. */
		add_to(&row->bytes_up, get_count(event, F_SOURCE_BYTES));
		add_to(&row->bytes_down, get_count(event, F_DESTINATION_BYTES));
	}
	add_to(&row->input_tokens, get_count(event, F_GEN_AI_INPUT_TOKENS));
	add_to(&row->output_tokens, get_count(event, F_GEN_AI_OUTPUT_TOKENS));
	/* bounds alone are no count */
	if (event_has(event, F_GEN_AI_INPUT_TOKENS) || event_has(event, F_GEN_AI_OUTPUT_TOKENS))
		row->estimated |= span_starts(get_string(event, F_USAGE_SOURCE),
					      SPAN_LITERAL("estimated"));
	row->used |= !is(event, F_ACTIVITY, SPAN_LITERAL("presence"));
	add_client(&row->clients, event);
}

static enum severity severity_of(const struct event *event)
{
	/* event.severity, of which policy has one number for each (policy.h). */
	uint64_t number = get_count(event, F_EVENT_SEVERITY);

	if (number >= 99)
		return SEVERITY_CRITICAL;
	if (number >= 73)
		return SEVERITY_HIGH;
	return number >= 47 ? SEVERITY_MEDIUM : SEVERITY_LOW;
}

static void add_finding(struct report *report, const struct event *event)
{
	struct span rule = get_string(event, F_RULE_ID), message = get_string(event, F_MESSAGE);
	enum severity severity = severity_of(event);
	uint64_t count = 1, key = hash_of(hash_of(HASH_START + severity, rule), message);
	struct report_finding *row;
	char text[REPORT_MESSAGE_MAX];

	if (!message.len)
		message = get_string(event, F_RULE_NAME);
	terminal_clean(text, sizeof(text), message);
	add_to(&count, get_count(event, F_SUPPRESSED));
	for (size_t i = 0; i < report->finding_count; i++) {
		if (report->findings[i].key == key &&
		    strcmp(report->findings[i].message, text) == 0) {
			add_to(&report->findings[i].count, count);
			return;
		}
	}
	if (report->finding_count == REPORT_FINDINGS_MAX) {
		add_to(&report->other_findings[severity], count);
		return;
	}
	row = &report->findings[report->finding_count++];
	row->key = key;
	row->severity = severity;
	row->count = count;
	terminal_clean(row->rule, sizeof(row->rule), rule.len ? rule : SPAN_LITERAL("-"));
	span_copy(row->message, sizeof(row->message), span_str(text));
}

static void add_server(struct report *report, const struct event *event)
{
	char ip[TEXT_VALUE_MAX], port[TEXT_VALUE_MAX], address[REPORT_NAME_MAX];
	struct span service = get_string(event, F_SERVICE), host = ip_text(ip, event, F_SERVER_IP);
	struct span process = get_string(event, F_PROCESS_NAME);
	struct report_server *row;
	uint64_t key;

	text_uint(port, get_count(event, F_SERVER_PORT));
	snprintf(address, sizeof(address), memchr(ip, ':', host.len) ? "[%.*s]:%s" : "%.*s:%s",
		 (int)host.len, ip, port);
	key = hash_of(hash_of(hash_of(HASH_START, service), span_str(address)), process);
	for (size_t i = 0; i < report->server_count; i++)
		if (report->servers[i].key == key)
			return;
	if (report->server_count == REPORT_SERVERS_MAX) {
		report->other_servers = true;
		return;
	}
	row = &report->servers[report->server_count++];
	row->key = key;
	terminal_clean(row->service, sizeof(row->service), service);
	terminal_clean(row->address, sizeof(row->address), span_str(address));
	terminal_clean(row->process, sizeof(row->process), process);
}

/* Counters since the sensor's start; one that has fallen belongs to another start. */
static void add_status(struct report *report, const struct event *event)
{
	report->status_seen = true;
	for (size_t i = 0; i < LOSS_KIND_COUNT; i++) {
		uint64_t now = get_count(event, loss_field[i]);

		if (!event_has(event, loss_field[i]))
			continue;
		if (now < report->lost[i])
			add_to(&report->lost_before[i], report->lost[i]);
		report->lost[i] = now;
	}
}

void report_add(struct report *report, const struct event *event)
{
	if (is(event, F_EVENT_KIND, SPAN_LITERAL("alert")))
		add_finding(report, event);
	else if (is(event, F_EVENT_DATASET, SPAN_LITERAL("gnomon.status")))
		add_status(report, event);
	else if (is(event, F_EVENT_ACTION, SPAN_LITERAL("llm-request")))
		add_use(report, event, true);
	else if (is(event, F_EVENT_ACTION, SPAN_LITERAL("llm-connection")))
		add_use(report, event, false);
	else if (is(event, F_EVENT_ACTION, SPAN_LITERAL("llm-server")))
		add_server(report, event);
	else if (is(event, F_EVENT_ACTION, SPAN_LITERAL("connection")))
		report->other_connections += !get_bool(event, F_INTERIM);
}
