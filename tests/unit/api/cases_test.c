/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One file in cases/ is one call: a line that says why it is there, a request after ">>", a response
 * after "<<", and after "==" the facts, a line each, that must come of it, however the bytes are cut.
 * "speaks: FAMILY" before the request is what the catalogue knows of the host. Content-Length is
 * added, and the heads get their line ends.
 */
#include "api/exchange.h"

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
#include "util/cleanup.h"

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

/* ---- feeding ---- */

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

static void feed(struct conversation *c, enum stream_dir dir, const char *at, size_t len)
{
	_cleanup_free_ char *copy = malloc(len ? len : 1);

	if (len)
		memcpy(copy, at, len);
	conversation_feed(c, dir, copy, len);
}

static void feed_steps(struct conversation *c, const struct call *call, size_t step)
{
	for (int dir = 0; dir < DIR_COUNT; dir++)
		for (size_t i = 0; i < call->len[dir]; i += step)
			feed(c, (enum stream_dir)dir, call->message[dir] + i,
			     step < call->len[dir] - i ? step : call->len[dir] - i);
}

static bool run_steps(const struct call *call, size_t step)
{
	struct host host;
	struct conversation c;
	_cleanup_free_ char *told = NULL;

	conversation_begin(&c);
	c.service = host_of(&host, call->speaks);
	feed_steps(&c, call, step);
	free(conversation_finish(&c));
	told = c.ended ? facts_text(&c.last, c.is_call) : strdup("none\n");
	if (span_eq(span_str(told), call->facts))
		return true;
	print_error("%s in steps of %zu, told:\n%s", call->name, step, told);
	return false;
}

/* Reported counts; an estimate says that it is one, and its interval is tested elsewhere. */
static bool usage_is_honest(const struct token_usage *u, const struct token_usage *t)
{
	if (u->source == USAGE_ESTIMATED_TEXT)
		/* without a part of the text there is no upper end */
		return (u->input_high == TOKENS_UNKNOWN || u->input_low <= u->input_high) &&
		       (u->output_high == TOKENS_UNKNOWN || u->output_low <= u->output_high);
	return u->input <= t->input && u->output <= t->output;
}

/* A value is unknown or the true one; counts of a stream may be earlier ones. */
static bool is_honest(const struct llm_facts *f, const struct llm_facts *t)
{
	return (!f->request_model[0] || !strcmp(f->request_model, t->request_model)) &&
	       (!f->error_type[0] || !strcmp(f->error_type, t->error_type)) &&
	       usage_is_honest(&f->usage, &t->usage) && f->request_shape <= t->request_shape &&
	       f->response_shape <= t->response_shape;
}

static bool run_lost(const struct call *call, const struct llm_facts *truth, enum stream_dir dir,
		     size_t at, size_t lost)
{
	struct host host;
	struct conversation c;

	conversation_begin(&c);
	c.service = host_of(&host, call->speaks);
	if (dir == DIR_IN)
		feed(&c, DIR_OUT, call->message[DIR_OUT], call->len[DIR_OUT]);
	feed(&c, dir, call->message[dir], at);
	if (at + lost < call->len[dir]) {
		http1_protocol.gap(c.http, dir, lost);
		feed(&c, dir, call->message[dir] + at + lost, call->len[dir] - at - lost);
	}
	if (dir == DIR_OUT)
		feed(&c, DIR_IN, call->message[DIR_IN], call->len[DIR_IN]);
	free(conversation_finish(&c));
	if (!c.ended || is_honest(&c.last, truth))
		return true;
	print_error("%s without %zu bytes at %zu of %d: not honest\n", call->name, lost, at, dir);
	return false;
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

static bool cut(const struct call *call)
{
	static const size_t steps[] = {1 << 16, 1, 2, 3, 5, 7, 16, 61, 255, 1000};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (!run_steps(call, steps[i]))
			return false;
	return true;
}

static bool lose(const struct call *call)
{
	struct host host;
	struct conversation c;

	conversation_begin(&c);
	c.service = host_of(&host, call->speaks);
	feed_steps(&c, call, 1 << 16);
	free(conversation_finish(&c));
	if (!c.ended)
		return true;
	for (int dir = 0; dir < DIR_COUNT; dir++)
		for (size_t at = 0; at < call->len[dir]; at += 3)
			if (!run_lost(call, &c.last, (enum stream_dir)dir, at, 1) ||
			    !run_lost(call, &c.last, (enum stream_dir)dir, at, 90) ||
			    !run_lost(call, &c.last, (enum stream_dir)dir, at, 1 << 16))
				return false;
	return true;
}

static void test_cuts(void **state)
{
	(void)state;
	each_case(cut);
}

static void test_losses(void **state)
{
	(void)state;
	each_case(lose);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_losses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
