/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <assert.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "sink/format.h"
#include "util/diag.h"
#include "util/event_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read can be written. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct format_ops *ecs = format_find(SPAN_LITERAL("ecs"));
	char line[EVENT_LINE_MAX];
	struct arena arena = {0};
	struct diag diag = {0};
	struct event event;

	if (event_from_json(&event, span_of((const char *)data, size), &arena, "f", 1, &diag) == 0)
		assert(ecs->render(&event, 1, line, sizeof(line)) > 0);
	else
		assert(diag_any(&diag));
	arena_done(&arena);
	diag_done(&diag);
	return 0;
}
