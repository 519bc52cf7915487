/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/command_line.h"

#include <stdint.h>
#include <stdlib.h>

/* A command line is the process's own memory: it may hold anything. The first byte picks the interpreter. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"python3.11", "node", "ruby", "perl", "php8.2",
					    "bash",       "java", "deno", "bun"};
	char to[64];
	bool found;

	if (!size)
		return 0;
	found = command_script(span_str(names[data[0] % (sizeof(names) / sizeof(names[0]))]),
			       span_of((const char *)data + 1, size - 1), SPAN_LITERAL("/srv/job"),
			       to, sizeof(to));
	if (found != (to[0] != '\0') || !memchr(to, '\0', sizeof(to)))
		abort();
	return 0;
}
