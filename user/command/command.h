/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* What gnomon's exit status says. */
enum exit_code {
	EXIT_CLEAN = 0,
	EXIT_FINDINGS = 1, /* findings at or above --fail-on, a test that failed, not found */
	EXIT_ERROR = 2,    /* an error, or incomplete: loss, a truncated capture */
	EXIT_FINDINGS_INCOMPLETE = 3, /* both */
	EXIT_USAGE = 64,              /* sysexits.h's EX_USAGE */
};

/* The subcommands; argv[0] is the subcommand's name. They return an exit code, write data to stdout
 * and everything else to stderr. */
int command_run(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_rules(int argc, char **argv);
int command_catalog(int argc, char **argv);
int command_doctor(int argc, char **argv);
