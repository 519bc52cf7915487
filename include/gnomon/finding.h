/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/event.h"
#include "gnomon/span.h"

/* The order is that of severity; the numbers of event.severity are in finding_severity_number(). */
enum severity { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL, SEVERITY_COUNT };

/* How a rule counts. */
enum finding_window { WINDOW_NONE, WINDOW_COUNT, WINDOW_SUM, WINDOW_DISTINCT, WINDOW_NEW };

/* What policy concludes from one event. The strings belong to the policy and live as long as it. */
struct finding {
	enum severity severity;
	bool observe; /* to be told, but not as an alert: the rule's mode */
	const char *rule_id, *rule_name, *rule_version, *ruleset, *category, *reference;
	const struct span *tags;
	size_t tag_count;
	const struct span *techniques; /* ATT&CK ids, "T1567" */
	size_t technique_count;
	/* What the rule's condition looks at, macros written out, each field once; at most FACTS_MAX. */
	const enum field *facts;
	size_t fact_count;
	/* Of a rule with a window: what it counts ("events", or a field), and over which time as written
	 * ("10m"). NULL: no window. */
	const char *window_what, *window_over;
	enum finding_window window;
	/* Of this finding. */
	uint64_t suppressed; /* the same that were held back since the last one was told */
	bool has_window;
	double window_value, window_threshold;
};
