/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

/* A file of rules/ inside the binary; the table is generated at build time. */
struct embedded_file {
	const char *name; /* "providers/openai.yaml"; NULL ends the table */
	const char *begin, *end;
};

extern const struct embedded_file embedded_files[];
