/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "pipeline/internal.h"

/*
 * Whose records were lost: the processes that lost most since the start. A new one takes the place of the one that
 * lost least, with nothing of that one's.
 */

static struct process_losses *place_of(struct pipeline *p, const struct process_identity *who)
{
	struct process_losses *least = &p->losers[0];

	for (size_t i = 0; i < LOSS_PROCESSES_MAX; i++) {
		if (p->losers[i].pid == who->pid && p->losers[i].start_ns == who->start_ns)
			return &p->losers[i];
		if (p->losers[i].sum < least->sum)
			least = &p->losers[i];
	}
	*least = (struct process_losses){.pid = who->pid, .start_ns = who->start_ns};
	span_copy(least->name, sizeof(least->name), span_str(who->comm));
	return least;
}

void loss_of(struct pipeline *p, const struct process_identity *who,
	     const struct observed_loss *loss)
{
	struct process_losses *of;

	if (!who)
		return;
	of = place_of(p, who);
	of->lost[loss->kind] += loss->count;
	of->sum += loss->count;
}

size_t pipeline_losers(const struct pipeline *p, size_t i, char *to, size_t cap)
{
	const struct process_losses *of = &p->losers[i];
	size_t len;

	if (i >= LOSS_PROCESSES_MAX || !of->pid)
		return 0;
	len = (size_t)snprintf(to, cap, "%s (%" PRIu32 "):", of->name, of->pid);
	for (int kind = 0; kind < LOSS_KIND_COUNT && len < cap; kind++)
		if (of->lost[kind])
			len += (size_t)snprintf(to + len, cap - len, " %s %" PRIu64,
						loss_name((enum loss_kind)kind), of->lost[kind]);
	return len < cap ? len : cap - 1;
}

void loss_tell(const struct pipeline *p, struct event *event)
{
	char text[160];

	for (size_t i = 0; i < LOSS_PROCESSES_MAX; i++) {
		size_t len = pipeline_losers(p, i, text, sizeof(text));

		if (len)
			event_append_copy(event, F_STATUS_LOST_PROCESSES, span_of(text, len));
	}
}
