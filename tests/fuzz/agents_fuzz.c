/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/agents.h"

#include <stdint.h>
#include <stdlib.h>

#include "gnomon/protocol.h"
#include "util/diag.h"

/* A file of agents, and behind a NUL the names and headers that it is asked about. */

static struct span take_line(struct span *rest)
{
	const char *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;
	struct span line = span_of(rest->at, end ? (size_t)(end - rest->at) : rest->len);

	*rest = span_skip(*rest, line.len + 1);
	return line;
}

static void ask(const struct agents *agents, struct span rest)
{
	struct agent_program programs[2] = {
		{take_line(&rest), take_line(&rest), take_line(&rest)},
		{take_line(&rest), take_line(&rest), take_line(&rest)},
	};
	struct http_header headers[2] = {
		{SPAN_LITERAL("User-Agent"), take_line(&rest)},
		{take_line(&rest), take_line(&rest)},
	};
	struct http_head head = {.headers = headers, .header_count = 2};
	struct agent_subject subject = {programs, 2, &head};
	struct agent_match match;

	agents_match(agents, &subject, &match);
	if (match.confidence > 100 || (match.evidence && !match.id))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t len = nul ? (size_t)(nul - data) : size;
	struct agents *agents = agents_new();
	struct diag diag = {0};

	if (!agents)
		return 0;
	agents_add(agents, "fuzz", span_of((const char *)data, len), &diag);
	if (nul)
		ask(agents, span_of((const char *)data + len + 1, size - len - 1));
	diag_done(&diag);
	agents_free(agents);
	return 0;
}
