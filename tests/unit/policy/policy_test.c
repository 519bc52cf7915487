/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "policy/times.h"
#include "unit/policy/policies.h"

static void expect(const struct policy *policy, struct event *event, const char *verdict,
		   const char *reason)
{
	char text[256];

	policy_judge(policy, event);
	assert_true(event_has(event, F_VERDICT));
	span_copy(text, sizeof(text), event->value[F_VERDICT].string);
	assert_string_equal(text, verdict);
	span_copy(text, sizeof(text), event->value[F_VERDICT_REASON].string);
	assert_string_equal(text, reason);
}

#define NO_ENTRY "no entry of the provider list matches"

static void test_judge(void **state)
{
	struct policy *policy = make(
		"providers:\n"
		"  default: unsanctioned\n"
		"  entries:\n"
		"    - {service: openai, verdict: sanctioned, models: [gpt-4o*, gpt-5*]}\n"
		"    - {service: mistral, verdict: sanctioned, users: [alice], agents: [codex]}\n"
		"    - {vendor: OpenAI, verdict: tolerated}\n"
		"    - {kind: [self-hosted, search], verdict: tolerated}\n"
		"    - {country: CN, verdict: unsanctioned}\n");
	struct event event;

	(void)state;
	call(&event, "openai", "model-api");
	event_set_text(&event, F_GEN_AI_REQUEST_MODEL, "gpt-4o-mini");
	expect(policy, &event, "sanctioned",
	       "entry 1 of p: service openai, models gpt-4o*, gpt-5*");

	/* a deployment's name in the request, the model in the response */
	call(&event, "openai", "model-api");
	event_set_text(&event, F_GEN_AI_REQUEST_MODEL, "my-deployment");
	event_set_text(&event, F_GEN_AI_RESPONSE_MODEL, "gpt-5-2025");
	expect(policy, &event, "sanctioned",
	       "entry 1 of p: service openai, models gpt-4o*, gpt-5*");

	call(&event, "openai", "model-api");
	event_set_text(&event, F_GEN_AI_REQUEST_MODEL, "o1");
	expect(policy, &event, "tolerated", "entry 3 of p: vendor OpenAI");

	call(&event, "chatgpt", "chat-web");
	expect(policy, &event, "tolerated", "entry 3 of p: vendor OpenAI");

	call(&event, "ollama", "self-hosted");
	expect(policy, &event, "tolerated", "entry 4 of p: kind self-hosted, search");

	call(&event, "deepseek", "model-api");
	event_set_text(&event, F_SERVICE_COUNTRY, "CN");
	expect(policy, &event, "unsanctioned", "entry 5 of p: country CN");

	call(&event, "groq", "model-api");
	event_set_text(&event, F_SERVICE_COUNTRY, "US");
	expect(policy, &event, "unsanctioned", NO_ENTRY);

	event_init(&event);
	policy_judge(policy, &event);
	assert_false(event_has(&event, F_VERDICT));
	policy_free(policy);
}

static void test_judge_unknown(void **state)
{
	struct policy *policy = make(
		"providers:\n"
		"  default: unsanctioned\n"
		"  entries:\n"
		"    - {service: openai, verdict: sanctioned, models: [gpt-4o*]}\n"
		"    - {service: mistral, verdict: sanctioned, users: [alice], agents: [codex]}\n"
		"    - {country: FR, verdict: tolerated}\n");
	struct event event;

	(void)state;
	call(&event, "openai", "model-api");
	expect(policy, &event, "undetermined",
	       "entry 1 of p depends on gen_ai.request.model, which is not known");

	/* false and unknown is false: the unknown agent does not matter for bob */
	call(&event, "mistral", "model-api");
	event_set_text(&event, F_USER_NAME, "bob");
	event_set_text(&event, F_SERVICE_COUNTRY, "FR");
	expect(policy, &event, "tolerated", "entry 3 of p: country FR");

	call(&event, "mistral", "model-api");
	event_set_text(&event, F_USER_NAME, "alice");
	expect(policy, &event, "undetermined",
	       "entry 2 of p depends on gnomon.agent, which is not known");
	event_set_text(&event, F_AGENT, "codex");
	expect(policy, &event, "sanctioned",
	       "entry 2 of p: service mistral, agents codex, users alice");

	call(&event, "mistral", "model-api");
	event_set_text(&event, F_AGENT, "codex");
	expect(policy, &event, "undetermined",
	       "entry 2 of p depends on user.name, which is not known");

	call(&event, "groq", "model-api");
	expect(policy, &event, "undetermined",
	       "entry 3 of p depends on gnomon.service_country, which is not known");

	/* a private gateway is in no country that the catalogue knows of */
	call(&event, "unknown", NULL);
	expect(policy, &event, "unsanctioned", NO_ENTRY);
	policy_free(policy);
}

/* Each entry's condition, with a fact that fits, one that does not, and without it. */
static void test_judge_keys(void **state)
{
	static const struct {
		const char *entry;
		enum field field;
		const char *fits, *other, *name;
	} keys[] = {
		{"accounts: [organisation]", F_ACCOUNT_KIND, "organisation", "personal",
		 "accounts organisation"},
		{"groups: [quant, ml]", F_USER_GROUP_NAME, "ml", "sales", "groups quant, ml"},
		{"processes: [code*, node]", F_PROCESS_NAME, "codex", "curl",
		 "processes code*, node"},
		{"processes: [/opt/*]", F_PROCESS_EXECUTABLE, "/opt/x/y", "/usr/bin/y",
		 "processes /opt/*"},
		{"images: [registry.example/ml/*]", F_CONTAINER_IMAGE_NAME,
		 "registry.example/ml/a:1", "nginx", "images registry.example/ml/*"},
		{"namespaces: [dev-*]", F_ORCHESTRATOR_NAMESPACE, "dev-1", "prod",
		 "namespaces dev-*"},
	};
	char text[256], reason[256];

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct policy *policy;
		struct event event;

		snprintf(text, sizeof(text), "providers: {entries: [{verdict: sanctioned, %s}]}",
			 keys[i].entry);
		policy = make(text);
		call(&event, "openai", "model-api");
		snprintf(reason, sizeof(reason), "entry 1 of p depends on %s, which is not known",
			 field_table[keys[i].field == F_PROCESS_EXECUTABLE ? F_PROCESS_NAME
									   : keys[i].field]
				 .name);
		expect(policy, &event, "undetermined", reason);
		event_set_text(&event, keys[i].field, keys[i].other);
		snprintf(reason, sizeof(reason), "entry 1 of p fits but for %s",
			 field_table[keys[i].field == F_PROCESS_EXECUTABLE ? F_PROCESS_NAME
									   : keys[i].field]
				 .name);
		expect(policy, &event, "unsanctioned", reason);
		event_set_text(&event, keys[i].field, keys[i].fits);
		snprintf(reason, sizeof(reason), "entry 1 of p: %s", keys[i].name);
		expect(policy, &event, "sanctioned", reason);
		policy_free(policy);
	}
}

/* A process on the host is in no container; of one in a container the image may not be known. */
static void test_judge_container(void **state)
{
	struct policy *policy =
		make("providers: {entries: [{verdict: sanctioned, images: [ml/*]}]}");
	struct event event;

	(void)state;
	call(&event, "openai", "model-api");
	event_set_text(&event, F_PROCESS_NAME, "curl");
	expect(policy, &event, "unsanctioned", "entry 1 of p fits but for container.image.name");
	event_set_text(&event, F_CONTAINER_ID, "c1");
	expect(policy, &event, "undetermined",
	       "entry 1 of p depends on container.image.name, which is not known");
	policy_free(policy);
}

static void test_judge_hours(void **state)
{
	struct policy *policy = make("providers:\n  entries:\n"
				     "    - {service: openai, verdict: tolerated, outside_hours: "
				     "mon-fri 08:00-18:00 utc}\n"
				     "    - {hours: [mon 08:00-12:00 utc, mon 13:00-18:00 utc], "
				     "verdict: sanctioned}\n");
	struct event event;
	uint64_t now;

	(void)state;
	call(&event, "openai", "model-api");
	assert_null(moment_parse(SPAN_LITERAL("mon 13:00 utc"), &now));
	event_set_time(&event, F_TIMESTAMP, now);
	expect(policy, &event, "sanctioned",
	       "entry 2 of p: hours mon 08:00-12:00 utc, mon 13:00-18:00 utc");
	assert_null(moment_parse(SPAN_LITERAL("mon 18:00 utc"), &now));
	event_set_time(&event, F_TIMESTAMP, now);
	expect(policy, &event, "tolerated",
	       "entry 1 of p: service openai, outside_hours mon-fri 08:00-18:00 utc");
	policy_free(policy);
}

static void test_near_miss(void **state)
{
	struct policy *policy = make(
		"providers:\n  entries:\n"
		"    - {service: mistral, verdict: unsanctioned, models: [x]}\n"
		"    - {service: openai, verdict: sanctioned, models: [gpt-4o*], users: [alice]}\n"
		"    - {service: openai, verdict: tolerated, models: [gpt-5*],\n"
		"       hours: mon-fri 08:00-18:00 utc}\n"
		"    - {vendor: Mistral AI, verdict: sanctioned, users: [alice]}\n");
	struct event event;
	uint64_t now;

	(void)state;
	assert_null(moment_parse(SPAN_LITERAL("mon 09:00 utc"), &now));
	call(&event, "openai", "model-api");
	event_set_time(&event, F_TIMESTAMP, now);
	event_set_text(&event, F_GEN_AI_REQUEST_MODEL, "o1");
	event_set_text(&event, F_USER_NAME, "alice");
	expect(policy, &event, "unsanctioned", "entry 2 of p fits but for gen_ai.request.model");
	/* two reasons of the first, one of the second */
	event_set_text(&event, F_USER_NAME, "bob");
	expect(policy, &event, "unsanctioned", "entry 3 of p fits but for gen_ai.request.model");
	event_set_text(&event, F_GEN_AI_REQUEST_MODEL, "gpt-4o");
	expect(policy, &event, "unsanctioned", "entry 2 of p fits but for user.name");
	assert_null(moment_parse(SPAN_LITERAL("sun 09:00 utc"), &now));
	event_set_time(&event, F_TIMESTAMP, now);
	event_set_text(&event, F_GEN_AI_REQUEST_MODEL, "gpt-5");
	expect(policy, &event, "unsanctioned", "entry 3 of p fits but for @timestamp");

	/* an entry that would not allow it is no near miss, and an unknown fact is none */
	call(&event, "mistral", "model-api");
	event_set_text(&event, F_GEN_AI_REQUEST_MODEL, "y");
	event_set_text(&event, F_USER_NAME, "bob");
	expect(policy, &event, "unsanctioned", "entry 4 of p fits but for user.name");
	call(&event, "openai", "model-api");
	event_set_time(&event, F_TIMESTAMP, now);
	event_set_text(&event, F_USER_NAME, "bob");
	expect(policy, &event, "unsanctioned", NO_ENTRY);
	policy_free(policy);
}

static void test_unresolved_vendor(void **state)
{
	struct policy *policy = policy_new();
	struct event event;

	(void)state;
	add(policy, "p", "providers: {entries: [{vendor: OpenAI, verdict: sanctioned}]}\n");
	seal(policy);
	call(&event, "openai", "model-api");
	expect(policy, &event, "undetermined",
	       "entry 1 of p depends on gnomon.service, which is not known");
	policy_free(policy);
}

static void test_file_order(void **state)
{
	struct policy *policy = policy_new();
	struct event event;

	(void)state;
	add(policy, "first",
	    "providers: {default: tolerated, entries: "
	    "[{service: a, verdict: unsanctioned}, {kind: mcp, verdict: tolerated}]}");
	add(policy, "second", "providers: {entries: [{service: [b, a], verdict: sanctioned}]}");
	add(policy, "third", "# nothing\n");
	seal(policy);
	call(&event, "a", "mcp");
	expect(policy, &event, "sanctioned", "entry 1 of second: service b, a");
	call(&event, "c", "mcp");
	expect(policy, &event, "tolerated", "entry 2 of first: kind mcp");
	call(&event, "c", "search");
	expect(policy, &event, "tolerated", NO_ENTRY);
	policy_free(policy);

	policy = policy_new();
	seal(policy);
	call(&event, "a", "mcp");
	expect(policy, &event, "unsanctioned", NO_ENTRY);
	policy_free(policy);
}

static void test_rules(void **state)
{
	struct policy *policy = make(
		"lists: {people: [carol, dave]}\n"
		"rules:\n"
		"  - {id: R-1, name: One, when: user.name in $people, severity: high,\n"
		"     attack: [T1567, T1567.002], tags: [x, y], category: cat, version: '7',\n"
		"     reference: https://r}\n"
		"  - {id: R-2, name: Two, when: user.name exists, severity: low,\n"
		"     on: [llm-server, llm-connection]}\n");
	struct finding found[4];
	struct event event;

	(void)state;
	assert_int_equal(policy_rules(policy), 2);
	call(&event, "openai", "model-api");
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 0);
	event_set_text(&event, F_USER_NAME, "eve");
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 0);
	event_set_text(&event, F_USER_NAME, "dave");
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 1);
	assert_string_equal(found[0].rule_id, "R-1");
	assert_string_equal(found[0].rule_name, "One");
	assert_string_equal(found[0].rule_version, "7");
	assert_string_equal(found[0].ruleset, "p");
	assert_string_equal(found[0].category, "cat");
	assert_string_equal(found[0].reference, "https://r");
	assert_int_equal(found[0].severity, SEVERITY_HIGH);
	assert_int_equal(found[0].technique_count, 2);
	assert_true(span_eq(found[0].techniques[1], SPAN_LITERAL("T1567.002")));
	assert_int_equal(found[0].tag_count, 2);

	event_set_text(&event, F_EVENT_ACTION, "llm-connection");
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 2);
	assert_int_equal(policy_match(policy, NULL, &event, found, 1), 1);
	/* the call itself alerts; what is asked for by name is still told */
	event_set_text(&event, F_VISIBILITY, "plaintext");
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 1);
	assert_string_equal(found[0].rule_id, "R-2");
	assert_string_equal(found[0].rule_version, "1");
	assert_string_equal(found[0].category, "policy");
	assert_null(found[0].reference);
	event_set_text(&event, F_VISIBILITY, "sni");
	event_set_text(&event, F_ACTIVITY, "presence");
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 0);
	event_set_text(&event, F_ACTIVITY, "use");
	event_set_text(&event, F_EVENT_ACTION, "GN-1001");
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 0);
	event_clear(&event, F_EVENT_ACTION);
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 0);
	policy_free(policy);
}

/* What a finding names as its reason: each field once, macros written out; and its window. */
static void test_facts(void **state)
{
	static const enum field wanted[] = {F_USER_NAME, F_KEY_KIND, F_URL_DOMAIN,
					    F_TLS_CLIENT_SERVER_NAME, F_TAGS};
	struct policy *policy = make(
		"macros: {key: gnomon.key.kind exists and not (user.name == 'x')}\n"
		"lists: {none: []}\n"
		"rules:\n"
		"  - id: R\n    name: N\n    severity: low\n"
		"    when: user.name exists and key and url.domain != tls.client.server_name\n"
		"          and not (tags in $none)\n"
		"    window: {sum: source.bytes, per: [user.name], over: 90m, above: 1}\n"
		"  - id: S\n    name: N\n    severity: low\n    when: user.name in $none\n");
	struct policy_rule_info info;
	struct event event;
	struct finding found[4];

	(void)state;
	policy_rule(policy, 0, &info);
	assert_int_equal(info.finding.fact_count, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < info.finding.fact_count; i++)
		assert_int_equal(info.finding.facts[i], wanted[i]);
	assert_int_equal(info.finding.window, WINDOW_SUM);
	assert_string_equal(info.finding.window_what, "source.bytes");
	assert_string_equal(info.finding.window_over, "90m");
	policy_rule(policy, 1, &info);
	assert_null(info.finding.window_what);
	/* nobody is in an empty list */
	call(&event, "openai", "model-api");
	event_set_text(&event, F_USER_NAME, "alice");
	assert_int_equal(policy_match(policy, NULL, &event, found, 4), 0);
	policy_free(policy);
}

struct seen {
	size_t count;
	unsigned int wrong_line, wrong_column;
};

static void see(void *ctx, const struct policy_test_result *result)
{
	struct seen *seen = ctx;

	seen->count++;
	if (result->expect_alert == result->fired)
		return;
	seen->wrong_line = result->line;
	seen->wrong_column = result->column;
}

static void test_embedded_tests(void **state)
{
	struct policy *policy = make(
		"rules:\n"
		"  - id: R\n"
		"    name: N\n"
		"    when: process.pid > 5 and gnomon.cost.usd < 1.5\n"
		"    severity: low\n"
		"    on: llm-server\n"
		"    tests:\n"
		"      - {event: {process.pid: 6, gnomon.cost.usd: 1}, expect: alert}\n"
		"      - {event: {process.pid: 5, gnomon.cost.usd: 0.5}, expect: none}\n"
		"      - {event: {process.pid: 6}, expect: alert}\n"
		"  - id: S\n"
		"    name: N\n"
		"    when: gen_ai.request.stream and destination.ip == '10.0.0.0/8' and tags "
		"contains 'a'\n"
		"    severity: low\n"
		"    tests:\n"
		"      - event: {gen_ai.request.stream: true, destination.ip: 10.0.0.1, tags: [b, "
		"a]}\n"
		"        expect: alert\n");
	struct seen seen = {0};

	(void)state;
	assert_int_equal(test_embedded_of(policy, see, &seen), 1);
	assert_int_equal(seen.count, 4);
	assert_int_equal(seen.wrong_line, 10);
	assert_int_equal(seen.wrong_column, 9);
	policy_free(policy);
}

static void test_errors(void **state)
{
	(void)state;
	REFUSE("rule: []\n",
	       "f:1:1: unknown key \"rule\" in a policy file, did you mean \"rules\"?");
	REFUSE("macro: {a: b}\n",
	       "f:1:1: unknown key \"macro\" in a policy file, did you mean \"macros\"?");
	REFUSE("- a\n", "f:1:1: a policy file must be a mapping, not a list");
	REFUSE("providers:\n  default: sanctoined\n  entries:\n"
	       "    - {service: a}\n    - {verdict: undetermined, kind: x, country: Norway}\n"
	       "    - {verdict: tolerated}\n    - {verdict: tolerated, models: []}\n",
	       "f:2:12: unknown verdict \"sanctoined\", did you mean \"sanctioned\"?",
	       "f:4:7: a provider entry needs \"verdict\"",
	       "f:5:17: unknown verdict \"undetermined\"", "f:5:37: unknown kind \"x\"",
	       "f:5:49: a country is two capital letters (ISO 3166 alpha-2)",
	       "f:6:7: a provider entry needs a condition, for the rest there is \"default\"",
	       "f:7:36: the list is empty");
	REFUSE("providers:\n  entries:\n    - {verdict: tolerated, accounts: [private]}\n"
	       "    - {verdict: tolerated, hours: [noon]}\n",
	       "f:3:39: unknown kind of account \"private\"",
	       "f:4:36: a day is one of mon tue wed thu fri sat sun");
	REFUSE("rules:\n  - {id: a b, name: '', when: user.name exists, severity: hihg,\n"
	       "     on: [llm-requests], attack: [1567]}\n",
	       "f:2:10: an id is letters, digits, '_' or '-', at most 63",
	       "f:2:21: empty, or holds a NUL",
	       "f:2:59: unknown severity \"hihg\", did you mean \"high\"?",
	       "f:3:35: \"1567\" is no ATT&CK technique (T1567, T1567.002)",
	       "f:3:11: unknown event action \"llm-requests\", did you mean \"llm-request\"?");
	REFUSE("rules:\n  - id: a\n    name: n\n    severity: low\n"
	       "    when: >-\n      user.name exists and\n      user.nmae == \"x\"\n",
	       "f:7:7: unknown field \"user.nmae\", did you mean \"user.name\"?");
	REFUSE("rules:\n  - id: a\n    name: n\n    severity: low\n    when: user.name exists\n"
	       "    tests:\n      - {event: {user.nam: x, process.pid: y}, expect: alert}\n"
	       "      - {event: {event.start: 1, tags: x}, expect: maybe}\n",
	       "f:7:18: unknown field \"user.nam\", did you mean \"user.name\"?",
	       "f:7:44: process.pid is a whole number", "f:8:52: unknown expectation \"maybe\"",
	       "f:8:31: event.start is a time, which a test cannot set", "f:8:40: tags is a list");
	REFUSE("providers:\n  entries:\n    - {verdict: tolerated, users: [[a], {b: c}]}\n",
	       "f:3:36: must be a string", "f:3:41: must be a string");
	REFUSE("rules:\n  - {id: a, name: n, when: user.name exists, severity: low, hours: "
	       "[[a]]}\n",
	       "f:2:69: must be a string");
	REFUSE("rules:\n  - id: a\n    name: n\n    severity: low\n    when: user.name exists\n"
	       "    tests:\n      - {event: {user.name: '', tags: [[a]], gnomon.relay: 5}, expect: "
	       "none}\n"
	       "      - {event: {source.ip: 10.0.0.0/8, gnomon.cost.usd: x}, expect: none}\n",
	       "f:7:29: user.name needs a scalar; leave out what is absent",
	       "f:7:39: tags is a list of strings", "f:7:60: gnomon.relay is true or false",
	       "f:8:29: source.ip is an address", "f:8:58: gnomon.cost.usd is a number");
	REFUSE("rules:\n  - {id: connection, name: n, when: user.name exists, severity: low}\n",
	       "f:2:10: an id cannot be the name of an event action");
	REFUSE("lists: {a b: [x], c: y}\n",
	       "f:1:9: a name is letters, digits, '_' or '-', at most 63",
	       "f:1:22: must be a list of strings");
}

/* An event has room for so many items of all lists together. */
static void test_many_items(void **state)
{
	char text[1024] =
		"rules:\n  - id: a\n    name: n\n    severity: low\n"
		"    when: user.name exists\n    tests:\n      - {expect: none, event: {tags: [a";

	(void)state;
	for (int i = 0; i < EVENT_LIST_MAX; i++)
		strcat(text, ",a");
	strcat(text, "]}}\n");
	REFUSE(text, "f:7:38: tags has too many items");
}

static void test_seal_errors(void **state)
{
	struct policy *policy = policy_new();
	struct diag diag = {0};

	(void)state;
#define RULE(id, when) "  - {id: " id ", name: n, severity: low, when: " when "}\n"
	REFUSE_SEAL("rules:\n" RULE("A", "user.name exists") RULE("B", "user.name exists")
			    RULE("A", "user.name in $nobody"),
		    "f:4:10: rule id \"A\" is already used at f:2; to change that rule write "
		    "\"override: A\"",
		    "f:4:56: unknown list \"nobody\"");
	add(policy, "one", "lists: {x: [a]}\n");
	add(policy, "two", "lists: {x: [b]}\n");
	assert_int_equal(policy_seal(policy, &diag), -EINVAL);
	assert_string_equal(diag.messages[0], "two:1:9: list \"x\" is already defined at one:1");
	diag_done(&diag);
	policy_free(policy);
}

static void test_check_services(void **state)
{
	struct catalog *catalog = make_catalog();
	struct policy *policy = policy_new();
	struct diag diag = {0};

	(void)state;
	add(policy, "p",
	    "providers:\n  entries:\n"
	    "    - {service: opnai, verdict: tolerated}\n"
	    "    - {service: [unknown, openai, zzz], verdict: tolerated}\n"
	    "    - {vendor: Openai., verdict: tolerated}\n");
	seal(policy);
	assert_int_equal(policy_check_services(policy, catalog, &diag), -EINVAL);
	assert_int_equal(diag.count, 3);
	assert_string_equal(diag.messages[0],
			    "p:3:17: unknown service \"opnai\", did you mean \"openai\"?");
	assert_string_equal(diag.messages[1], "p:4:35: unknown service \"zzz\"");
	assert_string_equal(diag.messages[2],
			    "p:5:16: unknown vendor \"Openai.\", did you mean \"OpenAI\"?");
	diag_done(&diag);
	policy_free(policy);
	catalog_free(catalog);
}

static void test_sha256_and_atomic(void **state)
{
	struct policy *a = policy_new(), *b = policy_new();
	struct diag diag = {0};
	char before[65];

	(void)state;
	strcpy(before, policy_sha256(a));
	assert_int_equal(policy_add(a, "bad", SPAN_LITERAL("rules: 5"), &diag), -EINVAL);
	assert_string_equal(policy_sha256(a), before);
	add(a, "x", "lists: {a: [b]}");
	assert_string_not_equal(policy_sha256(a), before);
	add(b, "y", "lists: {a: [b]}");
	assert_string_equal(policy_sha256(a), policy_sha256(b));
	diag_done(&diag);
	policy_free(a);
	policy_free(b);
}

static void test_severities(void **state)
{
	(void)state;
	assert_int_equal(severity_number(SEVERITY_LOW), 21);
	assert_int_equal(severity_number(SEVERITY_MEDIUM), 47);
	assert_int_equal(severity_number(SEVERITY_HIGH), 73);
	assert_int_equal(severity_number(SEVERITY_CRITICAL), 99);
	assert_string_equal(severity_name(SEVERITY_CRITICAL), "critical");
	assert_int_equal(severity_parse(SPAN_LITERAL("medium")), SEVERITY_MEDIUM);
	assert_int_equal(severity_parse(SPAN_LITERAL("Medium")), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_judge_unknown),
		cmocka_unit_test(test_judge_keys),
		cmocka_unit_test(test_judge_container),
		cmocka_unit_test(test_judge_hours),
		cmocka_unit_test(test_near_miss),
		cmocka_unit_test(test_unresolved_vendor),
		cmocka_unit_test(test_file_order),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_embedded_tests),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_many_items),
		cmocka_unit_test(test_seal_errors),
		cmocka_unit_test(test_check_services),
		cmocka_unit_test(test_sha256_and_atomic),
		cmocka_unit_test(test_severities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
