/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/script.h"
#include "util/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input follows the first line, which is always there. A script is refused with a reason or is
 * taken; times never go back. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char first[] = "#gnomon-script 1\n";
	struct script script = {0};
	struct diag diag = {0};
	uint64_t time_ns = 0;
	char *text = malloc(sizeof(first) - 1 + size);
	int r;

	if (!text)
		return 0;
	memcpy(text, first, sizeof(first) - 1);
	if (size)
		memcpy(text + sizeof(first) - 1, data, size);
	r = script_parse(span_of(text, sizeof(first) - 1 + size), "script", &script, &diag);
	if (r ? r != -EINVAL || !diag_any(&diag) : diag_any(&diag))
		abort();
	for (size_t i = 0; i < script.count; i++) {
		if (script.items[i].obs.time_ns < time_ns)
			abort();
		time_ns = script.items[i].obs.time_ns;
	}
	script_done(&script);
	diag_done(&diag);
	free(text);
	return 0;
}
