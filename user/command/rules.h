/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/finding.h"

struct rule_set;

/* Replays recorded events (JSON lines, "-": standard input) through the rules, printing what would have
 * alerted. An exit code: findings at or above `fail_on`, an error for lines that are no events. */
int rules_replay(const struct rule_set *rules, const char *path, enum severity fail_on);
/* Prints what each rule makes of the event in a file ("-": standard input). An exit code. */
int rules_explain(const struct rule_set *rules, const char *path);
