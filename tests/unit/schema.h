/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gnomon/limits.h"
#include "util/diag.h"
#include "util/files.h"
#include "util/yaml.h"

/* YAML files against a schema under rules/schema/: read by gnomon's own YAML reader, written as JSON
 * with all scalars as strings, and given to the checker of schemas. Include cmocka first. */

static inline void write_string(FILE *out, struct span text)
{
	fputc('"', out);
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '"' || c == '\\' || c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static inline void write_node(FILE *out, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR) {
		write_string(out, node->text);
		return;
	}
	fputc(node->kind == YAML_MAPPING ? '{' : '[', out);
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		if (node->kind == YAML_MAPPING) {
			write_string(out, item->text);
			fputc(':', out);
			write_node(out, item->value);
		} else {
			write_node(out, item);
		}
		if (item->next)
			fputc(',', out);
	}
	fputc(node->kind == YAML_MAPPING ? '}' : ']', out);
}

/* Does the text follow the schema? */
static inline bool follows(const char *schema, const char *name, struct span text)
{
	char path[] = "/tmp/gnomon-schema-XXXXXX", command[256];
	struct diag diag = {0};
	struct yaml_document *document = yaml_load(name, text, &diag);
	int fd = mkstemp(path), status;
	FILE *out;

	assert_non_null(document);
	assert_true(fd >= 0);
	out = fdopen(fd, "w");
	write_node(out, yaml_root(document));
	fclose(out);
	yaml_unload(document);
	snprintf(command, sizeof(command), "tests/check/file_schemas --documents %s %s >&2", schema,
		 path);
	status = system(command);
	unlink(path);
	return status == 0;
}

static inline void check_folder(const char *schema, const char *folder, size_t least)
{
	struct file_list list = {0};
	struct diag diag = {0};

	assert_int_equal(file_list_directory(folder, ".yaml", &list, &diag), 0);
	assert_true(list.count >= least);
	for (size_t i = 0; i < list.count; i++) {
		struct file_text text;

		assert_int_equal(file_read(list.paths[i], YAML_BYTES_MAX, &text, &diag), 0);
		if (!follows(schema, list.paths[i], span_of(text.at, text.len)))
			fail_msg("%s does not follow the schema", list.paths[i]);
		free(text.at);
	}
	file_list_done(&list);
}
