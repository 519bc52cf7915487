/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/agents.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gnomon/protocol.h"
#include "util/cleanup.h"
#include "util/diag.h"

#define P(name, executable, script)                                                                \
	{                                                                                          \
		SPAN_LITERAL(name), SPAN_LITERAL(executable), SPAN_LITERAL(script)                 \
	}
#define HEADER(name, value)                                                                        \
	{                                                                                          \
		SPAN_LITERAL(name), SPAN_LITERAL(value)                                            \
	}
#define BY(what) (1u << AGENT_BY_##what)

struct request {
	struct http_header headers[3];
	size_t count;
};

static const struct {
	const char *what;
	struct agent_program programs[4];
	size_t program_count;
	struct request request; /* count 0: none was seen */
	const char *id;         /* NULL: cannot be told */
	unsigned int confidence, evidence;
} cases[] = {
	{"a binary and its User-Agent",
	 {P("claude", "/home/a/.local/share/claude/versions/2.1.3", "")},
	 1,
	 {{HEADER("User-Agent", "claude-cli/2.1.288 (external, cli)")}, 1},
	 "claude-code",
	 99,
	 BY(EXECUTABLE) | BY(USER_AGENT)},
	{"a script of node, of which only the connection was seen",
	 {P("node", "/usr/bin/node", "/usr/lib/node_modules/@google/gemini-cli/dist/index.js")},
	 1,
	 {.count = 0},
	 "gemini-cli",
	 90,
	 BY(SCRIPT)},
	{"npm's link to the script",
	 {P("MainThread", "/usr/bin/node", "/usr/local/bin/qwen")},
	 1,
	 {.count = 0},
	 "qwen-code",
	 90,
	 BY(SCRIPT)},
	{"a module of python",
	 {P("python3", "/usr/bin/python3.11", "-m aider")},
	 1,
	 {.count = 0},
	 "aider",
	 90,
	 BY(SCRIPT)},
	{"headers that only it sends",
	 {P("amp", "/opt/bin/amp", "")},
	 1,
	 {{HEADER("user-agent", "Bun/1.4.1"), HEADER("X-Amp-Client-Type", "cli")}, 2},
	 "amp",
	 99,
	 BY(EXECUTABLE) | BY(HEADER)},
	{"a User-Agent alone",
	 {P("python3", "/usr/bin/python3.11", "/srv/proxy.py")},
	 1,
	 {{HEADER("user-agent", "codex_cli_rs/0.144.6 (Ubuntu 26.04; x86_64)")}, 1},
	 "codex",
	 70,
	 BY(USER_AGENT)},
	{"a User-Agent in a capture",
	 {{{0}}},
	 0,
	 {{HEADER("user-agent", "QwenCode/0.24.4")}, 1},
	 "qwen-code",
	 70,
	 BY(USER_AGENT)},
	{"an agent that poses as another",
	 {P("opencode", "/usr/bin/opencode", "")},
	 1,
	 {{HEADER("user-agent", "claude-cli/2.1.288")}, 1},
	 "opencode",
	 80,
	 BY(EXECUTABLE)},
	{"an extension of an editor",
	 {P("code", "/usr/share/code/code", "")},
	 1,
	 {{HEADER("user-agent", "RooCode/3.53.0"), HEADER("x-title", "Roo Code")}, 2},
	 "roo-code",
	 70,
	 BY(USER_AGENT) | BY(HEADER)},
	{"another's extension in an agent's editor",
	 {P("cursor", "/opt/Cursor/cursor", "")},
	 1,
	 {{HEADER("user-agent", "Cline/3.0")}, 1},
	 "cline",
	 80,
	 BY(USER_AGENT)},
	{"an editor whose extension cannot be told",
	 {P("code", "/usr/share/code/code", "")},
	 1,
	 {{HEADER("user-agent", "OpenAI/JS 6.49.0")}, 1},
	 NULL,
	 0,
	 0},
	{"an agent's editor by itself",
	 {P("cursor", "/opt/Cursor/cursor", "")},
	 1,
	 {.count = 0},
	 "cursor",
	 90,
	 BY(EXECUTABLE)},
	{"a child of an agent",
	 {P("curl", "/usr/bin/curl", ""), P("bash", "/bin/bash", "-c"),
	  P("claude", "/usr/bin/claude", ""), P("bash", "/bin/bash", "")},
	 4,
	 {{HEADER("user-agent", "curl/7.88.1")}, 1},
	 "claude-code",
	 50,
	 BY(ANCESTOR)},
	{"a child of an agent of which only the name is left",
	 {P("curl", "/usr/bin/curl", ""), P("claude", "", "")},
	 2,
	 {.count = 0},
	 "claude-code",
	 50,
	 BY(ANCESTOR)},
	{"a helper that its parent started, and that says whose it is",
	 {P("hub", "/opt/hub", ""), P("cline", "/usr/bin/cline", "")},
	 2,
	 {{HEADER("user-agent", "ai-sdk/openai/4.0"), HEADER("X-Title", "Cline")}, 2},
	 "cline",
	 85,
	 BY(HEADER) | BY(ANCESTOR)},
	{"a script in an editor's terminal",
	 {P("python3", "/usr/bin/python3.11", "/srv/a.py"), P("bash", "/bin/bash", ""),
	  P("cursor", "/opt/Cursor/cursor", ""), P("claude", "/usr/bin/claude", "")},
	 4,
	 {{HEADER("user-agent", "OpenAI/Python 1.0")}, 1},
	 AGENT_NONE,
	 0,
	 0},
	{"a plain script",
	 {P("python3", "/usr/bin/python3.11", "/srv/a.py"), P("bash", "/bin/bash", "")},
	 2,
	 {{HEADER("user-agent", "AsyncAnthropic/Python 0.40")}, 1},
	 AGENT_NONE,
	 0,
	 0},
	{"a browser",
	 {P("firefox", "/usr/lib/firefox/firefox", "")},
	 1,
	 {.count = 0},
	 AGENT_NONE,
	 0,
	 0},
	{"a process of which nothing could be read",
	 {P("python3", "", "")},
	 1,
	 {.count = 0},
	 NULL,
	 0,
	 0},
	{"a capture", {{{0}}}, 0, {{HEADER("user-agent", "curl/7.88.1")}, 1}, NULL, 0, 0},
	{"a name that only begins like an agent's",
	 {P("claudette", "/usr/bin/claudette", "/usr/local/bin/claudette")},
	 1,
	 {{HEADER("user-agent", "claude-client/1"), HEADER("x-title", "Cline 2")}, 2},
	 AGENT_NONE,
	 0,
	 0},
};

static struct agents *builtin(void)
{
	struct agents *agents = agents_new();
	struct diag diag = {0};

	assert_non_null(agents);
	if (agents_add_builtin(agents, &diag) < 0)
		fail_msg("%s", diag_any(&diag) ? diag.messages[0] : "out of memory");
	diag_done(&diag);
	return agents;
}

static void built_in_agents_are_told_apart(void **state)
{
	struct agents *agents = builtin();

	(void)state;
	assert_true(agents_count(agents) >= 18);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_head head = {.headers = cases[i].request.headers,
					 .header_count = cases[i].request.count};
		struct agent_subject subject = {
			.programs = cases[i].programs,
			.program_count = cases[i].program_count,
			.head = cases[i].request.count ? &head : NULL,
		};
		struct agent_match match;

		agents_match(agents, &subject, &match);
		if (!match.id != !cases[i].id || (match.id && strcmp(match.id, cases[i].id) != 0))
			fail_msg("%s: %s", cases[i].what, match.id ? match.id : "cannot be told");
		if (match.confidence != cases[i].confidence || match.evidence != cases[i].evidence)
			fail_msg("%s: confidence %u, evidence %x", cases[i].what, match.confidence,
				 match.evidence);
	}
	agents_free(agents);
}

static const char *agent_of(const struct agents *agents, const char *executable)
{
	struct agent_program program = {.executable = span_str(executable)};
	struct agent_subject subject = {.programs = &program, .program_count = 1};
	struct agent_match match;

	agents_match(agents, &subject, &match);
	return match.id;
}

static void later_files_count_first_and_replace(void **state)
{
	static const char text[] = "hosts: [studio]\n"
				   "agents:\n"
				   "  - {id: house-agent, vendor: Acme, executables: [/opt/acme/*, "
				   "claude]}\n"
				   "  - {id: codex, vendor: Acme, executables: [acme-codex]}\n";
	struct agents *agents = builtin();
	size_t before = agents_count(agents);
	struct diag diag = {0};

	(void)state;
	assert_string_equal(agent_of(agents, "/usr/bin/claude"), "claude-code");
	assert_string_equal(agent_of(agents, "/usr/bin/codex"), "codex");
	assert_int_equal(agents_add(agents, "mine.yaml", span_str(text), &diag), 0);
	assert_int_equal(agents_count(agents), before + 1);
	assert_string_equal(agent_of(agents, "/usr/bin/claude"), "house-agent");
	assert_string_equal(agent_of(agents, "/opt/acme/bin/x"), "house-agent");
	assert_string_equal(agent_of(agents, "/usr/bin/codex"), AGENT_NONE);
	assert_string_equal(agent_of(agents, "/usr/bin/acme-codex"), "codex");
	assert_null(agent_of(agents, "/usr/bin/studio"));
	assert_null(agent_of(agents, "/usr/share/code/code"));
	agents_free(agents);
}

static void wrong_files_are_refused_whole(void **state)
{
	static const struct {
		const char *text, *message;
	} wrong[] = {
		{"", "x.yaml: an agents file needs \"agents\" or \"hosts\""},
		{"agents: 3\n", "x.yaml:1:9: "},
		{"agents:\n  - {id: a, vendor: b, executables: [good], color: red}\n", "x.yaml:2:"},
		{"agents:\n  - {id: a, vendor: b}\n", "x.yaml:2:5: nothing says"},
		{"agents:\n  - {id: none, vendor: b, executables: [good]}\n", "x.yaml:2:10: an id"},
		{"agents:\n  - {id: A B, vendor: b, executables: [good]}\n", "x.yaml:2:10: an id"},
		{"agents:\n  - {id: a, vendor: b, executables: [\"*\"]}\n",
		 "x.yaml:2:38: matches too much"},
		{"agents:\n  - {id: a, vendor: b, executables: [\"\"]}\n", "x.yaml:2:38: must be"},
		{"agents:\n  - {id: a, vendor: b, scripts: [[x]]}\n", "x.yaml:2:34: must be"},
		{"agents:\n  - {id: a, vendor: b, headers: [x-title]}\n", "x.yaml:2:34: "},
		{"agents:\n  - {id: a, vendor: b, headers: [{name: X-Title}]}\n",
		 "x.yaml:2:41: names of headers"},
		{"agents:\n  - {id: a, vendor: b, executables: [good]}\n"
		 "  - {id: a, vendor: b, executables: [good]}\n",
		 "x.yaml:3:10: duplicate id"},
		{"hosts: [\"*\"]\n", "x.yaml:1:9: matches too much"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct agents *agents = agents_new();
		struct diag diag = {0};

		assert_int_equal(agents_add(agents, "x.yaml", span_str(wrong[i].text), &diag),
				 -EINVAL);
		assert_true(diag_any(&diag));
		if (strncmp(diag.messages[0], wrong[i].message, strlen(wrong[i].message)) != 0)
			fail_msg("%zu: %s", i, diag.messages[0]);
		assert_int_equal(agents_count(agents), 0);
		diag_done(&diag);
		agents_free(agents);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_agents_are_told_apart),
		cmocka_unit_test(later_files_count_first_and_replace),
		cmocka_unit_test(wrong_files_are_refused_whole),
	};

	return cmocka_run_group_tests_name("agents", tests, NULL, NULL);
}
