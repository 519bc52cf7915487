/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "catalog/prices.h"
#include "pipeline/internal.h"
#include "util/cleanup.h"

/* Logins of people are paid by the month: their tokens have no price of their own. */
static bool is_subscription(const struct service *service)
{
	static const char *const kinds[] = {"chat-web", "coding-agent"};

	for (size_t i = 0; service && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(service->kind, kinds[i]) == 0)
			return true;
	return false;
}

/* To the nano-dollar, which no price is finer than: sums of doubles end in noise. */
static double rounded(double usd)
{
	return usd < 1e9 ? (double)(int64_t)(usd * 1e9 + 0.5) / 1e9 : usd;
}

void cost_set(struct event *event, const struct prices *prices, const struct service *service,
	      const struct llm_facts *facts)
{
	/* A request may ask for a deployment or an alias; the response says what answered. */
	const char *model = facts->response_model[0] ? facts->response_model : facts->request_model;
	const struct price_row *row = NULL;
	double usd;

	/* What failed before a model ran costs nothing, as far as can be seen. */
	if (!prices || (facts->usage.source == USAGE_NONE && facts->error_type[0]))
		return;
	if (!is_subscription(service))
		row = prices_find(prices, service ? span_str(service->id) : SPAN_LITERAL("unknown"),
				  span_str(model));
	if (!row || !price_cost(row, &facts->usage, &usd)) {
		event_set_text(event, F_COST_SOURCE, "unpriced");
		return;
	}
	event_set_double(event, F_COST_USD, rounded(usd));
	event_set_text(event, F_COST_AS_OF, row->as_of);
	event_set_text(event, F_COST_SOURCE, "list_price");
}

void cost_text(const struct event *event, char to[static COST_TEXT_MAX])
{
	double usd;

	to[0] = '\0';
	if (!event_has(event, F_COST_USD))
		return;
	usd = event->value[F_COST_USD].real;
	if (usd > 0 && usd < 0.0001)
		snprintf(to, COST_TEXT_MAX, ", under $0.0001");
	else
		snprintf(to, COST_TEXT_MAX, usd < 1 ? ", $%.4f" : ", $%.2f", usd);
}
