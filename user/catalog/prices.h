/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/span.h"

struct diag;
struct prices;
struct token_usage;

/* USD per million tokens. PRICE_UNKNOWN where the list says nothing. */
struct price {
	double input, cache_read, cache_write, output;
	double cache_write_1h; /* for what is to be kept for an hour */
};
#define PRICE_UNKNOWN (-1.0)

/* What a tier of service costs, as a multiple of the prices listed. */
struct price_tier {
	const char *name; /* as the service calls it, in lower case */
	double factor;
};

/* What a vendor lists for one model. The strings live as long as the prices. */
struct price_row {
	const char *vendor; /* the price file's, not the catalogue's */
	const char *model;  /* as listed */
	const char *as_of;  /* when the list said so: YYYY-MM-DD */
	struct price price;
	int64_t up_to;      /* `price` holds up to so many input tokens; 0: always */
	struct price above; /* beyond them, for the whole call */
	/* The model's own, then the vendor's; the first of a name counts. */
	const struct price_tier *tiers[2];
	size_t tier_count[2];
};

/* An empty table. NULL when out of memory. */
struct prices *prices_new(void);
void prices_free(struct prices *prices);
/* Adds one JSON text (rules/README.md tells the format); `name` is for messages. Rows of later files
 * replace earlier ones of the same vendor and model. -EINVAL with every error in `diag`, or -ENOMEM: the
 * table is then as before. */
int prices_add(struct prices *prices, const char *name, struct span text, struct diag *diag);
/* Adds everything under prices/ that is embedded in the binary. */
int prices_add_builtin(struct prices *prices, struct diag *diag);
/* Prepares for look-ups; call once after the last add. -ENOMEM. */
int prices_seal(struct prices *prices);
/* Rows that count: not those that later ones replaced. */
size_t prices_count(const struct prices *prices);

/*
 * The row for a model as a request or a response names it ("gpt-4o-2024-08-06", "models/gemini-2.5-flash",
 * "us.anthropic.claude-sonnet-4-5-20250929-v1:0", through a gateway "anthropic/claude-sonnet-4.5"), at the
 * catalogue's service of that id. The longest listed name wins: the id itself, then without its version
 * (a date, ":0", "-v1:0", "-latest" ...) and what stands before a "/". Nothing else is cut, since
 * "-mini" or "-fast" are other models. NULL: not listed. Allocates nothing.
 */
const struct price_row *prices_find(const struct prices *prices, struct span service,
				    struct span model);

/*
 * The row for a model wherever it was asked for: by the vendor that gateways name before it, or the only one
 * that has such a model. NULL: none, or several.
 */
const struct price_row *prices_find_anywhere(const struct prices *prices, struct span model);

/* Why a call has no price. */
enum price_gap {
	PRICE_FOUND,
	PRICE_NO_COUNTS, /* a count that it needs is not known, or they contradict each other */
	PRICE_NO_PRICE,  /* the list has no price for a part of it */
	PRICE_NO_TIER,   /* nor for its tier of service */
};

/* The list price of a call in USD, at a tier of service as the service names it (empty: the usual one).
 * *usd is set with PRICE_FOUND alone. */
enum price_gap price_cost(const struct price_row *row, const struct token_usage *usage,
			  struct span tier, double *usd);
