/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "sink/table.h"

const struct sink_ops *const sink_table[] = {
	&stdout_sink,
	&file_sink,
	NULL,
};

const struct sink_ops *sink_find(struct span scheme)
{
	for (size_t i = 0; sink_table[i]; i++)
		if (span_eq(span_str(sink_table[i]->scheme), scheme))
			return sink_table[i];
	return NULL;
}
