/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "catalog/prices.h"
#include "util/arena.h"

/* A row and its model's name as look-ups write it. */
struct price_listed {
	struct price_row row;
	struct span key;
};

enum price_name_kind {
	PRICE_SERVICE,      /* this service of the catalogue charges that vendor's prices */
	PRICE_GATEWAY_NAME, /* what gateways call the vendor, before the "/" */
	PRICE_GATEWAY,      /* this service charges what the vendor behind it does */
};

struct price_name {
	enum price_name_kind kind;
	const char *text;
	const char *vendor; /* NULL for a gateway */
};

/* What one price file holds, checked, in the order of the file. */
struct price_list {
	struct price_listed *rows;
	size_t row_count, row_cap;
	struct price_name *names;
	size_t name_count, name_cap;
};

/* Reads a file into *list, its strings into `arena`. -EINVAL with every error in `diag`, -ENOMEM; the
 * list is then to be released all the same. */
int price_list_load(struct price_list *list, struct arena *arena, const char *name,
		    struct span text, struct diag *diag);
void price_list_done(struct price_list *list);

/* Writes a model's name as vendors' spellings agree on it: lower case, and '-' for '.', '_' and '@'. Ends
 * with NUL. False: does not fit. */
bool price_key(struct span model, char *to, size_t cap);
