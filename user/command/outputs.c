/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/outputs.h"

#include <errno.h>
#include <stdlib.h>

#include "sink/output.h"
#include "util/cleanup.h"
#include "util/diag.h"

int outputs_open(struct outputs *o, const struct settings *settings, const char *fallback,
		 struct diag *diag)
{
	/* systemd's StateDirectory=; without one, sequences start at 1 each time */
	const char *state = getenv("STATE_DIRECTORY");
	size_t n = settings->output_count ? settings->output_count : 1;

	o->classes = settings->classes;
	for (size_t i = 0; i < n; i++) {
		const char *spec = settings->output_count ? settings->outputs[i] : fallback;

		o->output[i] = output_open(spec, settings->format, state, diag);
		if (!o->output[i])
			return -EINVAL;
		o->count++;
	}
	return 0;
}

static unsigned int class_of(const struct event *event)
{
	static const struct {
		const char *dataset;
		enum event_class class;
	} classes[] = {
		{"gnomon.alert", CLASS_ALERT},
		{"gnomon.observed", CLASS_ALERT},
		{"gnomon.llm", CLASS_LLM},
		{"gnomon.server", CLASS_SERVER},
		{"gnomon.connection", CLASS_CONNECTION},
	};
	struct span dataset = event->value[F_EVENT_DATASET].string;

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (span_eq(dataset, span_str(classes[i].dataset)))
			return classes[i].class;
	return CLASS_STATUS;
}

int outputs_write(struct outputs *o, const struct event *event)
{
	int result = 0;

	if (!(class_of(event) & o->classes))
		return 0;
	for (size_t i = 0; i < o->count; i++) {
		int r = output_write(o->output[i], event);

		if (r == -EPIPE && o->count == 1)
			result = r;
	}
	return result;
}

void outputs_reopen(struct outputs *o, struct diag *diag)
{
	for (size_t i = 0; i < o->count; i++)
		output_reopen(o->output[i], diag);
}

uint64_t outputs_refused(const struct outputs *o)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < o->count; i++) {
		struct output_stats stats;

		output_stats(o->output[i], &stats);
		sum += stats.refused;
	}
	return sum;
}

void outputs_close(struct outputs *o)
{
	for (size_t i = 0; i < o->count; i++)
		output_close(o->output[i]);
	o->count = 0;
}
