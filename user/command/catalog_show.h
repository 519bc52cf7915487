/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "gnomon/span.h"

struct catalog;
struct service;

/* What `gnomon catalog` prints. */

/* Which services to list; NULL: any. Case does not count, and a vendor's name may be in part. */
struct catalog_filter {
	const char *kind, *vendor, *country;
};

bool catalog_filter_takes(const struct catalog_filter *filter, const struct service *service);
/* One line: tab-separated, or a JSON object. */
void catalog_show_service(const struct catalog *catalog, const struct service *service, bool json);
/* What the host, or with `path` the URL, is found to be, and which patterns lost and why. -ENOENT: nothing,
 * of which JSON tells all the same; -ENOMEM. */
int catalog_show_lookup(const struct catalog *catalog, struct span host, struct span path,
			bool json);
