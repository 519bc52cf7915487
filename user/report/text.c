/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "report/text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "report/collect.h"
#include "util/cleanup.h"
#include "util/terminal.h"
#include "util/text.h"

#define COLUMNS 100
/* One cell of a table as text. */
#define CELL_MAX 160

struct printer {
	FILE *to;
	bool colour;
};

#define BOLD   "\033[1m"
#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define GREEN  "\033[32m"
#define ALARM  "\033[1;31m"
#define PLAIN  "\033[0m"

static void put_coloured(const struct printer *p, const char *colour, struct span text)
{
	if (p->colour && colour)
		fputs(colour, p->to);
	fwrite(text.at, 1, text.len, p->to);
	if (p->colour && colour)
		fputs(PLAIN, p->to);
}

static void put_blanks(const struct printer *p, size_t count)
{
	fprintf(p->to, "%*s", (int)count, "");
}

/* A cell of `width` columns: padded on the right, cut with an ellipsis when it is too long. */
static void put_left(const struct printer *p, const char *colour, const char *text, size_t width)
{
	struct span all = span_str(text);
	size_t takes = terminal_width(all);

	if (takes > width) {
		all.len = terminal_fit(all, width - 1);
		takes = terminal_width(all) + 1;
		put_coloured(p, colour, all);
		put_coloured(p, colour, SPAN_LITERAL("\xe2\x80\xa6"));
	} else {
		put_coloured(p, colour, all);
	}
	put_blanks(p, width - takes);
}

/* Our own numbers: ASCII, and never longer than their column. */
static void put_right(const struct printer *p, const char *text, size_t width)
{
	fprintf(p->to, " %*s", (int)width, text);
}

static void put_heading(const struct printer *p, const char *text)
{
	put_coloured(p, BOLD, span_str(text));
	fputs("\n", p->to);
}

/* 0 to 999, then three digits with a unit: "12.3 M". Cut, not rounded: 999.9 stays below the next. */
static void scaled_text(char to[CELL_MAX], uint64_t value, const char *prefix, const char *unit)
{
	static const char units[] = " kMGTPE";
	uint64_t tenths = 0;
	size_t i = 0;

	while (value >= 1000) {
		tenths = value % 1000 / 100;
		value /= 1000;
		i++;
	}
	if (i && value < 100)
		snprintf(to, CELL_MAX, "%s%" PRIu64 ".%" PRIu64 " %c%s", prefix, value, tenths,
			 units[i], unit);
	else if (i)
		snprintf(to, CELL_MAX, "%s%" PRIu64 " %c%s", prefix, value, units[i], unit);
	else
		snprintf(to, CELL_MAX, "%s%" PRIu64 "%s%s", prefix, value, *unit ? " " : "", unit);
}

static void put_count(const struct printer *p, uint64_t value, size_t width)
{
	char text[CELL_MAX];

	scaled_text(text, value, "", "");
	put_right(p, text, width);
}

static void put_bytes(const struct printer *p, uint64_t value, size_t width)
{
	char text[CELL_MAX];

	scaled_text(text, value, "", "B");
	put_right(p, text, width);
}

static void put_tokens(const struct printer *p, uint64_t value, bool estimated, size_t width)
{
	char text[CELL_MAX];

	scaled_text(text, value, estimated ? "~" : "", "");
	put_right(p, value ? text : "-", width);
}

/* Words between blanks, on lines of at most COLUMNS, the later ones indented like the first. */
static void put_wrapped(const struct printer *p, const char *text, size_t indent)
{
	struct span left = span_str(text);
	size_t width = COLUMNS - indent;

	while (terminal_width(left) > width) {
		size_t fit = terminal_fit(left, width), cut = fit;

		while (cut > 0 && left.at[cut] != ' ')
			cut--;
		if (cut == 0)
			cut = fit;
		fwrite(left.at, 1, cut, p->to);
		left = span_skip(left, cut);
		while (left.len && left.at[0] == ' ')
			left = span_skip(left, 1);
		fputs("\n", p->to);
		put_blanks(p, left.len ? indent : 0);
	}
	fwrite(left.at, 1, left.len, p->to);
	if (left.len)
		fputs("\n", p->to);
}

static const char *verdict_colour(const char *verdict)
{
	if (strcmp(verdict, "unsanctioned") == 0)
		return RED;
	if (strcmp(verdict, "sanctioned") == 0)
		return GREEN;
	return strcmp(verdict, "undetermined") == 0 ? YELLOW : NULL;
}

/* What needs attention first. */
static int verdict_rank(const char *verdict)
{
	static const char *const order[] = {"unsanctioned", "undetermined", "-", "tolerated",
					    "sanctioned"};
	int i = 0;

	while (i < (int)ARRAY_SIZE(order) && strcmp(order[i], verdict) != 0)
		i++;
	return i;
}

struct ranked {
	const struct report_service *row;
};

static int by_verdict_and_bytes(const void *left, const void *right)
{
	const struct report_service *a = ((const struct ranked *)left)->row;
	const struct report_service *b = ((const struct ranked *)right)->row;
	uint64_t up_a = a->bytes_up, up_b = b->bytes_up;
	int rank = verdict_rank(a->verdict) - verdict_rank(b->verdict);

	if (rank)
		return rank;
	if (up_a != up_b)
		return up_a < up_b ? 1 : -1;
	return a < b ? -1 : 1;
}

/* "python3, curl +3", as many names as fit. */
static void put_names(const struct printer *p, const struct report_names *names, size_t width)
{
	char text[(REPORT_NAME_MAX + 2) * NAMES_SHOWN + 16] = "", count[32] = "";
	size_t shown = 0, len = 0, used = 0;

	while (shown < NAMES_SHOWN && shown < names->count) {
		size_t left = names->count - shown - 1, room = width;

		if (left || names->more)
			room -= (size_t)snprintf(count, sizeof(count), " +%zu%s", left,
						 names->more ? "+" : "");
		else
			count[0] = '\0';
		if (shown && used + 2 + terminal_width(span_str(names->shown[shown])) > room)
			break;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", shown ? ", " : "",
					names->shown[shown]);
		used = terminal_width(span_of(text, len));
		shown++;
	}
	if (shown < names->count || names->more)
		snprintf(count, sizeof(count), " +%zu%s", names->count - shown,
			 names->more ? "+" : "");
	put_left(p, NULL, text, used < width - strlen(count) ? used : width - strlen(count));
	fprintf(p->to, "%s\n", count);
}

static void put_service(const struct printer *p, const struct report_service *row)
{
	char name[REPORT_NAME_MAX + 2];

	snprintf(name, sizeof(name), "%s%s", row->used ? "" : "*", row->service);
	put_left(p, NULL, name, 22);
	fputs(" ", p->to);
	put_left(p, verdict_colour(row->verdict), row->verdict, 12);
	put_count(p, row->connections, 6);
	put_count(p, row->requests, 6);
	put_bytes(p, row->bytes_up, 7);
	put_bytes(p, row->bytes_down, 7);
	put_tokens(p, row->input_tokens, row->estimated, 7);
	put_tokens(p, row->output_tokens, row->estimated, 7);
	fputs("  ", p->to);
	put_names(p, &row->clients, 17);
}

static void put_services(const struct printer *p, const struct report *report)
{
	struct ranked sorted[REPORT_SERVICES_MAX];
	const struct report_service *other = &report->other_services;
	bool presence = false, estimated = other->estimated;

	if (report->service_count == 0) {
		put_heading(p, "No AI service was seen");
		return;
	}
	put_heading(p, "AI services");
	fprintf(p->to, "%-22s %-12s %6s %6s %7s %7s %7s %7s  %s\n", "service", "verdict", "conns",
		"calls", "up", "down", "tok in", "tok out", "used by");
	for (size_t i = 0; i < report->service_count; i++)
		sorted[i].row = &report->services[i];
	qsort(sorted, report->service_count, sizeof(sorted[0]), by_verdict_and_bytes);
	for (size_t i = 0; i < report->service_count; i++) {
		put_service(p, sorted[i].row);
		presence |= !sorted[i].row->used;
		estimated |= sorted[i].row->estimated;
	}
	if (other->connections || other->requests) {
		struct report_service row = *other;

		span_copy(row.service, sizeof(row.service), SPAN_LITERAL("(other)"));
		span_copy(row.verdict, sizeof(row.verdict), SPAN_LITERAL("-"));
		put_service(p, &row);
	}
	if (presence)
		fputs("* opened, not used: a connection made ahead, or static content\n", p->to);
	if (estimated)
		fputs("~ estimated from sizes or text; the service's own count was not seen\n",
		      p->to);
}

static void put_servers(const struct printer *p, const struct report *report)
{
	if (report->server_count == 0)
		return;
	fputs("\n", p->to);
	put_heading(p, "Local model servers");
	fprintf(p->to, "%-22s %-30s %s\n", "service", "address", "process");
	for (size_t i = 0; i < report->server_count; i++) {
		const struct report_server *row = &report->servers[i];

		put_left(p, NULL, row->service, 22);
		fputs(" ", p->to);
		put_left(p, NULL, row->address, 30);
		fprintf(p->to, " %.*s\n", (int)terminal_fit(span_str(row->process), COLUMNS - 54),
			row->process);
	}
	if (report->other_servers)
		fputs("(and others)\n", p->to);
}

struct severity_style {
	const char *word, *colour;
};

static const struct severity_style severity_styles[SEVERITY_COUNT] = {
	[SEVERITY_LOW] = {"low", NULL},
	[SEVERITY_MEDIUM] = {"medium", YELLOW},
	[SEVERITY_HIGH] = {"high", RED},
	[SEVERITY_CRITICAL] = {"critical", ALARM},
};

static void put_finding(const struct printer *p, const struct report_finding *row)
{
	const struct severity_style *style = &severity_styles[row->severity];
	char text[REPORT_MESSAGE_MAX + 32];

	put_left(p, style->colour, style->word, 8);
	fputs("  ", p->to);
	put_left(p, NULL, row->rule, 14);
	fputs("  ", p->to);
	if (row->count > 1)
		snprintf(text, sizeof(text), "%s (%" PRIu64 " times)", row->message, row->count);
	else
		snprintf(text, sizeof(text), "%s", row->message);
	put_wrapped(p, *text ? text : "-", 8 + 2 + 14 + 2);
}

static void put_findings(const struct printer *p, const struct report *report)
{
	fputs("\n", p->to);
	if (report->finding_count == 0) {
		put_heading(p, "No findings");
		return;
	}
	put_heading(p, "Findings");
	for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--) {
		for (size_t i = 0; i < report->finding_count; i++)
			if ((int)report->findings[i].severity == severity)
				put_finding(p, &report->findings[i]);
		if (report->other_findings[severity])
			fprintf(p->to, "%-8s  (other)         %" PRIu64 " more findings\n",
				severity_styles[severity].word, report->other_findings[severity]);
	}
}

/* What one of each loss is. */
static const char *const loss_words[LOSS_KIND_COUNT] = {
	[LOSS_RING] = "records lost because the kernel's buffer was full",
	[LOSS_FAULT] = "bytes that could not be read from a process",
	[LOSS_TABLE] = "entries that did not fit the kernel's tables",
	[LOSS_STREAM_BUDGET] = "bytes past the capture budget of a stream",
	[LOSS_SHARE] = "records past a process's share of the kernel's buffer",
	[LOSS_CAPTURE] = "packets dropped by the capture",
	[LOSS_TRUNCATED] = "packets cut short",
	[LOSS_PARSE] = "streams that could not be parsed",
	[LOSS_STATE] = "flows forgotten because a table was full",
	[LOSS_OUTPUT] = "events refused by an output",
};

static void put_completeness(const struct printer *p, const struct report *report)
{
	char text[CELL_MAX];
	bool complete = true;

	fputs("\n", p->to);
	for (size_t i = 0; i < LOSS_KIND_COUNT; i++) {
		uint64_t lost;

		if (__builtin_add_overflow(report->lost[i], report->lost_before[i], &lost))
			lost = UINT64_MAX;
		if (lost == 0)
			continue;
		if (complete)
			put_coloured(p, ALARM, SPAN_LITERAL("INCOMPLETE"));
		if (complete)
			fputs(": AI traffic may have been missed. Lost:\n", p->to);
		complete = false;
		snprintf(text, sizeof(text), "%" PRIu64 " %s", lost, loss_words[i]);
		fputs("  ", p->to);
		put_wrapped(p, text, 2);
	}
	if (complete && report->status_seen)
		fputs("Complete: nothing was lost.\n", p->to);
	else if (complete)
		fputs("Completeness unknown: no status event of the sensor was seen.\n", p->to);
}

void report_print_text(const struct report *report, FILE *to, bool colour)
{
	const struct printer printer = {to, colour};

	put_services(&printer, report);
	put_servers(&printer, report);
	if (report->other_connections)
		fprintf(to, "\nOther connections: %" PRIu64 "\n", report->other_connections);
	put_findings(&printer, report);
	put_completeness(&printer, report);
}
