/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/sink.h"
#include "gnomon/span.h"

extern const struct sink_ops stdout_sink;
extern const struct sink_ops file_sink;

extern const struct sink_ops *const sink_table[]; /* ends with NULL */

/* NULL: there is no such scheme. */
const struct sink_ops *sink_find(struct span scheme);
