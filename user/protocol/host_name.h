/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/limits.h"
#include "gnomon/span.h"

/* Copies a host name in lower case, without a trailing dot. Labels of 1 to 63 letters, digits, hyphens and
 * underscores, 253 bytes in all (RFC 1035 section 2.3.4): `to` is left empty when it is anything else. */
void host_name_copy(char to[static HOST_NAME_MAX_BYTES], struct span name);
