/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "gnomon/span.h"

/*
 * What an interpreter runs, from its command line: python, node, ruby, perl, php, shells, java, deno and bun. Of
 * all arguments only the script's name is told, since others hold keys and passwords.
 */

/* Is this executable (its path or name) one of the interpreters? "python3.11" is python. */
bool command_is_interpreter(struct span executable);

/*
 * `command` is /proc/PID/cmdline: the arguments, a NUL behind each. Writes the script's name to `to`, `cap`
 * bytes with the NUL:
 *   a path, made absolute by `cwd` (empty: not known, it stays as it is)
 *   "-m MODULE"  a module, of python
 *   "-c"         code on the command line itself, whatever the option's name
 *   "-"          code from standard input, where the command line says so
 *   a class      of java; an URL without user, query and fragment, of deno
 * False, and *to is empty: no interpreter, no script named, or what is named does not fit.
 */
bool command_script(struct span executable, struct span command, struct span cwd, char *to,
		    size_t cap);
