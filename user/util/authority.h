/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/span.h"

/* The host of an authority (RFC 3986 section 3.2), without user, port and the brackets of an IPv6
 * address: "api.example.com:8443" and "[::1]:8443". An address without brackets is taken whole. */
struct span authority_host(struct span authority);
/* The authority of a URL or of one without its scheme ("example.com/path"), and in *path what follows
 * it, with its first slash; empty: nothing does. */
struct span url_authority(struct span url, struct span *path);
