/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/sink.h"

/* Elastic Common Schema as nested JSON, one object a line, fields in the order of event_fields.h. The
 * schema is rules/schema/event.schema.json. */
extern const struct format_ops ecs_format;
