/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdlib.h>

#include "gnomon/finding.h"
#include "pipeline/pipeline.h"
#include "policy/state.h"
#include "source/script.h"
#include "unit/policy/policies.h"
#include "util/cleanup.h"

/*
 * New rules while calls are on their way: 1,000 times, between any two observations of connections whose
 * calls are half read. Each call is told once and judged by one set of rules, its catalogue and its policy
 * alike; what the old set lent is used no more (under AddressSanitizer); nothing grows.
 */

#define RELOADS 1000
/* Calls that are open at once. */
#define AT_ONCE 8
/* A window fires when a process has made more calls, whichever rules counted them. */
#define COUNT_ABOVE 10
/* Reloads after which memory must no longer grow. glibc counts what its thread cache holds free as in use:
 * up to 7 blocks of each of 64 sizes to 1,032 bytes. A leak of 300 bytes a reload is more. */
#define WARM_UP    100
#define GROWTH_MAX (7 * 64 * 1032 / 2 + 32768)

struct rules {
	char name; /* 'a', 'b' or 'c': the end of all that it is called by */
	struct catalog *catalog;
	struct policy *policy;
};

struct bed {
	struct pipeline *pipeline;
	struct policy_state *state;
	struct rules now;
	char sha256[80];
	size_t requests, connections, alerts, windows, reloads;
	size_t other; /* events that a policy had another name for than the rest */
};

/* Of the service, by set. */
static const char *country_of(char name)
{
	return name == 'a' ? "FR" : name == 'b' ? "DE" : "US";
}

static struct rules rules_make(char name)
{
	struct rules rules = {.name = name, .catalog = catalog_new(), .policy = policy_new()};
	const char *country = country_of(name);
	char text[1024], file[16];
	struct diag diag = {0};

	snprintf(file, sizeof(file), "set-%c", name);
	snprintf(text, sizeof(text),
		 "services:\n  - {id: acme, vendor: V, kind: model-api, country: %s,\n"
		 "     api_hosts: [api.example.com], families: [openai-chat]}\n",
		 country);
	assert_int_equal(catalog_add(rules.catalog, file, span_str(text), &diag), 0);
	assert_int_equal(catalog_seal(rules.catalog), 0);
	snprintf(text, sizeof(text),
		 "providers: {entries: [{service: acme, country: %s, verdict: unsanctioned}]}\n"
		 "lists: {countries: [%s]}\n"
		 "rules:\n"
		 "  - {id: RULE-%c, name: Rule, severity: low, throttle: none,\n"
		 "     when: gnomon.verdict == 'unsanctioned' and gnomon.service_country in "
		 "$countries}\n"
		 "  - {id: COUNT, name: Rule, severity: low, throttle: none, when: process.pid "
		 "exists,\n"
		 "     window: {count: events, per: [process.pid], over: 1h, above: %d}}\n",
		 country, country, name, COUNT_ABOVE);
	assert_int_equal(policy_add(rules.policy, file, span_str(text), &diag), 0);
	assert_int_equal(policy_seal(rules.policy, &diag), 0);
	assert_int_equal(policy_check_services(rules.policy, rules.catalog, &diag), 0);
	return rules;
}

static void rules_done(struct rules *rules)
{
	catalog_free(rules->catalog);
	policy_free(rules->policy);
}

static bool field_is(const struct event *event, enum field field, const char *text)
{
	return event_has(event, field) && span_eq(event->value[field].string, span_str(text));
}

/* Everything that an event has from rules is from those that are in force. */
static void on_event(void *ctx, const struct event *event)
{
	struct bed *bed = ctx;
	const char *country = country_of(bed->now.name);
	char reason[64], rule[16];

	snprintf(reason, sizeof(reason), "entry 1 of set-%c: service acme, country %s",
		 bed->now.name, country);
	snprintf(rule, sizeof(rule), "RULE-%c", bed->now.name);
	if (!field_is(event, F_SERVICE, "acme") || !field_is(event, F_SERVICE_COUNTRY, country) ||
	    !field_is(event, F_VERDICT, "unsanctioned") ||
	    !field_is(event, F_VERDICT_REASON, reason))
		bed->other++;
	if (field_is(event, F_EVENT_ACTION, "llm-request"))
		bed->requests++;
	else if (field_is(event, F_EVENT_ACTION, "llm-connection"))
		bed->connections++;
	else if (!field_is(event, F_EVENT_KIND, "alert") ||
		 !field_is(event, F_POLICY_SHA256, policy_sha256(bed->now.policy)))
		bed->other++;
	else if (field_is(event, F_RULE_ID, rule))
		bed->alerts++;
	else if (field_is(event, F_RULE_ID, "COUNT"))
		bed->windows++;
	else
		bed->other++;
}

static void reload(struct bed *bed)
{
	struct rules old = bed->now;

	if (bed->reloads >= RELOADS)
		return;
	bed->now = rules_make((char)('a' + ++bed->reloads % 3));
	pipeline_rules(bed->pipeline, bed->now.catalog, bed->now.policy, NULL, NULL);
	rules_done(&old);
}

static void open_call(FILE *out, int i, size_t round)
{
	fprintf(out, "process pid=%d uid=0 gid=0 comm=client start=1\n", 100 + i);
	fprintf(out,
		"socket established cookie=%zu role=connected pid=%d local=192.0.2.10:%d "
		"remote=203.0.113.7:443\n",
		round * AT_ONCE + (size_t)i + 1, 100 + i, 40000 + i);
	fprintf(out, "link pid=%d handle=0x%x gen=%zu cookie=%zu kind=in_call\n", 100 + i, 16 + i,
		round + 1, round * AT_ONCE + (size_t)i + 1);
}

static void piece(FILE *out, int i, size_t round, const char *dir, const char *text)
{
	fprintf(out, "segment pid=%d handle=0x%x gen=%zu dir=%s \"%s\"\n", 100 + i, 16 + i,
		round + 1, dir, text);
}

/* Eight calls side by side, each cut where a reload may hurt: in the request's head, before and in its
 * body, in the answer. */
static void write_round(FILE *out, size_t round)
{
	static const char *const request[] = {
		"POST /v1/chat/completions HTTP/1.1\\r\\nHost: api.exam",
		"ple.com\\r\\nContent-Length: 74\\r\\n\\r\\n",
		"{\\\"model\\\":\\\"gpt-4\\\",\\\"messages\\\":[{\\\"role\\\":\\\"user\\\",",
		"\\\"content\\\":\\\"what is the time\\\"}]}"};
	static const char *const answer[] = {
		"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 41\\r\\n",
		"\\r\\n{\\\"object\\\":\\\"chat.completion\\\",", "\\\"choices\\\":[]}"};

	fputs("#gnomon-script 1\n", out);
	for (int i = 0; i < AT_ONCE; i++)
		open_call(out, i, round);
	for (size_t n = 0; n < ARRAY_SIZE(request); n++)
		for (int i = 0; i < AT_ONCE; i++)
			piece(out, i, round, "out", request[n]);
	for (size_t n = 0; n < ARRAY_SIZE(answer); n++)
		for (int i = 0; i < AT_ONCE; i++)
			piece(out, i, round, "in", answer[n]);
	for (int i = 0; i < AT_ONCE; i++) {
		fprintf(out, "end pid=%d handle=0x%x gen=%zu\n", 100 + i, 16 + i, round + 1);
		fprintf(out, "socket closed cookie=%zu sent=400 received=200\n",
			round * AT_ONCE + (size_t)i + 1);
	}
}

static void feed_round(struct bed *bed, size_t round)
{
	struct script script = {0};
	struct diag diag = {0};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	write_round(out, round);
	fclose(out);
	if (script_parse(span_of(text, len), "script", &script, &diag))
		fail_msg("%s", diag.messages[0]);
	for (size_t i = 0; i < script.count; i++) {
		struct script_item *item = &script.items[i];
		struct observation obs = item->obs;

		obs.who = item->has_who ? &item->who : NULL;
		obs.time_ns = UINT64_C(1787393702000000000) + round * 1000000 + i;
		if (obs.kind == OBS_SEGMENT)
			obs.segment.bytes = span_of(item->bytes, item->len);
		if (i % 2)
			reload(bed);
		pipeline_feed(bed->pipeline, &obs);
	}
	script_done(&script);
	free(text);
}

static size_t bytes_in_use(void)
{
	return mallinfo2().uordblks;
}

static void test_reload_under_load(void **state)
{
	struct bed bed = {.now = rules_make('a'), .state = policy_state_new(true)};
	struct pipeline_config config = {.catalog = bed.now.catalog,
					 .policy = bed.now.policy,
					 .state = bed.state,
					 .deliver = on_event,
					 .ctx = &bed};
	size_t rounds = 0, before = 0;

	(void)state;
	bed.pipeline = pipeline_new(&config);
	assert_non_null(bed.pipeline);
	while (bed.reloads < RELOADS) {
		feed_round(&bed, rounds++);
		if (before == 0 && bed.reloads > WARM_UP)
			before = bytes_in_use();
	}
	pipeline_finish(bed.pipeline);
	assert_int_equal(bed.reloads, RELOADS);
	assert_int_equal(bed.other, 0);
	assert_int_equal(bed.requests, rounds * AT_ONCE);
	assert_int_equal(bed.connections, rounds * AT_ONCE);
	assert_int_equal(bed.alerts, rounds * AT_ONCE);
	assert_true(rounds > COUNT_ABOVE);
	assert_int_equal(bed.windows, AT_ONCE);
	assert_true(bytes_in_use() <= before + GROWTH_MAX);
	print_message(
		"# %zu reloads amid %zu calls, %zu bytes in use after %d of them, %zu at the end\n",
		bed.reloads, bed.requests, before, WARM_UP, bytes_in_use());
	pipeline_free(bed.pipeline);
	policy_state_free(bed.state);
	rules_done(&bed.now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_reload_under_load)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
