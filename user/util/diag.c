/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/diag.h"

#include <stdarg.h>
#include <stdlib.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"

void diag_add(struct diag *diag, const char *file, unsigned int line, unsigned int column,
	      const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	char *message = NULL;
	va_list args;
	int r;

	if (diag->count == DIAG_MESSAGES_MAX) {
		diag->dropped++;
		return;
	}
	if (!diag->messages) {
		diag->messages = calloc(DIAG_MESSAGES_MAX, sizeof(*diag->messages));
		if (!diag->messages) {
			diag->dropped++;
			return;
		}
	}

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	if (r < 0) {
		text = NULL;
		diag->dropped++;
		return;
	}

	if (file && line)
		r = asprintf(&message, "%s:%u:%u: %s", file, line, column, text);
	else if (file)
		r = asprintf(&message, "%s: %s", file, text);
	else
		r = asprintf(&message, "%s", text);
	if (r < 0) {
		diag->dropped++;
		return;
	}
	diag->messages[diag->count++] = message;
}

void diag_print(const struct diag *diag, FILE *to)
{
	for (size_t i = 0; i < diag->count; i++)
		fprintf(to, "gnomon: %s\n", diag->messages[i]);
	if (diag->dropped)
		fprintf(to, "gnomon: %zu more messages\n", diag->dropped);
}

void diag_done(struct diag *diag)
{
	for (size_t i = 0; i < diag->count; i++)
		free(diag->messages[i]);
	free(diag->messages);
	*diag = (struct diag){0};
}
