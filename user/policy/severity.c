/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/policy.h"

#include <assert.h>
#include <errno.h>

static const struct {
	const char *name;
	int number;
} severities[] = {
	[SEVERITY_LOW] = {"low", 21},
	[SEVERITY_MEDIUM] = {"medium", 47},
	[SEVERITY_HIGH] = {"high", 73},
	[SEVERITY_CRITICAL] = {"critical", 99},
};

static_assert(sizeof(severities) / sizeof(severities[0]) == SEVERITY_COUNT, "a row per severity");

int severity_number(enum severity severity)
{
	return severities[severity].number;
}

const char *severity_name(enum severity severity)
{
	return severities[severity].name;
}

int severity_parse(struct span name)
{
	for (int i = 0; i < SEVERITY_COUNT; i++)
		if (span_eq(name, span_str(severities[i].name)))
			return i;
	return -EINVAL;
}
