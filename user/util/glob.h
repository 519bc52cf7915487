/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "gnomon/span.h"

/* Does the whole text match? `*` stands for any bytes or none, `?` for one byte; case counts. Takes
 * at most pattern x text steps and does not recurse. */
bool glob_matches(struct span pattern, struct span text);
