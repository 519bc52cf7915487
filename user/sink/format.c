/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/format.h"

#include "sink/format/ecs.h"

const struct format_ops *const format_table[] = {
	&ecs_format,
	NULL,
};

const struct format_ops *format_find(struct span name)
{
	for (size_t i = 0; format_table[i]; i++)
		if (span_eq(span_str(format_table[i]->name), name))
			return format_table[i];
	return NULL;
}
