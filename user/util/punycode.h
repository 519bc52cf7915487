/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "gnomon/span.h"

/* An international host name as it is on the wire: each label that is not ASCII as "xn--" and its
 * Punycode (RFC 3492, RFC 5890 section 2.3.2.1), the others as they are. Letters are taken as given: the
 * mappings of IDNA, such as of capitals beyond ASCII, are the caller's. The result's length, which is
 * less than `cap`, without a NUL; -EINVAL: not UTF-8; -ERANGE: a label or the name is too long. */
int punycode_host(struct span host, char *to, size_t cap);
