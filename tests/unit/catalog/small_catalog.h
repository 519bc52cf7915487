/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdio.h>

#include "catalog/catalog.h"
#include "util/diag.h"

/* What the tests of the catalogue share: a small one, and what it says of a host. */

static inline void add(struct catalog *catalog, const char *name, const char *text)
{
	struct diag diag = {0};

	if (catalog_add(catalog, name, span_str(text), &diag) < 0)
		fail_msg("%s", diag.messages[0]);
	assert_int_equal(diag.count, 0);
}

/* The service of that host, "" for none. */
static inline const char *found(const struct catalog *catalog, const char *host)
{
	struct catalog_match match;

	return catalog_lookup(catalog, span_str(host), (struct span){0}, &match) ? match.service->id
										 : "";
}

/* "id" of what a URL is found to be, with "?" when shared and "|id" for each other service. */
static inline const char *found_url(const struct catalog *catalog, const char *url)
{
	static char text[256];
	const char *slash = strchr(url, '/');
	size_t len = slash ? (size_t)(slash - url) : strlen(url);
	struct catalog_match match;
	int n;

	if (!catalog_lookup(catalog, span_of(url, len), span_str(slash), &match))
		return "";
	n = snprintf(text, sizeof(text), "%s%s", match.service->id, match.shared ? "?" : "");
	for (size_t i = 0; i < match.other_count; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "|%s", match.others[i]->id);
	assert_int_equal(catalog_match_open(&match), match.shared || match.other_count > 0);
	return text;
}

#define SERVICE(id, hosts) "  - {id: " id ", vendor: V, kind: gateway, api_hosts: [" hosts "]}\n"
