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
#include "util/terminal.h"
#include "util/text.h"

/* A field's value, for people: strings in quotes. */
static void format_value(char *to, size_t cap, const struct event *event, enum field field)
{
	const struct field_value *value = &event->value[field];
	char number[TEXT_VALUE_MAX] = "";
	size_t len;

	switch (field_table[field].type) {
	case FIELD_STRING:
		to[0] = '"';
		len = 1 + terminal_clean(to + 1, cap - 2, value->string);
		to[len] = '"';
		to[len + 1] = '\0';
		return;
	case FIELD_LIST:
		snprintf(to, cap, "a list of %zu", value->list.count);
		return;
	case FIELD_BOOL:
		snprintf(to, cap, "%s", value->boolean ? "true" : "false");
		return;
	case FIELD_INT:
		text_int(number, value->integer);
		break;
	case FIELD_DOUBLE:
		text_double(number, value->real);
		break;
	case FIELD_TIME:
		text_time(number, value->time_ns);
		break;
	case FIELD_IP:
		text_ip(number, &value->ip);
		break;
	}
	snprintf(to, cap, "%s", number);
}

static void print_field(const struct event *event, enum field field)
{
	char value[160];

	if (field >= FIELD_COUNT)
		return;
	if (!event_has(event, field)) {
		printf("; the event has no %s", field_table[field].name);
		return;
	}
	format_value(value, sizeof(value), event, field);
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
	char *text;

	if (!standard_input && !file) {
		fprintf(stderr, "gnomon: %s: %s\n", path, strerror(errno));
		return NULL;
	}
	text = calloc(1, EVENT_JSON_BYTES_MAX + 1);
	if (text)
		*len = fread(text, 1, EVENT_JSON_BYTES_MAX, standard_input ? stdin : file);
	else
		fprintf(stderr, "gnomon: out of memory\n");
	return text;
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
