/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gnomon/finding.h"
#include "pipeline/internal.h"
#include "unit/policy/policies.h"
#include "util/cleanup.h"

/* What an alert says of the event that it is about. */

#define NOW UINT64_C(1787393702413000000)

struct bed {
	struct policy *policy;
	struct catalog *catalog;
	struct pipeline *pipeline;
	struct event trigger, alert;
};

static void ignore(void *ctx, const struct event *event)
{
	(void)ctx;
	(void)event;
}

static int setup(void **state)
{
	static struct bed bed;
	struct pipeline_config config = {.deliver = ignore};

	bed.policy = make("rules: [{id: A, name: n, severity: high, when: user.name exists}]");
	bed.catalog = make_catalog();
	config.policy = bed.policy;
	config.catalog = bed.catalog;
	bed.pipeline = pipeline_new(&config);
	snprintf(bed.pipeline->host_name, sizeof(bed.pipeline->host_name), "lap-1");
	*state = &bed;
	return bed.pipeline ? 0 : -1;
}

static int teardown(void **state)
{
	struct bed *bed = *state;

	pipeline_free(bed->pipeline);
	catalog_free(bed->catalog);
	policy_free(bed->policy);
	return 0;
}

static void begin(struct bed *bed, const char *action)
{
	static const struct net_address client = {4, {10, 0, 0, 5}}, server = {4, {192, 0, 2, 1}};

	compose_base(bed->pipeline, &bed->trigger, action, NOW);
	event_set_text(&bed->trigger, F_USER_NAME, "alice");
	event_set_text(&bed->trigger, F_PROCESS_NAME, "python3");
	event_set_ip(&bed->trigger, F_SOURCE_IP, &client);
	event_set_ip(&bed->trigger, F_DESTINATION_IP, &server);
}

static void begin_call(struct bed *bed)
{
	begin(bed, "llm-request");
	event_set_text(&bed->trigger, F_SERVICE, "openai");
	event_set_text(&bed->trigger, F_URL_DOMAIN, "api.openai.com");
	event_set_text(&bed->trigger, F_DESTINATION_DOMAIN, "api.openai.com");
	event_set_int(&bed->trigger, F_SOURCE_BYTES, 812);
	event_set_text(&bed->trigger, F_VERDICT, "unsanctioned");
	event_set_text(&bed->trigger, F_VERDICT_REASON, "no entry");
}

static void expect_message(struct bed *bed, const struct finding *finding, const char *wanted)
{
	char got[ALERT_MESSAGE_MAX];

	alert_compose(bed->pipeline, &bed->alert, &bed->trigger, finding);
	span_copy(got, sizeof(got), bed->alert.value[F_MESSAGE].string);
	assert_string_equal(got, wanted);
}

#define RULE                                                                                       \
	.rule_id = "A", .rule_name = "Rule", .rule_version = "1", .ruleset = "p",                  \
	.category = "policy", .severity = SEVERITY_HIGH

static void test_use(void **state)
{
	static const enum field verdict[] = {F_VERDICT, F_SERVICE, F_VERDICT_REASON};
	static const enum field key[] = {F_KEY_KIND, F_SERVICE, F_AGENT, F_DESTINATION_IP};
	struct finding finding = {RULE, .facts = verdict, .fact_count = 3};
	struct bed *bed = *state;

	begin_call(bed);
	expect_message(bed, &finding,
		       "Rule: python3 (alice) sent 812 bytes to openai (api.openai.com): no entry");
	event_set_text(&bed->trigger, F_GEN_AI_REQUEST_MODEL, "gpt-5");
	event_set_text(&bed->trigger, F_AGENT, "codex");
	expect_message(bed, &finding,
		       "Rule: python3 (alice), agent codex, sent 812 bytes to openai "
		       "(api.openai.com), model gpt-5: no entry");

	/* a rule that does not ask for the verdict has its own reasons; what is absent is none */
	begin_call(bed);
	event_set_text(&bed->trigger, F_KEY_KIND, "groq");
	event_set_text(&bed->trigger, F_AGENT, "none");
	finding = (struct finding){RULE, .facts = key, .fact_count = 4, .suppressed = 3};
	expect_message(bed, &finding,
		       "Rule: python3 (alice) sent 812 bytes to openai (api.openai.com): "
		       "gnomon.key.kind is \"groq\", gnomon.agent is \"none\", destination.ip is "
		       "192.0.2.1; 3 more like it since the last alert");
	assert_int_equal(bed->alert.value[F_COUNT].integer, 4);
	assert_int_equal(bed->alert.value[F_SUPPRESSED].integer, 3);

	/* no host is known, and nobody's name */
	event_clear(&bed->trigger, F_URL_DOMAIN);
	event_clear(&bed->trigger, F_DESTINATION_DOMAIN);
	event_clear(&bed->trigger, F_PROCESS_NAME);
	finding = (struct finding){RULE};
	expect_message(bed, &finding, "Rule: 10.0.0.5 sent 812 bytes to openai");
}

static void test_windows(void **state)
{
	static const enum field facts[] = {F_VERDICT};
	struct finding finding = {RULE,
				  .facts = facts,
				  .fact_count = 1,
				  .window = WINDOW_SUM,
				  .window_what = "source.bytes",
				  .window_over = "10m",
				  .has_window = true,
				  .window_value = 6000000,
				  .window_threshold = 5e6};
	struct bed *bed = *state;

	begin_call(bed);
	expect_message(bed, &finding,
		       "Rule: python3 (alice) sent 812 bytes to openai (api.openai.com), 6000000 "
		       "source.bytes in 10m where 5000000 are allowed: no entry");
	assert_true(bed->alert.value[F_WINDOW_VALUE].real == 6e6);
	assert_true(bed->alert.value[F_WINDOW_THRESHOLD].real == 5e6);
	finding.window = WINDOW_DISTINCT;
	finding.window_what = "user.name";
	finding.window_value = 3;
	finding.window_threshold = 2.5;
	expect_message(
		bed, &finding,
		"Rule: python3 (alice) sent 812 bytes to openai (api.openai.com), 3 different "
		"user.name in 10m where 2.5 are allowed: no entry");
	finding.window = WINDOW_NEW;
	finding.has_window = false;
	finding.window_what = "gnomon.service";
	finding.window_over = "30d";
	expect_message(bed, &finding,
		       "Rule: python3 (alice) sent 812 bytes to openai (api.openai.com), for "
		       "the first time in 30d gnomon.service \"openai\": no entry");
	assert_false(event_has(&bed->alert, F_WINDOW_VALUE));
}

static void test_server(void **state)
{
	static const struct net_address any = {4, {0}};
	struct finding finding = {RULE};
	struct bed *bed = *state;

	begin(bed, "llm-server");
	event_set_text(&bed->trigger, F_SERVICE, "ollama");
	event_set_text(&bed->trigger, F_API_FAMILY, "openai-chat");
	event_set_text(&bed->trigger, F_GEN_AI_RESPONSE_MODEL, "llama3");
	event_set_ip(&bed->trigger, F_SERVER_IP, &any);
	event_set_int(&bed->trigger, F_SERVER_PORT, 11434);
	event_append(&bed->trigger, F_EVIDENCE, SPAN_LITERAL("reachable"));
	expect_message(bed, &finding,
		       "Rule: python3 (alice) serves the openai-chat API, model llama3, on 0.0.0.0 "
		       "port 11434, which other hosts can reach");
	begin(bed, "llm-server");
	event_set_text(&bed->trigger, F_API_FAMILY, "ollama");
	event_set_int(&bed->trigger, F_SERVER_PORT, 8000);
	event_append(&bed->trigger, F_EVIDENCE, SPAN_LITERAL("loopback_only"));
	expect_message(bed, &finding,
		       "Rule: python3 (alice) serves the ollama API on port 8000, for this host "
		       "alone");
}

static void test_status(void **state)
{
	struct finding finding = {RULE};
	struct bed *bed = *state;

	compose_base(bed->pipeline, &bed->trigger, "sensor-degraded", NOW);
	event_set_text(&bed->trigger, F_MESSAGE, "sensor-degraded");
	event_set_int(&bed->trigger, F_STATUS_LOST_RING, 12);
	event_set_int(&bed->trigger, F_STATUS_LOST_FAULT, 0);
	event_set_int(&bed->trigger, F_STATUS_LOST_PARSE, 3);
	expect_message(bed, &finding, "Rule: sensor-degraded; lost: ring 12, parse 3");
}

static void expect_list(const struct event *event, enum field field, const char *const *wanted,
			size_t count)
{
	assert_true(event_has(event, field));
	assert_int_equal(event->value[field].list.count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(span_eq(event->value[field].list.items[i], span_str(wanted[i])));
}

/* Every address, user and host name of the alert, each once. */
static void test_related(void **state)
{
	static const char *const ips[] = {"10.0.0.5", "192.0.2.1", "2001:db8::1"};
	static const char *const users[] = {"alice", "root"};
	static const char *const hosts[] = {"lap-1", "api.openai.com", "cdn.example"};
	static const struct net_address proxy = {6, {0x20, 1, 0xd, 0xb8, [15] = 1}};
	struct finding finding = {RULE};
	struct bed *bed = *state;

	begin_call(bed);
	event_set_text(&bed->trigger, F_LOGIN_USER, "root");
	event_set_text(&bed->trigger, F_TLS_CLIENT_SERVER_NAME, "cdn.example");
	event_set_ip(&bed->trigger, F_PROXY_IP, &proxy);
	alert_compose(bed->pipeline, &bed->alert, &bed->trigger, &finding);
	expect_list(&bed->alert, F_RELATED_IP, ips, ARRAY_SIZE(ips));
	expect_list(&bed->alert, F_RELATED_USER, users, ARRAY_SIZE(users));
	expect_list(&bed->alert, F_RELATED_HOSTS, hosts, ARRAY_SIZE(hosts));
	assert_false(event_has(&bed->alert, F_TRUNCATED));
}

static bool field_is(const struct event *event, enum field field, const char *text)
{
	return event_has(event, field) && span_eq(event->value[field].string, span_str(text));
}

static void test_rule(void **state)
{
	static const struct span techniques[] = {SPAN_LITERAL("T1567")};
	struct span tags[EVENT_LIST_MAX + 1];
	struct finding finding = {
		RULE,           .reference = "rules/runbook/A.md", .tags = tags,
		.tag_count = 1, .techniques = techniques,          .technique_count = 1};
	struct bed *bed = *state;

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		tags[i] = SPAN_LITERAL("t");
	begin_call(bed);
	alert_compose(bed->pipeline, &bed->alert, &bed->trigger, &finding);
	assert_true(field_is(&bed->alert, F_EVENT_KIND, "alert"));
	assert_true(field_is(&bed->alert, F_EVENT_ACTION, "A"));
	assert_true(field_is(&bed->alert, F_EVENT_DATASET, "gnomon.alert"));
	assert_true(field_is(&bed->alert, F_SEVERITY, "high"));
	assert_int_equal(bed->alert.value[F_EVENT_SEVERITY].integer, 73);
	assert_true(field_is(&bed->alert, F_RULE_REFERENCE, "rules/runbook/A.md"));
	assert_true(field_is(&bed->alert, F_THREAT_FRAMEWORK, "MITRE ATT&CK"));
	assert_true(field_is(&bed->alert, F_POLICY_SHA256, policy_sha256(bed->policy)));
	assert_true(span_eq(bed->alert.value[F_TRIGGER_ID].string,
			    bed->trigger.value[F_EVENT_ID].string));
	assert_false(span_eq(bed->alert.value[F_EVENT_ID].string,
			     bed->trigger.value[F_EVENT_ID].string));
	assert_int_equal(bed->alert.value[F_TIMESTAMP].time_ns, NOW);
	finding.observe = true;
	alert_compose(bed->pipeline, &bed->alert, &bed->trigger, &finding);
	assert_true(field_is(&bed->alert, F_EVENT_KIND, "event"));
	assert_true(field_is(&bed->alert, F_EVENT_DATASET, "gnomon.observed"));
	/* what has no room is told */
	finding.tag_count = ARRAY_SIZE(tags);
	alert_compose(bed->pipeline, &bed->alert, &bed->trigger, &finding);
	assert_true(bed->alert.value[F_TRUNCATED].boolean);
}

/* The longest texts there can be: cut, and nothing behind them. */
static void test_long(void **state)
{
	static const enum field facts[] = {F_USER_AGENT_ORIGINAL,
					   F_URL_PATH,
					   F_SCRIPT,
					   F_ANCESTORS,
					   F_PROCESS_EXECUTABLE,
					   F_TLS_CLIENT_SERVER_NAME,
					   F_GEN_AI_RESPONSE_MODEL,
					   F_CONTAINER_IMAGE_NAME};
	struct finding finding = {RULE, .facts = facts, .fact_count = ARRAY_SIZE(facts)};
	char name[4096], got[ALERT_MESSAGE_MAX + 1];
	struct bed *bed = *state;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	begin_call(bed);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (facts[i] != F_ANCESTORS)
			event_set_text(&bed->trigger, facts[i], name);
	for (int i = 0; i < 20; i++)
		event_append(&bed->trigger, F_ANCESTORS, span_str(name));
	alert_compose(bed->pipeline, &bed->alert, &bed->trigger, &finding);
	span_copy(got, sizeof(got), bed->alert.value[F_MESSAGE].string);
	assert_int_equal(strncmp(got, "Rule: python3 (alice) sent 812", 30), 0);
	finding.rule_name = name;
	alert_compose(bed->pipeline, &bed->alert, &bed->trigger, &finding);
	assert_int_equal(bed->alert.value[F_MESSAGE].string.len, ALERT_MESSAGE_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_use),     cmocka_unit_test(test_windows),
		cmocka_unit_test(test_server),  cmocka_unit_test(test_status),
		cmocka_unit_test(test_related), cmocka_unit_test(test_rule),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
