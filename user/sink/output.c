/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sink/format.h"
#include "sink/sequence.h"
#include "sink/table.h"
#include "util/diag.h"

struct output {
	const struct sink_ops *sink;
	const struct format_ops *format;
	void *state; /* the sink's */
	struct sequence *sequence;
	struct output_stats stats;
};

static void add_word(char *list, size_t cap, const char *word)
{
	size_t used = strlen(list);

	snprintf(list + used, cap - used, "%s%s", used ? ", " : "", word);
}

static const struct format_ops *choose_format(const char *name, struct diag *diag)
{
	const struct format_ops *format = format_find(span_str(name));
	char known[256] = "";

	if (format)
		return format;
	for (size_t i = 0; format_table[i]; i++)
		add_word(known, sizeof(known), format_table[i]->name);
	diag_add(diag, NULL, 0, 0, "no such format: \"%s\"; there are: %s", name, known);
	return NULL;
}

static const struct sink_ops *choose_sink(const char *spec, struct diag *diag)
{
	const struct sink_ops *sink = sink_find(span_of(spec, strcspn(spec, ":")));
	char known[256] = "";

	if (sink)
		return sink;
	for (size_t i = 0; sink_table[i]; i++)
		add_word(known, sizeof(known), sink_table[i]->scheme);
	diag_add(diag, NULL, 0, 0, "no such output: \"%s\"; there are: %s", spec, known);
	return NULL;
}

struct output *output_open(const char *spec, const char *format, const char *sequence_dir,
			   struct diag *diag)
{
	struct output *output = calloc(1, sizeof(*output));
	const char *colon = strchr(spec, ':');

	if (!output) {
		diag_add(diag, NULL, 0, 0, "out of memory");
		return NULL;
	}
	output->format = choose_format(format, diag);
	output->sink = choose_sink(spec, diag);
	if (!output->format || !output->sink)
		goto fail;
	if (sequence_open(&output->sequence, sequence_dir, span_str(spec), diag) < 0)
		goto fail;
	if (output->sink->open(&output->state, colon ? colon + 1 : NULL, diag) < 0)
		goto fail_sequence;
	return output;

fail_sequence:
	sequence_close(output->sequence);
fail:
	free(output);
	return NULL;
}

int output_write(struct output *output, const struct event *event)
{
	uint64_t sequence = sequence_next(output->sequence);
	char line[EVENT_LINE_MAX];
	ssize_t len = output->format->render(event, sequence, line, sizeof(line));
	int r = len < 0 ? (int)len : output->sink->write(output->state, line, (size_t)len);

	if (r < 0)
		output->stats.refused++;
	else
		output->stats.written++;
	return r;
}

int output_reopen(struct output *output, struct diag *diag)
{
	return output->sink->reopen(output->state, diag);
}

void output_stats(const struct output *output, struct output_stats *stats)
{
	*stats = output->stats;
	stats->unsaved = sequence_failures(output->sequence);
}

void output_close(struct output *output)
{
	if (!output)
		return;
	output->sink->close(output->state);
	sequence_close(output->sequence);
	free(output);
}
