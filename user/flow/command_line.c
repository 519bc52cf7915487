/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/command_line.h"

#include "util/cleanup.h"

/*
 * Options come before the script. What each interpreter's options take must be known: a value that is
 * mistaken for the script could be a secret. Lists of words end with NULL.
 */
struct interpreter {
	const char *const *names;
	/* Single letters that may stand together ("-Bm"), each list as a string. */
	const char *inline_letters; /* the code follows */
	const char *value_letters;  /* a value follows: in the same argument, or the next one */
	const char *rest_letters;   /* the rest of the argument, if any, is a value */
	const char *const *inline_words;
	const char *const *value_words;  /* the next argument is a value; with "=" it is within */
	const char *const *script_words; /* the next argument is the script */
	const char *const *commands;     /* in front of the script: "run" */
	const char *const *code_commands;
	bool modules; /* -m MODULE */
	bool classes; /* what is named is a class, not a file */
	bool by_name; /* what has neither '/' nor '.' is no file, but a task's name */
};

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* python3(1), node(1), ruby(1), perlrun(1), php(1), bash(1), java(1), `deno run --help`, `bun --help` */
static const struct interpreter interpreters[] = {
	{
		.names = WORDS("python", "pypy"),
		.inline_letters = "c",
		.value_letters = "WX",
		.value_words = WORDS("--check-hash-based-pycs"),
		.modules = true,
	},
	{
		.names = WORDS("node", "nodejs"),
		.inline_words = WORDS("-e", "-p", "-pe", "--eval", "--print"),
		.value_words = WORDS("-r", "--require", "--import", "--loader",
				     "--experimental-loader", "-C", "--conditions", "--title",
				     "--env-file", "--input-type", "--openssl-config",
				     "--max-http-header-size", "--icu-data-dir", "--diagnostic-dir",
				     "--redirect-warnings", "--trace-event-categories",
				     "--inspect-port", "--stack-trace-limit", "--dns-result-order",
				     "--unhandled-rejections", "--tls-cipher-list", "--tls-keylog",
				     "--watch-path", "--run", "--experimental-config-file"),
		.commands = WORDS("inspect"),
	},
	{
		.names = WORDS("ruby"),
		.inline_letters = "e",
		.value_letters = "rICE",
		.rest_letters = "FKTWix",
	},
	{
		.names = WORDS("perl"),
		.inline_letters = "eE",
		.value_letters = "I",
		.rest_letters = ":CDFMimx",
	},
	{
		.names = WORDS("php"),
		.inline_letters = "rBRE",
		.value_letters = "cdtSz",
		.inline_words = WORDS("--run", "--process-begin", "--process-code",
				      "--process-end"),
		.value_words = WORDS("--php-ini", "--define", "--docroot", "--server",
				     "--zend-extension"),
		.script_words = WORDS("-f", "--file", "-F", "--process-file"),
	},
	{
		.names = WORDS("bash", "sh", "dash", "zsh", "ksh", "mksh", "ash"),
		.inline_letters = "c",
		.value_letters = "oO",
		.value_words = WORDS("--rcfile", "--init-file"),
	},
	{
		.names = WORDS("java"),
		.value_words = WORDS("-cp", "-classpath", "--class-path", "-p", "--module-path",
				     "--upgrade-module-path", "--add-modules", "--add-exports",
				     "--add-opens", "--add-reads", "--limit-modules",
				     "--patch-module", "--source", "-m", "--module", "-d",
				     "--describe-module", "--enable-native-access"),
		.script_words = WORDS("-jar"),
		.classes = true,
	},
	{
		.names = WORDS("deno"),
		.value_words = WORDS("-c", "--config", "--import-map", "-L", "--log-level",
				     "--cert", "--location", "--env-file", "--seed", "--ext",
				     "--port", "--host", "--preload", "--lock"),
		.commands = WORDS("run", "serve", "test", "bench", "watch"),
		.code_commands = WORDS("eval", "repl"),
		.by_name = true,
	},
	{
		.names = WORDS("bun"),
		.inline_words = WORDS("-e", "--eval", "-p", "--print"),
		.value_words = WORDS("-r", "--preload", "--require", "--import", "-c", "--config",
				     "--cwd", "--env-file", "--tsconfig-override", "-d", "--define",
				     "-l", "--loader", "--port", "--conditions", "--filter", "-F"),
		.commands = WORDS("run", "test"),
		.by_name = true,
	},
};

static bool has_word(const char *const *words, struct span text)
{
	for (; words && *words; words++)
		if (span_eq(text, span_str(*words)))
			return true;
	return false;
}

static bool has_letter(const char *letters, char c)
{
	return letters && c && strchr(letters, c);
}

static struct span last_part(struct span path)
{
	const char *slash = path.len ? memrchr(path.at, '/', path.len) : NULL;

	return slash ? span_skip(path, (size_t)(slash - path.at) + 1) : path;
}

/* "python3.11" and "php8.2" without their versions. */
static const struct interpreter *find_interpreter(struct span executable)
{
	struct span name = last_part(executable);

	while (name.len && ((name.at[name.len - 1] >= '0' && name.at[name.len - 1] <= '9') ||
			    name.at[name.len - 1] == '.'))
		name.len--;
	for (size_t i = 0; i < ARRAY_SIZE(interpreters); i++)
		if (has_word(interpreters[i].names, name))
			return &interpreters[i];
	return NULL;
}

bool command_is_interpreter(struct span executable)
{
	return find_interpreter(executable) != NULL;
}

/* The next argument; false at the end. One that was cut off is none. */
static bool next_argument(struct span *command, struct span *argument)
{
	const char *end = command->len ? memchr(command->at, '\0', command->len) : NULL;

	if (!end)
		return false;
	*argument = span_of(command->at, (size_t)(end - command->at));
	*command = span_skip(*command, argument->len + 1);
	return true;
}

enum option { OPTION_FLAG, OPTION_VALUE, OPTION_INLINE, OPTION_SCRIPT, OPTION_MODULE };

/* Letters that stand together: the first that takes something takes the rest. */
static enum option letters_kind(const struct interpreter *how, struct span argument,
				struct span *rest)
{
	for (size_t i = 1; i < argument.len; i++) {
		char c = argument.at[i];

		*rest = span_skip(argument, i + 1);
		if (has_letter(how->inline_letters, c))
			return OPTION_INLINE;
		if (how->modules && c == 'm')
			return OPTION_MODULE;
		if (has_letter(how->value_letters, c))
			return rest->len ? OPTION_FLAG : OPTION_VALUE;
		if (has_letter(how->rest_letters, c))
			return OPTION_FLAG;
	}
	*rest = (struct span){0};
	return OPTION_FLAG;
}

static enum option option_kind(const struct interpreter *how, struct span argument,
			       struct span *rest)
{
	const char *equals = memchr(argument.at, '=', argument.len);
	struct span word = equals ? span_of(argument.at, (size_t)(equals - argument.at)) : argument;

	*rest = (struct span){0};
	if (has_word(how->inline_words, word))
		return OPTION_INLINE;
	if (has_word(how->script_words, argument))
		return OPTION_SCRIPT;
	if (has_word(how->value_words, word))
		return equals ? OPTION_FLAG : OPTION_VALUE;
	if (argument.len > 1 && argument.at[1] != '-')
		return letters_kind(how, argument, rest);
	return OPTION_FLAG;
}

/* Names of files and classes; a line break or "KEY=value" is something else that got here by mistake. */
static bool is_plausible(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.at[i] < ' ' || name.at[i] == '=')
			return false;
	return name.len > 0;
}

static bool join(char *to, size_t cap, struct span a, struct span b)
{
	if (a.len + b.len >= cap)
		return false;
	if (a.len)
		memcpy(to, a.at, a.len);
	if (b.len)
		memcpy(to + a.len, b.at, b.len);
	to[a.len + b.len] = '\0';
	return true;
}

/* scheme://user@host/path?query#fragment: the user and the query may be credentials */
static bool put_url(struct span url, const char *colon, char *to, size_t cap)
{
	struct span scheme = span_of(url.at, (size_t)(colon - url.at) + 3);
	struct span rest = span_skip(url, scheme.len);
	const char *slash, *at;
	size_t authority;

	for (size_t i = 0; i < rest.len; i++)
		if (rest.at[i] == '?' || rest.at[i] == '#')
			rest.len = i;
	slash = rest.len ? memchr(rest.at, '/', rest.len) : NULL;
	authority = slash ? (size_t)(slash - rest.at) : rest.len;
	at = authority ? memrchr(rest.at, '@', authority) : NULL;
	if (at)
		rest = span_skip(rest, (size_t)(at - rest.at) + 1);
	return join(to, cap, scheme, rest);
}

static bool put_path(struct span path, struct span cwd, char *to, size_t cap)
{
	char base[4096];

	while (span_starts(path, SPAN_LITERAL("./")))
		path = span_skip(path, 2);
	if (path.len == 0)
		return false;
	if (path.at[0] == '/' || cwd.len == 0)
		return join(to, cap, (struct span){0}, path);
	if (cwd.len == 1)
		return join(to, cap, cwd, path);
	return join(base, sizeof(base), cwd, SPAN_LITERAL("/")) &&
	       join(to, cap, span_str(base), path);
}

static bool put_script(const struct interpreter *how, struct span name, bool is_file,
		       struct span cwd, char *to, size_t cap)
{
	const char *colon;

	if (span_eq(name, SPAN_LITERAL("-")))
		return join(to, cap, (struct span){0}, name);
	colon = memmem(name.at, name.len, "://", 3);
	if (colon && !memchr(name.at, '/', (size_t)(colon - name.at)))
		return put_url(name, colon, to, cap);
	if (!is_plausible(name))
		return false;
	if ((how->classes && !is_file) ||
	    (how->by_name && !memchr(name.at, '/', name.len) && !memchr(name.at, '.', name.len)))
		return join(to, cap, (struct span){0}, name);
	return put_path(name, cwd, to, cap);
}

static bool put_module(struct span rest, struct span *command, char *to, size_t cap)
{
	struct span name = rest;

	if (!name.len && !next_argument(command, &name))
		return false;
	return is_plausible(name) && join(to, cap, SPAN_LITERAL("-m "), name);
}

static bool find_script(const struct interpreter *how, struct span command, struct span cwd,
			char *to, size_t cap)
{
	struct span argument, rest, skipped;
	bool may_command = how->commands != NULL;

	if (!next_argument(&command, &argument)) /* its own name */
		return false;
	while (next_argument(&command, &argument)) {
		if (span_eq(argument, SPAN_LITERAL("--"))) {
			return next_argument(&command, &argument) &&
			       put_script(how, argument, false, cwd, to, cap);
		}
		/* shells set options by "+o" too */
		if (argument.len < 2 || (argument.at[0] != '-' && argument.at[0] != '+')) {
			if (may_command && has_word(how->code_commands, argument))
				return join(to, cap, (struct span){0}, SPAN_LITERAL("-c"));
			if (!may_command || !has_word(how->commands, argument))
				return put_script(how, argument, false, cwd, to, cap);
			may_command = false;
			continue;
		}
		switch (option_kind(how, argument, &rest)) {
		case OPTION_FLAG:
			break;
		case OPTION_VALUE:
			if (!next_argument(&command, &skipped))
				return false;
			break;
		case OPTION_INLINE:
			return join(to, cap, (struct span){0}, SPAN_LITERAL("-c"));
		case OPTION_SCRIPT:
			return next_argument(&command, &argument) &&
			       put_script(how, argument, true, cwd, to, cap);
		case OPTION_MODULE:
			return put_module(rest, &command, to, cap);
		}
	}
	return false;
}

bool command_script(struct span executable, struct span command, struct span cwd, char *to,
		    size_t cap)
{
	const struct interpreter *how = find_interpreter(executable);

	if (how && find_script(how, command, cwd, to, cap))
		return true;
	to[0] = '\0';
	return false;
}
