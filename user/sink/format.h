/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/sink.h"
#include "gnomon/span.h"

extern const struct format_ops *const format_table[]; /* ends with NULL */

/* NULL: there is no such format. */
const struct format_ops *format_find(struct span name);
