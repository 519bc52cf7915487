/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "catalog/catalog.h"
#include "unit/api/conversation.h"
#include "unit/api/facts_text.h"
#include "unit/protocol/http2_maker.h"
#include "util/cleanup.h"

/*
 * One file in cases/ is one call: a line that says why it is there, a request after ">>", a response
 * after "<<", and after "==" the facts, a line each, that must come of it, however the bytes are cut.
 * "speaks: FAMILY" before the request is what the catalogue knows of the host. Content-Length is
 * added, and the heads get their line ends.
 */
#define CASES "tests/unit/api/cases"

struct call {
	char name[256];
	char *text; /* the file; the parts point into it */
	struct span speaks, request, response, facts;
	char *message[DIR_COUNT]; /* as on the wire */
	size_t len[DIR_COUNT];
};

/* ---- reading ---- */

static char *read_file(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 16);
	size_t len;

	assert_non_null(file);
	assert_non_null(text);
	len = fread(text, 1, (1 << 16) - 1, file);
	assert_true(len > 0 && len < (1 << 16) - 1);
	return text;
}

/* The part between the line `from` and the line `to`. */
static struct span part(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from), *end;

	if (!at)
		return (struct span){0};
	at += strlen(from);
	end = to ? strstr(at, to) : NULL;
	return span_of(at, end ? (size_t)(end - at) + 1 : strlen(at));
}

/* A head with CRLF, Content-Length and the body. */
static char *message(struct span part_text, size_t *len)
{
	const char *blank = memmem(part_text.at, part_text.len, "\n\n", 2);
	size_t head = blank ? (size_t)(blank - part_text.at) + 1 : part_text.len;
	struct span body = span_skip(part_text, head + 1);
	FILE *to;
	char *text;

	to = open_memstream(&text, len);
	assert_non_null(to);
	for (size_t i = 0; i < head; i++)
		fprintf(to, part_text.at[i] == '\n' ? "\r\n" : "%c", part_text.at[i]);
	fprintf(to, "Content-Length: %zu\r\n\r\n", body.len);
	fwrite(body.at, 1, body.len, to);
	fclose(to);
	return text;
}

static void call_read(struct call *call, const char *name)
{
	char path[512];
	struct span speaks;

	memset(call, 0, sizeof(*call));
	snprintf(call->name, sizeof(call->name), "%s", name);
	snprintf(path, sizeof(path), CASES "/%s", name);
	call->text = read_file(path);
	call->request = part(call->text, "\n>>\n", "\n<<\n");
	call->response = part(call->text, "\n<<\n", "\n==\n");
	call->facts = part(call->text, "\n==\n", NULL);
	speaks = part(call->text, "\nspeaks: ", "\n");
	if (speaks.len && speaks.at < call->request.at)
		call->speaks = span_of(speaks.at, speaks.len - 1);
	if (!call->request.len || !call->response.len)
		fail_msg("%s: a part is missing", name);
	call->message[DIR_OUT] = message(call->request, &call->len[DIR_OUT]);
	call->message[DIR_IN] = message(call->response, &call->len[DIR_IN]);
}

static void call_free(struct call *call)
{
	free(call->text);
	free(call->message[DIR_OUT]);
	free(call->message[DIR_IN]);
}

/* What the catalogue would hand over. */
struct host {
	struct span family;
	struct service service;
};

static const struct service *host_of(struct host *host, struct span family)
{
	host->family = family;
	host->service = (struct service){
		.id = "test", .kind = "model-api", .families = &host->family, .family_count = 1};
	return family.len ? &host->service : NULL;
}

static void each_case(bool (*run)(const struct call *call))
{
	struct dirent **names;
	int count = scandir(CASES, &names, NULL, alphasort), ran = 0, failed = 0;

	assert_true(count > 2);
	for (int i = 0; i < count; i++) {
		struct call call;

		if (names[i]->d_name[0] != '.') {
			call_read(&call, names[i]->d_name);
			failed += !run(&call);
			call_free(&call);
			ran++;
		}
		free(names[i]);
	}
	free(names);
	assert_true(ran > 0);
	assert_int_equal(failed, 0);
}
