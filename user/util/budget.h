/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Memory that several users share: each takes before it allocates and gives back what it took. */
struct budget {
	size_t used, max; /* bytes */
};

/* NULL is a budget without an end. */
static inline bool budget_take(struct budget *budget, size_t bytes)
{
	if (!budget)
		return true;
	if (bytes > budget->max - budget->used)
		return false;
	budget->used += bytes;
	return true;
}

static inline void budget_give(struct budget *budget, size_t bytes)
{
	if (budget)
		budget->used -= bytes;
}
