/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a policy costs. 500 rules of the kinds that people write (a verdict with a user, a list, a
 * service, a threshold, a macro, a window, exceptions) against an event that meets the first test of
 * most of them: promised under 5 microseconds and no allocation. 10,000 rules and a list of 100,000
 * entries: loaded, bound and sealed in under a second of processor time, and in bounded memory. The same of
 * the built-in rules, for the documents. Fails when one of these does not hold.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "policy/policy.h"
#include "policy/state.h"
#include "util/cleanup.h"
#include "util/diag.h"

#define RULES_EVENT      500
#define RULES_LOAD       10000
#define ENTRIES_LOAD     100000
#define EVENTS           1000
#define ROUNDS           50
#define PROMISE_EVENT_US 5.0
#define PROMISE_LOAD_S   1.0
/* 1.3 KB a rule and 300 bytes an entry; what a sensor remembers when all of its tables are full. */
#define PROMISE_LOAD_KB  (64 << 10)
#define PROMISE_STATE_KB (16 << 10)

/* Counts what is allocated, of which there must be nothing while events are judged. */
static size_t allocations;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	allocations++;
	return __libc_realloc(old, size);
}

static long resident_kb(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long size, resident = 0;

	if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
		exit(2);
	fclose(file);
	return (long)resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_rule(FILE *out, unsigned int i)
{
	static const char *const conditions[] = {
		"gnomon.verdict == \"unsanctioned\" and user.name == \"user-%u\"",
		"gnomon.verdict == \"unsanctioned\" and user.name in $people",
		"gnomon.service == \"service-%u\" and source.bytes > 1000000",
		"gen_ai.usage.input_tokens > 59%u and not ours",
		"gen_ai.request.model matches \"*-preview-%u\" or gnomon.service_country == \"XX\"",
		"destination.ip cidr \"10.%u.0.0/16\" and gnomon.verdict != \"sanctioned\"",
		"process.name in (\"curl\", \"wget\", \"python3\") and user.group.name == \"g%u\"",
		"tls.client.server_name != url.domain and user.name != \"user-%u\"",
	};
	unsigned int kind = i % (sizeof(conditions) / sizeof(conditions[0]));

	fprintf(out, "- id: R-%u\n  name: Rule %u\n  severity: medium\n  when: '", i, i);
	/* Each has at most one number in it. */
	for (const char *c = conditions[kind]; *c; c++) {
		if (c[0] == '%')
			fprintf(out, "%u", i % 250);
		else if (c == conditions[kind] || c[-1] != '%')
			fputc(*c, out);
	}
	fputs("'\n", out);
	if (i % 10 == 3)
		fputs("  window: {sum: source.bytes, per: [user.name], over: 1h, above: 1e9}\n",
		      out);
	if (i % 10 == 7)
		fputs("  exceptions: [{user.name: [a, b-*], gnomon.service: x}]\n", out);
}

static struct span make_text(unsigned int rules, unsigned int entries)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	fputs("lists:\n  people:\n", out);
	for (unsigned int i = 0; i < entries; i++)
		fprintf(out, "  - person-%u@example.com\n", i);
	fputs("macros:\n  ours: gnomon.service in (\"a\", \"b\")\nrules:\n", out);
	for (unsigned int i = 0; i < rules; i++)
		write_rule(out, i);
	fclose(out);
	return span_of(text, len);
}

static struct policy *load(struct span text)
{
	struct policy *policy = policy_new();
	struct diag diag = {0};

	if (policy_add(policy, "bench", text, &diag) < 0 || policy_seal(policy, &diag) < 0) {
		diag_print(&diag, stderr);
		exit(2);
	}
	return policy;
}

static void fill(struct event *event)
{
	static const struct net_address server = {4, {192, 0, 2, 1}};

	event_init(event);
	event_set_time(event, F_TIMESTAMP, UINT64_C(1787393702413000000));
	event_set_text(event, F_EVENT_ACTION, "llm-request");
	event_set_text(event, F_HOST_NAME, "host");
	event_set_text(event, F_USER_NAME, "person-x@example.com");
	event_set_text(event, F_USER_GROUP_NAME, "developers");
	event_set_text(event, F_PROCESS_NAME, "python3");
	event_set_ip(event, F_DESTINATION_IP, &server);
	event_set_text(event, F_TLS_CLIENT_SERVER_NAME, "api.deepseek.com");
	event_set_text(event, F_URL_DOMAIN, "api.deepseek.com");
	event_set_text(event, F_SERVICE, "deepseek");
	event_set_text(event, F_SERVICE_KIND, "model-api");
	event_set_text(event, F_SERVICE_COUNTRY, "CN");
	event_set_text(event, F_GEN_AI_REQUEST_MODEL, "deepseek-chat-with-a-long-name");
	event_set_int(event, F_GEN_AI_INPUT_TOKENS, 5900);
	event_set_int(event, F_SOURCE_BYTES, 5000);
	event_set_text(event, F_ACTIVITY, "use");
	event_set_text(event, F_VISIBILITY, "plaintext");
}

/* Microseconds an event; -1 when something was allocated. */
static double measure_events(const char *what, const struct policy *policy)
{
	struct policy_state *state = policy_state_new(true);
	struct finding found[FINDINGS_PER_EVENT_MAX];
	double best = 0;
	struct event event;
	size_t n = 0, before = allocations;

	fill(&event);
	policy_judge(policy, &event);
	for (int round = 0; round < ROUNDS; round++) {
		double start = now_s(), us;

		for (int i = 0; i < EVENTS; i++)
			n += policy_match(policy, state, &event, found, FINDINGS_PER_EVENT_MAX);
		us = (now_s() - start) / EVENTS * 1e6;
		if (round == 0 || us < best)
			best = us;
	}
	before = allocations - before;
	printf("policy_match, %s: %.2f us an event, %zu allocations (%zu findings in all)\n", what,
	       best, before, n);
	policy_state_free(state);
	return before ? -1 : best;
}

static bool measure_many(void)
{
	struct span text = make_text(RULES_EVENT, 1000);
	struct policy *policy = load(text);
	char what[32];
	double us;

	snprintf(what, sizeof(what), "%d rules", RULES_EVENT);
	us = measure_events(what, policy);
	policy_free(policy);
	free((char *)(uintptr_t)text.at);
	return us >= 0 && us <= PROMISE_EVENT_US;
}

static bool measure_builtin(void)
{
	struct policy *policy = policy_new();
	struct diag diag = {0};
	double us;

	if (policy_add_builtin(policy, &diag) || policy_seal(policy, &diag))
		exit(2);
	us = measure_events("the built-in rules", policy);
	policy_free(policy);
	return us >= 0 && us <= PROMISE_EVENT_US;
}

static bool measure_load(void)
{
	struct span text = make_text(RULES_LOAD, ENTRIES_LOAD);
	long before = resident_kb(), kb;
	double start = now_s(), seconds;
	struct policy *policy = load(text);

	seconds = now_s() - start;
	kb = resident_kb() - before;
	printf("load %d rules, %d list entries, %zu bytes: %.2f s, %ld KiB\n", RULES_LOAD,
	       ENTRIES_LOAD, text.len, seconds, kb);
	policy_free(policy);
	free((char *)(uintptr_t)text.at);
	return seconds <= PROMISE_LOAD_S && kb <= PROMISE_LOAD_KB;
}

/* All that a sensor can remember: more users and services than any table has room for. */
static bool measure_state(void)
{
	static const char rules[] =
		"rules:\n"
		"  - {id: T, name: t, severity: low, when: user.name exists}\n"
		"  - {id: W, name: w, severity: low, when: user.name exists,\n"
		"     window: {sum: source.bytes, per: [user.name], over: 1h, above: 1e9}}\n"
		"  - {id: D, name: d, severity: low, when: user.name exists,\n"
		"     window: {distinct: gnomon.service, per: [user.name], over: 1h, above: 9}}\n"
		"  - {id: N, name: n, severity: low, when: user.name exists,\n"
		"     window: {new: gnomon.service, per: [user.name], over: 30d}}\n";
	struct policy *policy = load(span_of(rules, sizeof(rules) - 1));
	struct finding found[FINDINGS_PER_EVENT_MAX];
	long before = resident_kb(), kb;
	struct policy_state *state = policy_state_new(true);
	struct policy_state_stats stats;
	struct event event;
	char user[32];

	fill(&event);
	for (int i = 0; i < 2 * STATE_MEMBERS_MAX; i++) {
		snprintf(user, sizeof(user), "user-%d", i);
		event_set_text(&event, F_USER_NAME, user);
		policy_match(policy, state, &event, found, FINDINGS_PER_EVENT_MAX);
	}
	kb = resident_kb() - before;
	policy_state_stats(state, &stats);
	printf("state of %d users: %ld KiB, %llu entries made room\n", 2 * STATE_MEMBERS_MAX, kb,
	       (unsigned long long)stats.evicted);
	policy_state_free(state);
	policy_free(policy);
	return kb <= PROMISE_STATE_KB && stats.evicted > 0;
}

int main(void)
{
	bool good = measure_many();

	good &= measure_builtin();
	good &= measure_load();
	good &= measure_state();
	return !good;
}
