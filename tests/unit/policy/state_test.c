/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/state.h"
#include "unit/policy/policies.h"
#include "util/cleanup.h"

#define NS_PER_S UINT64_C(1000000000)
#define MINUTE   60
#define HOUR     3600
#define DAY      86400
#define START_S  UINT64_C(1780272000)

#define RULE "rules:\n  - id: A\n    name: N\n    severity: low\n    when: gnomon.service exists\n"

struct bed {
	struct policy *policy;
	struct policy_state *state;
	struct finding found[4];
};

static void bed_init(struct bed *bed, const char *text)
{
	bed->policy = make(text);
	bed->state = policy_state_new(true);
	assert_non_null(bed->state);
}

static void bed_done(struct bed *bed)
{
	policy_free(bed->policy);
	policy_state_free(bed->state);
}

/* What there is to say of a call of that user so many seconds after the start. */
static size_t at(struct bed *bed, uint64_t seconds, const char *user, int64_t tokens)
{
	struct event event;

	call(&event, "openai", "model-api");
	event_set_time(&event, F_TIMESTAMP, (START_S + seconds) * NS_PER_S);
	event_set_text(&event, F_USER_NAME, user);
	event_set_int(&event, F_GEN_AI_INPUT_TOKENS, tokens);
	return policy_match(bed->policy, bed->state, &event, bed->found, 4);
}

static void test_default_throttle(void **state)
{
	struct policy_state_stats stats;
	struct event event;
	struct bed bed;

	(void)state;
	bed_init(&bed, RULE);
	assert_int_equal(at(&bed, 0, "alice", 1), 1);
	assert_int_equal(bed.found[0].suppressed, 0);
	assert_int_equal(at(&bed, 1, "alice", 1), 0);
	assert_int_equal(at(&bed, DAY - 1, "alice", 1), 0);
	assert_int_equal(at(&bed, 2, "bob", 1), 1);
	assert_int_equal(at(&bed, DAY, "alice", 1), 1);
	assert_int_equal(bed.found[0].suppressed, 2);
	assert_int_equal(at(&bed, 2 * DAY, "alice", 1), 1);
	assert_int_equal(bed.found[0].suppressed, 0);
	policy_state_stats(bed.state, &stats);
	assert_int_equal(stats.suppressed, 2);
	assert_int_equal(stats.evicted, 0);

	/* another service, and a clock that was set back */
	call(&event, "mistral", "model-api");
	event_set_text(&event, F_USER_NAME, "alice");
	event_set_time(&event, F_TIMESTAMP, START_S * NS_PER_S);
	assert_int_equal(policy_match(bed.policy, bed.state, &event, bed.found, 4), 1);
	assert_int_equal(at(&bed, 0, "alice", 1), 0);
	bed_done(&bed);
}

/* Who stands for a user that is not known: the container (jobs come in new ones of one image), else the executable, else the address. */
static void test_absent_key(void **state)
{
	static const struct {
		enum field field;
		const char *value;
	} cases[] = {
		{F_CONTAINER_IMAGE_NAME, "acme/job:1"},
		{F_CONTAINER_ID, "c1"},
		{F_CONTAINER_ID, "c2"},
		{F_PROCESS_EXECUTABLE, "/a"},
		{F_PROCESS_EXECUTABLE, "/b"},
		{F_PROCESS_NAME, "stands for nothing"},
	};
	static const struct net_address ip = {4, {10, 0, 0, 1}};
	struct event event;
	struct bed bed;

	(void)state;
	bed_init(&bed, RULE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t expected = 1;; expected--) {
			call(&event, "openai", "model-api");
			event_set_text(&event, cases[i].field, cases[i].value);
			assert_int_equal(policy_match(bed.policy, bed.state, &event, bed.found, 4),
					 expected);
			if (expected == 0)
				break;
		}
	}
	call(&event, "openai", "model-api");
	assert_int_equal(policy_match(bed.policy, bed.state, &event, bed.found, 4), 0);
	event_set_ip(&event, F_SOURCE_IP, &ip);
	assert_int_equal(policy_match(bed.policy, bed.state, &event, bed.found, 4), 1);
	bed_done(&bed);
}

static void test_own_throttle(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed, RULE "    throttle: {per: [gnomon.service], every: 15m}\n");
	assert_int_equal(at(&bed, 0, "alice", 1), 1);
	assert_int_equal(at(&bed, 10, "bob", 1), 0);
	assert_int_equal(at(&bed, 15 * MINUTE, "bob", 1), 1);
	assert_int_equal(bed.found[0].suppressed, 1);
	bed_done(&bed);

	bed_init(&bed, RULE "    throttle: none\n");
	for (int i = 0; i < 3; i++)
		assert_int_equal(at(&bed, 0, "alice", 1), 1);
	bed_done(&bed);

	bed_init(&bed, RULE "    throttle: {every: 1h}\n"
			    "  - {override: A, throttle: {every: 1m}}\n");
	assert_int_equal(at(&bed, 0, "alice", 1), 1);
	assert_int_equal(at(&bed, 30, "alice", 1), 0);
	assert_int_equal(at(&bed, 60, "alice", 1), 1);
	assert_int_equal(at(&bed, 61, "bob", 1), 1);
	bed_done(&bed);

	bed_init(&bed, RULE "  - {override: A, throttle: none}\n");
	for (int i = 0; i < 3; i++)
		assert_int_equal(at(&bed, 0, "alice", 1), 1);
	bed_done(&bed);
}

static void fill_connection(struct event *event, const char *flow, uint64_t seconds, bool interim)
{
	call(event, "openai", "model-api");
	event_set_text(event, F_EVENT_ACTION, "llm-connection");
	event_set_text(event, F_VISIBILITY, "sni");
	event_set_text(event, F_FLOW_ID, flow);
	event_set_time(event, F_TIMESTAMP, (START_S + seconds) * NS_PER_S);
	event_set_int(event, F_SOURCE_BYTES, 600);
	if (interim)
		event_set_bool(event, F_INTERIM, true);
}

/* An open connection is told of again and again: that is one connection. */
static void test_interim(void **state)
{
	static const struct {
		const char *flow;
		unsigned int seconds;
		bool interim;
		size_t findings;
	} course[] = {
		{"F1", 0, true, 1},   {"F2", 1, true, 1},   {"F1", 60, true, 0},
		{"F2", 61, false, 0}, {"F3", 62, false, 1}, {"F1", 120, false, 0},
	};
	struct policy_state_stats stats;
	struct event event;
	struct bed bed;

	(void)state;
	bed_init(&bed, RULE "    throttle: none\n");
	for (size_t i = 0; i < sizeof(course) / sizeof(course[0]); i++) {
		fill_connection(&event, course[i].flow, course[i].seconds, course[i].interim);
		assert_int_equal(policy_match(bed.policy, bed.state, &event, bed.found, 4),
				 course[i].findings);
	}
	policy_state_stats(bed.state, &stats);
	assert_int_equal(stats.suppressed, 0);
	bed_done(&bed);

	/* its bytes come in pieces, each of which counts */
	bed_init(&bed, RULE "    window: {sum: source.bytes, per: [gnomon.service], over: 10m, "
			    "above: 1500}\n");
	for (unsigned int i = 0; i < 3; i++) {
		fill_connection(&event, "F1", i * 60, i < 2);
		assert_int_equal(policy_match(bed.policy, bed.state, &event, bed.found, 4), i == 2);
	}
	assert_true(bed.found[0].window_value == 1800);
	bed_done(&bed);

	bed_init(&bed,
		 RULE "    window: {count: events, per: [gnomon.service], over: 10m, above: 1}\n");
	for (unsigned int i = 0; i < 3; i++) {
		fill_connection(&event, "F1", i * 60, i < 2);
		assert_int_equal(policy_match(bed.policy, bed.state, &event, bed.found, 4), 0);
	}
	fill_connection(&event, "F2", 200, false);
	assert_int_equal(policy_match(bed.policy, bed.state, &event, bed.found, 4), 1);
	bed_done(&bed);
}

static void test_sum(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed, RULE "    throttle: none\n    window: {sum: gen_ai.usage.input_tokens, per: "
			    "[user.name], over: 1h, above: 1000}\n");
	assert_int_equal(at(&bed, 0, "alice", 600), 0);
	assert_int_equal(at(&bed, 10, "bob", 600), 0);
	assert_int_equal(at(&bed, 20, "alice", 400), 0); /* 1000 is not above 1000 */
	assert_int_equal(at(&bed, 30, "alice", 1), 1);
	assert_true(bed.found[0].has_window);
	assert_true(bed.found[0].window_value == 1001);
	assert_true(bed.found[0].window_threshold == 1000);
	/* once, until it has been below */
	assert_int_equal(at(&bed, 40, "alice", 5000), 0);
	assert_int_equal(at(&bed, HOUR + 20, "alice", 1), 0);
	assert_int_equal(at(&bed, HOUR + 5 * MINUTE, "alice", 1), 0);
	assert_int_equal(at(&bed, HOUR + 6 * MINUTE, "alice", 999), 1);
	/* sliding: the old does not come together with the new */
	assert_int_equal(at(&bed, 10 * HOUR, "bob", 600), 0);
	assert_int_equal(at(&bed, 10 * HOUR + 59 * MINUTE, "bob", 600), 1);
	assert_int_equal(at(&bed, 20 * HOUR, "carol", 600), 0);
	assert_int_equal(at(&bed, 21 * HOUR + 3 * MINUTE, "carol", 600), 0);
	/* late by less than the window, and by more */
	assert_int_equal(at(&bed, 20 * HOUR + 30 * MINUTE, "carol", 401), 1);
	assert_int_equal(at(&bed, 5 * HOUR, "carol", 9999), 0);
	bed_done(&bed);
}

/* Without a throttle of its own a window speaks once for each key in its time. */
static void test_window_throttle(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed,
		 RULE "    window: {count: gen_ai.usage.input_tokens, per: [user.name], over: "
		      "30m, above: 3}\n");
	for (int i = 0; i < 3; i++)
		assert_int_equal(at(&bed, 0, "alice", 1), 0);
	assert_int_equal(at(&bed, 29 * MINUTE, "alice", 1), 1);
	/* below, and across it again too soon */
	for (int i = 0; i < 3; i++)
		assert_int_equal(at(&bed, 31 * MINUTE, "alice", 1), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(at(&bed, 90 * MINUTE, "alice", 1), 0);
	assert_int_equal(at(&bed, 90 * MINUTE, "alice", 1), 1);
	assert_int_equal(bed.found[0].suppressed, 1);
	bed_done(&bed);
}

static size_t with_model(struct bed *bed, uint64_t seconds, const char *user, const char *model)
{
	struct event event;

	call(&event, "openai", "model-api");
	event_set_time(&event, F_TIMESTAMP, (START_S + seconds) * NS_PER_S);
	event_set_text(&event, F_USER_NAME, user);
	event_set_text(&event, F_GEN_AI_REQUEST_MODEL, model);
	return policy_match(bed->policy, bed->state, &event, bed->found, 4);
}

static void test_distinct(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed, RULE "    throttle: none\n    window: {distinct: gen_ai.request.model, per: "
			    "[user.name], over: 30m, above: 2}\n");
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(with_model(&bed, i, "alice", "a"), 0);
	assert_int_equal(with_model(&bed, 10, "alice", "b"), 0);
	assert_int_equal(with_model(&bed, 20, "bob", "c"), 0);
	assert_int_equal(with_model(&bed, 30, "alice", NULL), 0);
	/* "a" is seen again, so that it stays; "b" leaves */
	assert_int_equal(with_model(&bed, 20 * MINUTE, "alice", "a"), 0);
	assert_int_equal(with_model(&bed, 33 * MINUTE, "alice", "c"), 0);
	assert_int_equal(with_model(&bed, 34 * MINUTE, "alice", "d"), 1);
	assert_true(bed.found[0].window_value == 3);
	bed_done(&bed);
}

static void test_new(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed, RULE "    window: {new: gnomon.service, per: [user.name], over: 30d}\n");
	assert_int_equal(at(&bed, 0, "alice", 1), 1);
	assert_false(bed.found[0].has_window);
	assert_int_equal(at(&bed, 1, "alice", 1), 0);
	assert_int_equal(at(&bed, 2, "bob", 1), 1);
	assert_int_equal(at(&bed, 30 * DAY, "alice", 1), 0);
	assert_int_equal(at(&bed, 60 * DAY, "alice", 1), 0);
	assert_int_equal(at(&bed, 91 * DAY, "alice", 1), 1);
	/* in a capture all would be new */
	policy_state_free(bed.state);
	bed.state = policy_state_new(false);
	assert_int_equal(at(&bed, 0, "alice", 1), 0);
	bed_done(&bed);
}

/* Throttles and windows go by the rule's id: a reload does not open them. */
static void test_reload(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed, RULE "    throttle: {every: 1h}\n");
	assert_int_equal(at(&bed, 0, "alice", 1), 1);
	policy_free(bed.policy);
	bed.policy = make(RULE "    throttle: {every: 1h}\n    tags: [changed]\n");
	assert_int_equal(at(&bed, 10, "alice", 1), 0);
	policy_free(bed.policy);
	bed.policy = make("rules:\n  - {id: B, name: N, severity: low, when: user.name exists}\n");
	assert_int_equal(at(&bed, 20, "alice", 1), 1);
	bed_done(&bed);

	bed_init(&bed, RULE "    window: {count: events, per: [user.name], over: 1h, above: 1}\n");
	assert_int_equal(at(&bed, 0, "alice", 1), 0);
	policy_free(bed.policy);
	bed.policy = make(RULE
			  "    window: {count: events, per: [user.name], over: 1h, above: 1}\n");
	assert_int_equal(at(&bed, 1, "alice", 1), 1);
	/* something else is counted from here */
	policy_free(bed.policy);
	bed.policy = make(RULE
			  "    window: {count: events, per: [user.name], over: 2h, above: 1}\n");
	assert_int_equal(at(&bed, 2, "alice", 1), 0);
	bed_done(&bed);
}

static void test_eviction(void **state)
{
	struct policy_state_stats stats;
	struct bed bed;
	char user[32];

	(void)state;
	bed_init(&bed, RULE);
	for (int i = 0; i < STATE_THROTTLES_MAX + 100; i++) {
		snprintf(user, sizeof(user), "user-%d", i);
		assert_int_equal(at(&bed, 0, user, 1), 1);
	}
	policy_state_stats(bed.state, &stats);
	assert_int_equal(stats.evicted, 100);
	/* the oldest made room, the latest are remembered */
	assert_int_equal(at(&bed, 1, user, 1), 0);
	assert_int_equal(at(&bed, 1, "user-0", 1), 1);
	bed_done(&bed);
}

static void test_without_state(void **state)
{
	struct bed bed;

	(void)state;
	bed_init(&bed,
		 RULE "  - {id: W, name: N, severity: low, when: user.name exists,\n"
		      "     window: {count: events, per: [user.name], over: 1h, above: 0}}\n");
	policy_state_free(TAKE_PTR(bed.state));
	for (int i = 0; i < 3; i++)
		assert_int_equal(at(&bed, 0, "alice", 1), 1);
	bed_done(&bed);
}

/* ---- what is kept on disk ------------------------------------------------------------------ */

static char directory[] = "/tmp/gnomon-state-XXXXXX";

static int make_directory(void **state)
{
	(void)state;
	strcpy(directory + sizeof(directory) - 7, "XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/policy.state", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/policy.state.new", directory);
	unlink(path);
	return rmdir(directory);
}

#define NEW_RULE RULE "    window: {new: gnomon.service, per: [user.name], over: 30d}\n"

static void test_persisted(void **state)
{
	struct diag diag = {0};
	struct bed bed;

	(void)state;
	bed_init(&bed, NEW_RULE);
	assert_int_equal(policy_state_open(bed.state, directory, &diag), 0);
	assert_int_equal(at(&bed, 0, "alice", 1), 1);
	assert_int_equal(at(&bed, 20 * DAY, "bob", 1), 1);
	assert_int_equal(policy_state_save(bed.state), 0);
	bed_done(&bed);

	bed_init(&bed, NEW_RULE);
	assert_int_equal(policy_state_open(bed.state, directory, &diag), 0);
	assert_int_equal(at(&bed, 21 * DAY, "alice", 1), 0);
	assert_int_equal(at(&bed, 51 * DAY, "bob", 1), 1);
	assert_int_equal(at(&bed, 52 * DAY, "carol", 1), 1);
	assert_int_equal(policy_state_save(bed.state), 0);
	bed_done(&bed);

	/* what has run out is not written again */
	bed_init(&bed, NEW_RULE);
	assert_int_equal(policy_state_open(bed.state, directory, &diag), 0);
	assert_int_equal(at(&bed, 52 * DAY, "bob", 1), 0);
	assert_int_equal(at(&bed, 52 * DAY, "alice", 1), 1);
	assert_int_equal(diag.count, 0);
	bed_done(&bed);
}

/* What was said before a restart is not said again, and what was held back is still told. */
static void test_throttle_persisted(void **state)
{
	struct diag diag = {0};
	struct bed bed;

	(void)state;
	bed_init(&bed, RULE);
	assert_int_equal(policy_state_open(bed.state, directory, &diag), 0);
	assert_int_equal(at(&bed, 0, "alice", 1), 1);
	assert_int_equal(at(&bed, 1, "alice", 1), 0);
	assert_int_equal(at(&bed, 2, "alice", 1), 0);
	assert_int_equal(policy_state_save(bed.state), 0);
	bed_done(&bed);

	bed_init(&bed, RULE);
	assert_int_equal(policy_state_open(bed.state, directory, &diag), 0);
	assert_int_equal(at(&bed, 3, "alice", 1), 0);
	assert_int_equal(at(&bed, 4, "bob", 1), 1);
	assert_int_equal(at(&bed, DAY, "alice", 1), 1);
	assert_int_equal(bed.found[0].suppressed, 3);
	assert_int_equal(policy_state_save(bed.state), 0);
	bed_done(&bed);

	bed_init(&bed, RULE);
	assert_int_equal(policy_state_open(bed.state, directory, &diag), 0);
	assert_int_equal(at(&bed, DAY + 1, "alice", 1), 0);
	assert_int_equal(diag.count, 0);
	bed_done(&bed);
}

static void write_file(const char *text, size_t len)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/policy.state", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

#define SALT "00112233445566778899aabbccddeeff"
#define KEY  "ffeeddccbbaa99887766554433221100"
#define GOOD "gnomon-state 1 " SALT "\nseen " KEY " 5 10\nthrottle " KEY " 5 10 3\nend 2\n"

static bool opens(const char *text, size_t len)
{
	struct policy_state *state = policy_state_new(true);
	struct diag diag = {0};
	char message[192];
	int r;

	write_file(text, len);
	r = policy_state_open(state, directory, &diag);
	if (r) {
		snprintf(message, sizeof(message),
			 "%s: policy.state is damaged: what was seen before counts as new, "
			 "and alerts may come again",
			 directory);
		assert_int_equal(diag.count, 1);
		assert_string_equal(diag.messages[0], message);
	}
	diag_done(&diag);
	policy_state_free(state);
	return r == 0;
}

static void test_damaged(void **state)
{
	static const char *const wrong[] = {
		"gnomon-state 2 " SALT "\nend 0\n",
		"gnomon-state 1 " SALT "0\nend 0\n",
		"gnomon-state 1 " SALT "\nseen " KEY " 5 10\nend 2\n",
		"gnomon-state 1 " SALT "\nseen " KEY " 5\nend 1\n",
		"gnomon-state 1 " SALT "\nseen " KEY " 5 x\nend 1\n",
		"gnomon-state 1 " SALT "\nseen " KEY " 5 10\nseen " KEY " 5 10\nend 2\n",
		"gnomon-state 1 " SALT "\nZ\nend 0\n",
		"gnomon-state 1 " SALT "\nsaw " KEY " 5 10\nend 1\n",
		"gnomon-state 1 " SALT "\nseen " KEY " 5 10 3\nend 1\n",
		"gnomon-state 1 " SALT "\nthrottle " KEY " 5 10\nend 1\n",
		"gnomon-state 1 " SALT "\nthrottle " KEY " 5 10 3 4\nend 1\n",
	};

	(void)state;
	assert_true(opens(GOOD, strlen(GOOD)));
	assert_true(opens("gnomon-state 1 " SALT "\nend 0\n",
			  strlen("gnomon-state 1 " SALT "\nend 0\n")));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (opens(wrong[i], strlen(wrong[i])))
			fail_msg("%s", wrong[i]);
	for (size_t len = 0; len < strlen(GOOD); len++)
		if (opens(GOOD, len))
			fail_msg("cut at %zu", len);
}

/* A link could lead anywhere: the file is not read, and the next save takes the link's place. */
static void test_link(void **state)
{
	struct policy_state *policy_state = policy_state_new(true);
	struct diag diag = {0};
	char path[64], message[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/policy.state", directory);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_equal(policy_state_open(policy_state, directory, &diag), -ELOOP);
	snprintf(message, sizeof(message),
		 "%s: cannot read policy.state: Too many levels of symbolic links", directory);
	assert_string_equal(diag.messages[0], message);
	diag_done(&diag);
	policy_state_free(policy_state);
}

static void test_no_directory(void **state)
{
	struct policy_state *policy_state = policy_state_new(true);
	struct diag diag = {0};

	(void)state;
	assert_int_equal(policy_state_save(policy_state), 0);
	assert_int_equal(policy_state_open(policy_state, "/nonexistent", &diag), -ENOENT);
	assert_string_equal(
		diag.messages[0],
		"/nonexistent: cannot keep the state of the policy: No such file or directory");
	diag_done(&diag);
	policy_state_free(policy_state);
}

static void test_errors(void **state)
{
	(void)state;
	REFUSE(RULE "    throttle: often\n",
	       "f:6:15: a throttle is \"none\", or {per: [...], every: ...}");
	REFUSE(RULE "    throttle: {per: [user.nam, tags, event.start, gnomon.cost.usd]}\n",
	       "f:6:15: a throttle needs \"every\"");
	REFUSE(RULE
	       "    throttle: {per: [user.nam, tags, event.start, gnomon.cost.usd], every: 5}\n",
	       "f:6:22: unknown field \"user.nam\", did you mean \"user.name\"?",
	       "f:6:32: tags is a list, which makes no key",
	       "f:6:38: event.start is a time, which makes no key",
	       "f:6:51: gnomon.cost.usd is a fraction, which makes no key",
	       "f:6:76: a duration is written 90s, 15m, 24h, 30d or 2w, at most 3650d");
	REFUSE(RULE "    throttle: {per: [user.id, user.name, host.id, host.name, process.pid, "
		    "process.name,\n     event.id, message, event.kind], every: 5m}\n",
	       "f:6:21: at most 8 fields make a key");
	REFUSE(RULE "    throttle: []\n",
	       "f:6:15: \"throttle\" must be a mapping or a string, not a list");
	REFUSE(RULE "    window: {per: [user.name], over: 1h}\n",
	       "f:6:13: a window has one of count, sum, distinct and new");
	REFUSE(RULE "    window: {count: events, sum: source.bytes, per: [user.name], over: 1h}\n",
	       "f:6:34: a window has one of count, sum, distinct and new",
	       "f:6:13: \"count\" needs \"above\"");
	REFUSE(RULE "    window: {sum: user.name, per: [[a]], over: 1h, above: -1}\n",
	       "f:6:19: user.name is no number, which \"sum\" needs", "f:6:36: must be a field",
	       "f:6:59: must be a number, 0 or above");
	REFUSE(RULE "    window: {new: tags, per: [user.name], over: 1h, above: 1}\n",
	       "f:6:19: tags is a list, which makes no key", "f:6:60: \"new\" has no \"above\"");
	REFUSE(RULE "    window: {distinct: user.name, per: [host.name], over: 1h, above: 40000}\n",
	       "f:6:70: at most 32768 values are told apart");
	REFUSE(RULE "    tests:\n      - {event: {}, expect: none, repeat: 0, every: x}\n"
		    "      - {expect: none}\n      - {events: [x], expect: none}\n",
	       "f:7:43: must be a number from 1 to 10000",
	       "f:7:53: a duration is written 90s, 15m, 24h, 30d or 2w, at most 3650d",
	       "f:8:9: a test needs either \"event\" or \"events\"",
	       "f:9:19: an event is a mapping of fields to values");
}

static void count_tests(void *ctx, const struct policy_test_result *result)
{
	(void)result;
	++*(size_t *)ctx;
}

static void test_embedded(void **state)
{
	struct policy *policy = make(
		RULE
		"    window: {sum: gen_ai.usage.input_tokens, per: [user.name], over: 1h, "
		"above: 100}\n"
		"    tests:\n"
		"      - {event: {gnomon.service: x, gen_ai.usage.input_tokens: 11}, repeat: "
		"10, every: 1m, expect: alert}\n"
		"      - {event: {gnomon.service: x, gen_ai.usage.input_tokens: 11}, repeat: "
		"10, every: 10m, expect: none}\n"
		"      - {event: {gnomon.service: x, gen_ai.usage.input_tokens: 10}, repeat: "
		"10, expect: none}\n"
		"      - events:\n"
		"          - {gnomon.service: x, user.name: a, gen_ai.usage.input_tokens: 90}\n"
		"          - {gnomon.service: x, user.name: b, gen_ai.usage.input_tokens: 90}\n"
		"        expect: none\n");
	size_t count = 0;

	(void)state;
	assert_int_equal(test_embedded_of(policy, count_tests, &count), 0);
	assert_int_equal(count, 4);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_throttle),
		cmocka_unit_test(test_absent_key),
		cmocka_unit_test(test_own_throttle),
		cmocka_unit_test(test_interim),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_window_throttle),
		cmocka_unit_test(test_distinct),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_eviction),
		cmocka_unit_test(test_without_state),
		cmocka_unit_test_setup_teardown(test_persisted, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_throttle_persisted, make_directory,
						remove_directory),
		cmocka_unit_test_setup_teardown(test_damaged, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(test_link, make_directory, remove_directory),
		cmocka_unit_test(test_no_directory),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_embedded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
