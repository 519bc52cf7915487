/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whatever the events say, the report holds nothing that could steer a terminal, and no line is wider
 * than it. */
#include "report/text.h"

#include <stdlib.h>

#include "fuzz/random_event.h"
#include "util/terminal.h"
#include "util/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_line(struct span line)
{
	require(terminal_width(line) <= 100);
	while (line.len) {
		uint32_t code;
		size_t n = utf8_decode(line, &code);

		require(code != UTF8_INVALID && code >= 0x20);
		require(!(code >= 0x7f && code < 0xa0) && !(code >= 0x200b && code < 0x2010));
		require(!(code >= 0x2028 && code < 0x202f));
		line = span_skip(line, n);
	}
}

/* Random words would hardly ever name a kind of event. */
static void choose_kind(struct event *event, uint64_t choice)
{
	static const char *const actions[] = {"llm-request", "llm-connection", "llm-server",
					      "connection"};

	event_set_text(event, F_EVENT_KIND, choice % 6 == 4 ? "alert" : "event");
	event_set_text(event, F_EVENT_DATASET, choice % 6 == 5 ? "gnomon.status" : "gnomon.llm");
	event_set_text(event, F_EVENT_ACTION, actions[choice % 4]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct byte_source from = {data, size};
	struct report *report = report_new();
	struct event event;
	size_t text_len;
	char *text = NULL;
	FILE *to;

	require(report != NULL);
	while (from.left) {
		uint64_t choice = take_bytes(&from, 1);

		random_event(&event, &from);
		choose_kind(&event, choice);
		report_add(report, &event);
	}
	to = open_memstream(&text, &text_len);
	require(to != NULL);
	report_print_text(report, to, false);
	fclose(to);
	require(strlen(text) == text_len && text[text_len - 1] == '\n');
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		check_line(span_of(line, strcspn(line, "\n")));
	free(text);
	report_free(report);
	return 0;
}
