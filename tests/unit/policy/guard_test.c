/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "unit/policy/policies.h"
#include "util/cleanup.h"
#include "util/mix.h"

/* What stands in front of the rules leaves out none that fires: whole policies of random conditions on random
 * events, each rule also asked by itself. */

#define RULES  1500 /* more different guards than are kept */
#define EVENTS 500

static uint64_t seed = 1;

static unsigned int below(unsigned int n)
{
	seed += UINT64_C(0x9e3779b97f4a7c15);
	return (unsigned int)(hash_mix(seed) % n);
}

static const struct {
	enum field field;
	const char *stem;
} texts[] = {{F_USER_NAME, "user"},
	     {F_SERVICE, "service"},
	     {F_USER_GROUP_NAME, "group"},
	     {F_VERDICT, "verdict"}};

static void write_test(FILE *out)
{
	unsigned int n = below(40), which = below(ARRAY_SIZE(texts));
	const char *name = field_table[texts[which].field].name, *stem = texts[which].stem;

	switch (below(9)) {
	case 0:
	case 1:
	case 2:
		fprintf(out, "%s == \"%s-%u\"", name, stem, n);
		break;
	case 3:
		fprintf(out, "%s != \"%s-%u\"", name, stem, n);
		break;
	case 4:
		fprintf(out, "%s in (\"%s-%u\", \"%s-%u\")", name, stem, n, stem, below(40));
		break;
	case 5:
		fprintf(out, "%s matches \"*-%u\"", name, n);
		break;
	case 6:
		fprintf(out, "process.pid > %u", below(40) * 1000);
		break;
	case 7:
		fprintf(out, "%s exists", name);
		break;
	default:
		fputs("few", out);
	}
}

static void write_condition(FILE *out, unsigned int depth)
{
	static const char *const joints[] = {" and ", " and ", " or "};
	unsigned int parts = 1 + below(3);

	for (unsigned int i = 0; i < parts; i++) {
		if (i)
			fputs(joints[below(3)], out);
		if (below(6) == 0)
			fputs("not ", out);
		if (depth && below(4) == 0) {
			fputc('(', out);
			write_condition(out, depth - 1);
			fputc(')', out);
		} else {
			write_test(out);
		}
	}
}

static char *write_policy(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	fputs("macros:\n  few: process.pid < 5000 or user.name == \"user-1\"\nrules:\n", out);
	for (unsigned int i = 0; i < RULES; i++) {
		fprintf(out, "  - id: R-%u\n    name: n\n    severity: low\n    when: '", i);
		write_condition(out, 2);
		fputs("'\n", out);
	}
	fclose(out);
	return text;
}

static void make_event(struct event *event)
{
	event_init(event);
	event_set_text(event, F_EVENT_ACTION, "llm-request");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (below(4))
			event_format(event, texts[i].field, "%s-%u", texts[i].stem, below(42));
	if (below(3))
		event_set_int(event, F_PROCESS_PID, below(42) * 1000);
}

static void test_none_is_left_out(void **state)
{
	static struct finding found[RULES];
	char *text = write_policy();
	struct policy *policy = make(text);
	size_t fired = 0;

	(void)state;
	for (int i = 0; i < EVENTS; i++) {
		struct event event;
		size_t n, at = 0;

		make_event(&event);
		n = policy_match(policy, NULL, &event, found, RULES);
		for (size_t rule = 0; rule < RULES; rule++) {
			struct policy_explanation why;
			struct policy_rule_info info;

			policy_explain(policy, rule, &event, &why);
			if (why.outcome != EXPLAIN_MATCH)
				continue;
			policy_rule(policy, rule, &info);
			if (at == n || found[at].rule_id != info.finding.rule_id)
				fail_msg("event %d: %s was left out", i, info.finding.rule_id);
			at++;
		}
		assert_int_equal(at, n);
		fired += n;
	}
	print_message("# %zu of %d rules fired on an event\n", fired / EVENTS, RULES);
	assert_true(fired > EVENTS);
	policy_free(policy);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_none_is_left_out)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
