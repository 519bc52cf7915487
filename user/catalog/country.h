/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "gnomon/span.h"

/* Is it a code that ISO 3166-1 alpha-2 has assigned, in capitals? */
bool country_valid(struct span code);
