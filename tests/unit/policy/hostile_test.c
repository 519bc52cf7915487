/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "gnomon/limits.h"
#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/diag.h"

/*
 * Files of the largest size that is read, made to be expensive: each is refused or taken in seconds and in
 * bounded memory, and a refusal says where.
 */

/* Seconds of processor time for the worst of them. The sanitizers, which are ten times as slow, get files that
 * just have too many nodes. */
#ifdef __SANITIZE_ADDRESS__
#define TEXT_BYTES  (YAML_BYTES_MAX / 8)
#define SECONDS_MAX 20
#else
#define TEXT_BYTES  YAML_BYTES_MAX
#define SECONDS_MAX 4
#endif
/* The text twice, a million nodes of it, and what libyaml holds of a token. */
#define RESIDENT_MAX_KB (400 << 10)

struct text {
	char *at;
	size_t len;
};

static struct text text_new(void)
{
	struct text text = {.at = malloc(TEXT_BYTES)};

	assert_non_null(text.at);
	return text;
}

static void add(struct text *text, const char *piece)
{
	size_t len = strlen(piece);

	if (len > TEXT_BYTES - text->len)
		return;
	memcpy(text->at + text->len, piece, len);
	text->len += len;
}

/* The piece as often as there is room, `room` bytes left behind it. */
static void fill(struct text *text, const char *piece, size_t room)
{
	size_t len = strlen(piece);

	while (TEXT_BYTES - text->len >= len + room) {
		memcpy(text->at + text->len, piece, len);
		text->len += len;
	}
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* `message`: what the first error has in it; NULL: the file is good. */
static void load(const char *name, struct text *text, const char *message)
{
	struct policy *policy = policy_new();
	struct diag diag = {0};
	double begin = now_s(), seconds;
	int r = policy_add(policy, "f", span_of(text->at, text->len), &diag);
	struct rusage usage;

	if (r == 0)
		r = policy_seal(policy, &diag);
	seconds = now_s() - begin;
	getrusage(RUSAGE_SELF, &usage);
	print_message("# %s: %.2f s, at most %ld MB so far, %s\n", name, seconds,
		      usage.ru_maxrss >> 10, diag.count ? diag.messages[0] : "no error");
	assert_true(seconds < SECONDS_MAX);
#ifndef __SANITIZE_ADDRESS__
	assert_true(usage.ru_maxrss < RESIDENT_MAX_KB);
#endif
	assert_int_equal(r == 0, message == NULL);
	if (message && !strstr(diag.messages[0], message))
		fail_msg("%s", diag.messages[0]);
	assert_true(diag.count <= DIAG_MESSAGES_MAX);
	diag_done(&diag);
	policy_free(policy);
	free(text->at);
}

static void test_bombs(void **state)
{
	struct text text = text_new();

	(void)state;
	/* each line ten times the one before: a gigabyte where aliases are followed */
	add(&text, "lists:\n  a: &a [x,x,x,x,x,x,x,x,x,x]\n");
	for (char c = 'b'; c <= 'j'; c++) {
		char line[80];

		snprintf(line, sizeof(line), "  %c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c,
			 c, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
		add(&text, line);
	}
	load("aliases", &text, "f:2:6: anchors are not supported");
	text = text_new();
	add(&text, "lists: {a: [");
	fill(&text, "*a,", 4);
	load("aliases of nothing", &text, "aliases are not supported");
	text = text_new();
	add(&text, "lists: {a: [");
	fill(&text, "!!str x,", 4);
	load("tags", &text, "tags are not supported");
}

static void test_depth(void **state)
{
	static const char *const pieces[] = {"[", "{a: ", "- ", "? ", "[{", "{[", "- - ? "};
	struct text text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		text = text_new();
		fill(&text, pieces[i], 0);
		load(pieces[i], &text, "");
	}
	text = text_new();
	/* one blank more a line */
	for (size_t n = 0; n < 5000; n++) {
		for (size_t i = 0; i < n; i++)
			add(&text, " ");
		add(&text, "a:\n");
	}
	load("a staircase", &text, "nested too deeply");
}

static void test_many(void **state)
{
	struct text text = text_new();

	(void)state;
	add(&text, "lists: {a: [");
	fill(&text, "x,", 4);
	load("nodes", &text, "too many nodes");
	text = text_new();
	add(&text, "lists: {a: [");
	for (size_t i = 0; i < YAML_NODES_MAX - 10; i++)
		add(&text, "x,");
	add(&text, "]}");
	load("as many nodes as may be", &text, NULL);
	text = text_new();
	add(&text, "lists:\n");
	for (int i = 0; i < 200000; i++)
		add(&text, " a: [x]\n");
	load("one key", &text, "duplicate key \"a\", first on line 2");
	text = text_new();
	for (int i = 0; i < 300000; i++) {
		char line[32];

		snprintf(line, sizeof(line), "frob%d: 1\n", i);
		add(&text, line);
	}
	load("unknown keys", &text, "unknown key \"frob0\"");
	text = text_new();
	add(&text, "rules:\n");
	for (int i = 0; i < 100000; i++)
		add(&text, "- {}\n");
	load("empty rules", &text, "a rule needs \"id\"");
	text = text_new();
	fill(&text, "---\n", 0);
	load("documents", &text, "more than one document");
	text = text_new();
	fill(&text, "# comment\n", 0);
	load("comments", &text, NULL);
	text = text_new();
	fill(&text, "\n", 0);
	load("line ends", &text, NULL);
}

static void test_scalars(void **state)
{
	static const char *const openings[] = {"lists: {a: [", "lists: {a: ['", "lists: {a: [\""};
	struct text text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(openings); i++) {
		char name[32];

		snprintf(name, sizeof(name), "a huge scalar, style %zu", i);
		text = text_new();
		add(&text, openings[i]);
		fill(&text, "xxxxxxxx", 8);
		add(&text, i == 1 ? "']}" : i == 2 ? "\"]}" : "]}");
		load(name, &text, NULL);
		snprintf(name, sizeof(name), "one that does not end, style %zu", i);
		text = text_new();
		add(&text, openings[i]);
		fill(&text, "x x\n ", 0);
		load(name, &text, "");
	}
	text = text_new();
	add(&text, "macros:\n  a: |\n");
	fill(&text, "    user.name exists or\n", 0);
	load("a huge condition", &text, "the condition is too long");
	text = text_new();
	add(&text, "lists: {a: [\"");
	fill(&text, "\\x41\\u0041", 8);
	add(&text, "\"]}");
	load("escapes", &text, NULL);
	text = text_new();
	fill(&text, "aaaaaaaa", 3);
	add(&text, ": b");
	load("a huge key", &text, "");
	text = text_new();
	fill(&text, ": ", 0);
	load("colons", &text, "");
	text = text_new();
	fill(&text, "? ", 0);
	load("question marks", &text, "");
}

static void test_not_text(void **state)
{
	static const char *const pieces[] = {
		"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe2\x82", "\x01"};
	struct text text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		text = text_new();
		add(&text, "lists: {a: [");
		fill(&text, pieces[i], 0);
		load("not UTF-8", &text, "not valid UTF-8");
	}
	text = text_new();
	memset(text.at, 0, TEXT_BYTES);
	text.len = TEXT_BYTES;
	load("zeroes", &text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bombs),    cmocka_unit_test(test_depth),
		cmocka_unit_test(test_many),     cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_not_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
