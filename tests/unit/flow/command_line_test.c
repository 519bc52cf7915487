/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/command_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/cleanup.h"

/* Arguments are separated by '|', which stands for the NULs. */
static const struct {
	const char *executable, *command, *script;
} cases[] = {
	{"/usr/bin/python3.11", "python3|/opt/app/main.py|--key|sk-secret", "/opt/app/main.py"},
	{"/usr/bin/python3.11", "python3|main.py|sk-secret", "/srv/job/main.py"},
	{"/usr/bin/python3.11", "python3|./main.py", "/srv/job/main.py"},
	{"/usr/bin/python3.11", "python3|../main.py", "/srv/job/../main.py"},
	{"/usr/bin/python3", "python3|-u|-W|ignore|-Xdev|main.py", "/srv/job/main.py"},
	{"/usr/bin/python3", "python3|-c|print('sk-secret')|x.py", "-c"},
	{"/usr/bin/python3", "python3|-uBc|print('sk-secret')", "-c"},
	{"/usr/bin/python3", "python3|-m|http.server|8000", "-m http.server"},
	{"/usr/bin/python3", "python3|-Im|venv|x", "-m venv"},
	{"/usr/bin/python3", "python3|-mvenv|x", "-m venv"},
	{"/usr/bin/python3", "python3|-", "-"},
	{"/usr/bin/python3", "python3", ""},
	{"/usr/bin/python3", "python3|-i", ""},
	{"/usr/bin/python3", "python3|--|main.py", "/srv/job/main.py"},
	{"/usr/bin/node", "node|/usr/lib/node_modules/x/cli.js|--token|t",
	 "/usr/lib/node_modules/x/cli.js"},
	{"/usr/bin/node",
	 "node|--max-old-space-size=4096|-r|dotenv/config|--import=tsx|--enable-source-maps|a.mjs",
	 "/srv/job/a.mjs"},
	{"/usr/bin/nodejs", "nodejs|-e|call('sk-secret')", "-c"},
	{"/usr/bin/node", "node|--eval=call('sk-secret')", "-c"},
	{"/usr/bin/node", "node|inspect|a.js", "/srv/job/a.js"},
	{"/usr/bin/ruby3.1", "ruby|-rjson|-I|lib|-w|a.rb|sk-secret", "/srv/job/a.rb"},
	{"/usr/bin/ruby3.1", "ruby|-ne|puts 'sk-secret'", "-c"},
	{"/usr/bin/perl", "perl|-Mstrict|-w|-I/opt/lib|a.pl", "/srv/job/a.pl"},
	{"/usr/bin/perl", "perl|-lane|print 'sk-secret'", "-c"},
	{"/usr/bin/perl5.36.0", "perl|-MLWP::UserAgent|-e|print 'sk-secret'", "-c"},
	{"/usr/bin/php8.2", "php|-d|memory_limit=1G|-f|a.php|--|x", "/srv/job/a.php"},
	{"/usr/bin/php8.2", "php|-d|key=sk-secret|a.php", "/srv/job/a.php"},
	{"/usr/bin/php8.2", "php|-r|echo 'sk-secret';", "-c"},
	{"/bin/bash", "bash|deploy.sh|--password|hunter2", "/srv/job/deploy.sh"},
	{"/bin/bash", "bash|-lc|curl -H 'key: sk-secret'", "-c"},
	{"/bin/bash", "bash|-eu|-o|pipefail|deploy.sh", "/srv/job/deploy.sh"},
	{"/bin/bash", "bash|-euo|pipefail|deploy.sh", "/srv/job/deploy.sh"},
	{"/bin/bash", "-bash", ""},
	{"/usr/bin/dash", "/bin/sh|/etc/init.d/x|start", "/etc/init.d/x"},
	{"/usr/lib/jvm/java-17/bin/java", "java|-Dkey=sk-secret|-Xmx1g|-jar|app.jar|x",
	 "/srv/job/app.jar"},
	{"/usr/bin/java", "java|-cp|/opt/a.jar:/opt/b.jar|com.acme.Main|sk-secret",
	 "com.acme.Main"},
	{"/usr/bin/deno", "deno|run|--allow-net|--config|deno.json|main.ts|sk-secret",
	 "/srv/job/main.ts"},
	{"/usr/bin/deno", "deno|run|-A|https://me:pass@example.com/a/main.ts?token=sk-secret#x",
	 "https://example.com/a/main.ts"},
	{"/usr/bin/deno", "deno|eval|fetch('sk-secret')", "-c"},
	{"/opt/bun/bin/bun", "bun|run|dev", "dev"},
	{"/opt/bun/bin/bun", "bun|run|./src/index.ts", "/srv/job/src/index.ts"},
	{"/opt/bun/bin/bun", "bun|--smol|index.ts", "/srv/job/index.ts"},
	/* an option nobody told us of took a value */
	{"/usr/bin/node", "node|--new-option|KEY=sk-secret|a.js", ""},
	{"/usr/bin/curl", "curl|-H|Authorization: sk-secret|https://api.openai.com", ""},
	{"/usr/bin/python3-config", "python3-config|--libs", ""},
	{"", "python3|a.py", ""},
};

static struct span arguments(const char *text, char *to, size_t cap)
{
	size_t len = strlen(text);

	assert_true(len + 1 < cap);
	for (size_t i = 0; i < len; i++)
		to[i] = text[i] == '|' ? '\0' : text[i];
	to[len] = '\0';
	return span_of(to, len + 1);
}

static void finds_what_interpreters_run_and_nothing_else(void **state)
{
	char to[256], buffer[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span command = arguments(cases[i].command, buffer, sizeof(buffer));
		bool found = command_script(span_str(cases[i].executable), command,
					    SPAN_LITERAL("/srv/job"), to, sizeof(to));

		if (strcmp(to, cases[i].script) != 0 || found != (to[0] != '\0'))
			fail_msg("%s: wanted \"%s\", got \"%s\"", cases[i].command, cases[i].script,
				 to);
	}
}

/* A command line that was cut, or that the process overwrote, may cost the name, never tell a secret. */
static void cut_command_lines_tell_no_secrets(void **state)
{
	char to[256], buffer[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span command = arguments(cases[i].command, buffer, sizeof(buffer));

		for (size_t n = 0; n < command.len; n++) {
			_cleanup_free_ char *copy = malloc(n + 1);

			memcpy(copy, command.at, n);
			command_script(span_str(cases[i].executable), span_of(copy, n),
				       SPAN_LITERAL("/srv/job"), to, sizeof(to));
			assert_null(strstr(to, "secret"));
			assert_null(strstr(to, "hunter2"));
			assert_null(strstr(to, "pass"));
		}
	}
}

static void names_that_do_not_fit_are_left_out(void **state)
{
	char to[16], buffer[64];
	struct span command = arguments("python3|1234567.py", buffer, sizeof(buffer));

	(void)state;
	assert_true(command_script(SPAN_LITERAL("python3"), command, SPAN_LITERAL("/x/y"), to,
				   sizeof(to)));
	assert_string_equal(to, "/x/y/1234567.py");
	assert_false(command_script(SPAN_LITERAL("python3"), command, SPAN_LITERAL("/x/yz"), to,
				    sizeof(to)));
	assert_string_equal(to, "");
	assert_true(command_script(SPAN_LITERAL("python3"), command, SPAN_LITERAL("/"), to,
				   sizeof(to)));
	assert_string_equal(to, "/1234567.py");
	assert_true(
		command_script(SPAN_LITERAL("python3"), command, (struct span){0}, to, sizeof(to)));
	assert_string_equal(to, "1234567.py");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_interpreters_run_and_nothing_else),
		cmocka_unit_test(cut_command_lines_tell_no_secrets),
		cmocka_unit_test(names_that_do_not_fit_are_left_out),
	};

	return cmocka_run_group_tests_name("command_line", tests, NULL, NULL);
}
