/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "gnomon/facts.h"

/* Facts as text, only what is known, for comparison. */

static void print_text(FILE *to, const char *name, const char *value)
{
	if (value && value[0])
		fprintf(to, "%s %s\n", name, value);
}

static void print_count(FILE *to, const char *name, int64_t value)
{
	if (value >= 0)
		fprintf(to, "%s %" PRId64 "\n", name, value);
}

/* A line each; the caller's to free. */
static char *facts_text(const struct llm_facts *f, bool is_call)
{
	size_t len;
	char *text;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		abort();
	print_text(to, "family", f->api_family);
	print_text(to, "operation", f->operation);
	print_text(to, "request_model", f->request_model);
	print_text(to, "response_model", f->response_model);
	print_text(to, "stream", (const char *[]){"unknown", "no", "yes"}[f->stream + 1]);
	print_count(to, "max_tokens", f->max_tokens);
	print_count(to, "messages", f->message_count);
	print_count(to, "tools", f->tool_count);
	print_text(to, "tier", f->service_tier);
	print_text(to, "finish", f->finish_reason);
	print_text(to, "error", f->error_type);
	/* what an estimate comes to depends on its calibration */
	if (f->usage.source == USAGE_ESTIMATED_TEXT)
		fprintf(to, "usage estimated%s%s\n", f->usage.input >= 0 ? " input" : "",
			f->usage.output >= 0 ? " output" : "");
	if (f->usage.source == USAGE_REPORTED) {
		fprintf(to, "usage reported\n");
		print_count(to, "input", f->usage.input);
		print_count(to, "output", f->usage.output);
		print_count(to, "cache_read", f->usage.cache_read);
		print_count(to, "cache_creation", f->usage.cache_creation);
		print_count(to, "reasoning", f->usage.reasoning);
	}
	print_text(to, "mcp_method", f->mcp_method);
	print_text(to, "mcp_tool", f->mcp_tool);
	print_text(to, "mcp_server", f->mcp_server);
	fprintf(to, "shape%s%s\n", f->request_shape ? " request" : "",
		f->response_shape ? " response" : "");
	fprintf(to, "call %s\n", is_call ? "yes" : "no");
	fclose(to);
	return text;
}
