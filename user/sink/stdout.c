/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/table.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sink/line.h"
#include "util/diag.h"

/*
 * Standard output: waits for a slow reader as every filter does (`| less` must not lose events). The
 * kernel side drops and counts meanwhile, the host never waits. A reader that has gone is -EPIPE, if
 * the process ignores SIGPIPE, which the command sees to.
 */

static int stdout_open(void **state, const char *argument, struct diag *diag)
{
	struct line_writer *writer;

	if (argument) {
		diag_add(diag, NULL, 0, 0, "output \"stdout\" takes no argument");
		return -EINVAL;
	}
	writer = malloc(sizeof(*writer));
	if (!writer)
		return -ENOMEM;
	line_writer_init(writer, STDOUT_FILENO);
	*state = writer;
	return 0;
}

static int stdout_write(void *state, const char *line, size_t len)
{
	return line_write(state, line, len);
}

static int stdout_reopen(void *state, struct diag *diag)
{
	(void)state;
	(void)diag;
	return 0;
}

static void stdout_close(void *state)
{
	line_writer_flush(state);
	free(state);
}

const struct sink_ops stdout_sink = {
	.scheme = "stdout",
	.open = stdout_open,
	.write = stdout_write,
	.reopen = stdout_reopen,
	.close = stdout_close,
};
