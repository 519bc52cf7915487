/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <assert.h>
#include <stdint.h>

#include "util/diag.h"
#include "util/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Visits every node: what the tree promises holds, and every byte of a scalar has a place. */
static void visit(const struct yaml_document *document, const struct yaml_node *node)
{
	unsigned int line, column;
	uint32_t count = 0;
	int64_t number;
	bool truth;

	assert(node->line > 0 && node->column > 0);
	yaml_int(node, &number);
	yaml_bool(node, &truth);
	if (node->kind == YAML_SCALAR) {
		assert(node->text.at[node->text.len] == '\0');
		for (size_t i = 0; i <= node->text.len; i += 1 + node->text.len / 8) {
			yaml_position(document, node, i, &line, &column);
			assert(line >= node->line);
		}
		return;
	}
	for (const struct yaml_node *item = node->first; item; item = item->next, count++) {
		assert((item->value != NULL) == (node->kind == YAML_MAPPING));
		visit(document, item);
		if (item->value)
			visit(document, item->value);
	}
	assert(count == node->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = {0};
	struct yaml_document *document = yaml_load("fuzz", span_of((const char *)data, size),
						   &diag);

	assert((document == NULL) == (diag.count + diag.dropped > 0));
	if (document && yaml_root(document))
		visit(document, yaml_root(document));
	yaml_unload(document);
	diag_done(&diag);
	return 0;
}
