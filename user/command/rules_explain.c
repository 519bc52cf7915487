/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "command/rule_files.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/event_json.h"
#include "util/event_text.h"
#include "util/terminal.h"

static void print_field(const struct event *event, enum field field)
{
	char value[EVENT_VALUE_TEXT_MAX];

	if (field >= FIELD_COUNT)
		return;
	if (!event_has(event, field)) {
		printf("; the event has no %s", field_table[field].name);
		return;
	}
	event_value_text(value, event, field);
	printf("; %s is %s", field_table[field].name, value);
}

static void print_test(const struct event *event, const struct policy_explanation *why)
{
	static const char *const truths[] = {"unknown", "false", "true"};
	char text[512];

	/* folded over lines in the file */
	terminal_clean(text, sizeof(text), why->test);
	printf("%s is %s", text, truths[why->test_truth - TRI_UNKNOWN]);
	print_field(event, why->field);
	print_field(event, why->other);
}

static void print_exception(const struct policy_explanation *why)
{
	printf("no: exception at %s:%u", why->exception_file, why->exception_line);
	if (why->exception_reason)
		printf(", %s", why->exception_reason);
	if (why->exception_ticket)
		printf(" (%s)", why->exception_ticket);
}

static void print_rule(const struct policy *policy, size_t i, const struct event *event)
{
	struct policy_explanation why;
	struct policy_rule_info info;

	policy_rule(policy, i, &info);
	policy_explain(policy, i, event, &why);
	printf("%s\t%s\t", info.finding.rule_id, info.mode);
	switch (why.outcome) {
	case EXPLAIN_MATCH:
		printf("%s: ", why.has_window ? "counts towards its window" : "matches");
		print_test(event, &why);
		break;
	case EXPLAIN_NOT_ABOUT:
		fputs("no: the rule is not about this kind of event", stdout);
		print_field(event, F_EVENT_ACTION);
		break;
	case EXPLAIN_CONDITION:
		fputs("no: ", stdout);
		print_test(event, &why);
		break;
	case EXPLAIN_HOURS:
		fputs("no: not at this hour", stdout);
		print_field(event, F_TIMESTAMP);
		break;
	case EXPLAIN_EXCEPTION:
		print_exception(&why);
		break;
	}
	putchar('\n');
}

/* A whole file or all of standard input, with a NUL behind it. */
static char *read_all(const char *path, size_t *len)
{
	bool standard_input = strcmp(path, "-") == 0;
	_cleanup_fclose_ FILE *file = standard_input ? NULL : fopen(path, "re");
	FILE *from;
	char *text;

	if (!standard_input && !file) {
		fprintf(stderr, "gnomon: %s: %s\n", path, strerror(errno));
		return NULL;
	}
	text = calloc(1, EVENT_JSON_BYTES_MAX + 1);
	if (!text) {
		fprintf(stderr, "gnomon: out of memory\n");
		return NULL;
	}
	from = standard_input ? stdin : file;
	*len = fread(text, 1, EVENT_JSON_BYTES_MAX, from);
	if (!ferror(from))
		return text;
	fprintf(stderr, "gnomon: %s: %s\n", path, strerror(errno));
	free(text);
	return NULL;
}

int rules_explain(const struct rule_set *rules, const char *path)
{
	_cleanup_(diag_done) struct diag diag = {0};
	_cleanup_(arena_done) struct arena arena = {0};
	_cleanup_free_ char *text = NULL;
	struct event event;
	char reason[256];
	size_t len = 0;
	int r;

	text = read_all(path, &len);
	if (!text)
		return EXIT_ERROR;
	r = event_from_json(&event, span_of(text, len), &arena, path, 0, &diag);
	diag_print(&diag, stderr);
	if (r < 0)
		return EXIT_ERROR;
	event_clear(&event, F_VERDICT);
	event_clear(&event, F_VERDICT_REASON);
	policy_judge(rules->policy, &event);
	if (event_has(&event, F_VERDICT)) {
		terminal_clean(reason, sizeof(reason), event.value[F_VERDICT_REASON].string);
		printf("verdict\t%.*s\t%s\n", (int)event.value[F_VERDICT].string.len,
		       event.value[F_VERDICT].string.at, reason);
	}
	for (size_t i = 0; i < policy_rules(rules->policy); i++)
		print_rule(rules->policy, i, &event);
	return EXIT_CLEAN;
}
