/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>

#include "catalog/prices.h"
#include "pipeline/internal.h"
#include "util/cleanup.h"

/* Logins of people are paid by the month: their tokens have no price of their own, wherever they are spent. */
static bool is_subscription(const struct service *service, const struct key_facts *key)
{
	static const char *const kinds[] = {"chat-web", "coding-agent"};
	static const char *const keys[] = {"anthropic-oauth", "anthropic-session", "chatgpt-login",
					   "web-session", "github-copilot"};

	for (size_t i = 0; service && i < ARRAY_SIZE(kinds); i++)
		if (strcmp(service->kind, kinds[i]) == 0)
			return true;
	for (size_t i = 0; key->kind && i < ARRAY_SIZE(keys); i++)
		if (strcmp(key->kind, keys[i]) == 0)
			return true;
	return false;
}

/* To the nano-dollar, which no price is finer than: sums of doubles end in noise. */
static double rounded(double usd)
{
	return usd < 1e9 ? (double)(int64_t)(usd * 1e9 + 0.5) / 1e9 : usd;
}

static const char *const gap_reasons[] = {
	[PRICE_NO_COUNTS] = "usage",
	[PRICE_NO_PRICE] = "price",
	[PRICE_NO_TIER] = "tier",
};

void cost_set(struct event *event, const struct prices *prices, const struct service *service,
	      const struct key_facts *key, const struct llm_facts *facts)
{
	/* A request may ask for a deployment or an alias; the response says what answered. */
	struct span model = span_str(facts->response_model[0] ? facts->response_model
							      : facts->request_model);
	bool subscription = is_subscription(service, key);
	const struct price_row *row;
	enum price_gap gap = PRICE_NO_PRICE;
	double usd;

	/* What failed before a model ran costs nothing, as far as can be seen; tools are no models. */
	if (!prices || facts->mcp_method[0] ||
	    (facts->usage.source == USAGE_NONE && facts->error_type[0]))
		return;
	row = prices_find(prices, service ? span_str(service->id) : SPAN_LITERAL("unknown"), model);
	if (!row && subscription)
		row = prices_find_anywhere(prices, model);
	if (row)
		gap = price_cost(row, &facts->usage, span_str(facts->service_tier), &usd);
	event_set_text(event, F_COST_SOURCE, gap || subscription ? "unpriced" : "list_price");
	event_set_text(event, F_COST_REASON,
		       subscription ? "subscription"
		       : !row       ? "model"
		       : gap        ? gap_reasons[gap]
				    : NULL);
	if (gap)
		return;
	event_set_double(event, subscription ? F_COST_EQUIVALENT_USD : F_COST_USD, rounded(usd));
	event_set_text(event, F_COST_AS_OF, row->as_of);
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
