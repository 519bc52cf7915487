/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/prices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/load.h"
#include "catalog/price_file.h"
#include "gnomon/facts.h"
#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/embedded.h"
#include "util/hash.h"

struct prices {
	struct arena arena;
	struct price_list list; /* of all files, in their order */
	uint32_t *slots;        /* open addressing; row number + 1, 0: empty */
	size_t mask, count;
};

struct prices *prices_new(void)
{
	return calloc(1, sizeof(struct prices));
}

void prices_free(struct prices *prices)
{
	if (!prices)
		return;
	price_list_done(&prices->list);
	free(prices->slots);
	arena_done(&prices->arena);
	free(prices);
}

static int append(void **items, size_t *count, size_t *cap, size_t size, const void *more, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = array_reserve(items, cap, *count, size);

		if (r < 0)
			return r;
		memcpy((char *)*items + *count * size, (const char *)more + i * size, size);
		++*count;
	}
	return 0;
}

/* On failure the counts are put back, so that nothing of the file remains. */
static int join(struct price_list *to, const struct price_list *from)
{
	size_t rows = to->row_count, names = to->name_count;
	int r = append((void **)&to->rows, &to->row_count, &to->row_cap, sizeof(*to->rows),
		       from->rows, from->row_count);

	if (r == 0)
		r = append((void **)&to->names, &to->name_count, &to->name_cap, sizeof(*to->names),
			   from->names, from->name_count);
	if (r < 0) {
		to->row_count = rows;
		to->name_count = names;
	}
	return r;
}

int prices_add(struct prices *prices, const char *name, struct span text, struct diag *diag)
{
	struct price_list list = {0};
	struct arena arena = {0};
	int r = price_list_load(&list, &arena, name, text, diag);

	if (r == 0)
		r = join(&prices->list, &list);
	if (r == 0)
		arena_join(&prices->arena, &arena);
	price_list_done(&list);
	arena_done(&arena);
	return r;
}

int prices_add_builtin(struct prices *prices, struct diag *diag)
{
	static const struct span folder = SPAN_LITERAL("prices/");

	for (const struct embedded_file *file = embedded_files; file->name; file++) {
		_cleanup_free_ char *name = NULL;
		int r;

		if (!span_starts(span_str(file->name), folder))
			continue;
		if (asprintf(&name, "built-in %s", file->name) < 0)
			return -ENOMEM;
		r = prices_add(prices, name,
			       span_of(file->begin, (size_t)(file->end - file->begin)), diag);
		if (r < 0)
			return r;
	}
	return 0;
}

static uint64_t hash_of(struct span vendor, struct span key)
{
	return hash_fnv1a(hash_fnv1a(hash_fnv1a(HASH_START, vendor), SPAN_LITERAL("/")), key);
}

/* The slot of that vendor's model, or the empty one where it belongs. */
static uint32_t *slot_of(const struct prices *p, struct span vendor, struct span key)
{
	size_t i = (size_t)hash_of(vendor, key) & p->mask;

	for (; p->slots[i]; i = (i + 1) & p->mask) {
		const struct price_listed *row = &p->list.rows[p->slots[i] - 1];

		if (span_eq(row->key, key) && span_eq(span_str(row->row.vendor), vendor))
			break;
	}
	return &p->slots[i];
}

int prices_seal(struct prices *p)
{
	size_t size = 16;

	while (size < p->list.row_count * 2)
		size *= 2;
	p->slots = calloc(size, sizeof(*p->slots));
	if (!p->slots)
		return -ENOMEM;
	p->mask = size - 1;
	for (size_t i = 0; i < p->list.row_count; i++) {
		const struct price_listed *row = &p->list.rows[i];
		uint32_t *slot = slot_of(p, span_str(row->row.vendor), row->key);

		if (!*slot)
			p->count++;
		*slot = (uint32_t)i + 1;
	}
	return 0;
}

size_t prices_count(const struct prices *prices)
{
	return prices->count;
}

/* ---- names ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Does the name end so? '0' in the pattern stands for any digit. */
static bool ends_like(struct span name, struct span pattern)
{
	const char *at = name.at + name.len - pattern.len;

	if (name.len <= pattern.len)
		return false;
	for (size_t i = 0; i < pattern.len; i++)
		if (pattern.at[i] == '0' ? !is_digit(at[i]) : at[i] != pattern.at[i])
			return false;
	return true;
}

/*
 * Cuts one version suffix off a normalised name. Four digits alone are none: at Mistral and Groq they tell
 * generations with prices of their own. "-v3" is part of a name (deepseek-v3) unless Bedrock's ":0" stood
 * behind it; the rows of models whose names end with "-v1" list it.
 */
static bool cut_version(struct span *name, bool *after_colon)
{
	static const struct span suffixes[] = {
		SPAN_LITERAL("-latest"),   SPAN_LITERAL("-default"),    SPAN_LITERAL(":beta"),
		SPAN_LITERAL(":latest"),   SPAN_LITERAL(":thinking"),   SPAN_LITERAL("-v1"),
		SPAN_LITERAL("-20000000"), SPAN_LITERAL("-2000-00-00"), SPAN_LITERAL("-00-2000"),
		SPAN_LITERAL("-000"),
	};
	bool colon = *after_colon;

	*after_colon = false;
	if (ends_like(*name, SPAN_LITERAL(":0"))) {
		name->len -= 2;
		*after_colon = true;
		return true;
	}
	if (colon && ends_like(*name, SPAN_LITERAL("-v0"))) {
		name->len -= 3;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		if (!ends_like(*name, suffixes[i]))
			continue;
		name->len -= suffixes[i].len;
		return true;
	}
	return false;
}

static const struct price_row *find_folded(const struct prices *p, struct span vendor,
					   struct span name)
{
	bool after_colon = false;

	do {
		uint32_t slot = *slot_of(p, vendor, name);

		if (slot)
			return &p->list.rows[slot - 1].row;
	} while (cut_version(&name, &after_colon));
	return NULL;
}

/* Bedrock's inference profiles are named by geography, and cost what the region costs. "global" ones
 * have prices of their own. */
static struct span without_geography(struct span name)
{
	static const struct span places[] = {
		SPAN_LITERAL("us-gov-"), SPAN_LITERAL("us-"), SPAN_LITERAL("eu-"),
		SPAN_LITERAL("apac-"),   SPAN_LITERAL("au-"), SPAN_LITERAL("jp-"),
		SPAN_LITERAL("ca-"),     SPAN_LITERAL("sa-"), SPAN_LITERAL("in-"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (span_starts(name, places[i]))
			return span_skip(name, places[i].len);
	return name;
}

static struct span after_slash(struct span name)
{
	const char *slash = name.len ? memchr(name.at, '/', name.len) : NULL;

	return slash ? span_skip(name, (size_t)(slash - name.at) + 1) : (struct span){0};
}

/* "ft:MODEL:ORGANISATION::ID" is listed as "ft:MODEL". */
static struct span fine_tuned(struct span name)
{
	const char *colon;

	if (!span_starts(name, SPAN_LITERAL("ft:")))
		return name;
	colon = memchr(name.at + 3, ':', name.len - 3);
	return colon ? span_of(name.at, (size_t)(colon - name.at)) : name;
}

static const struct price_row *find_model(const struct prices *p, struct span vendor,
					  struct span name)
{
	for (; name.len; name = after_slash(name)) {
		struct span model = fine_tuned(name);
		const struct price_row *row = find_folded(p, vendor, model);

		if (!row)
			row = find_folded(p, vendor, without_geography(model));
		if (row)
			return row;
	}
	return NULL;
}

/* What later files say counts. NULL: no such name. */
static const struct price_name *find_name(const struct prices *p, enum price_name_kind kind,
					  struct span text)
{
	for (size_t i = p->list.name_count; i > 0; i--)
		if (p->list.names[i - 1].kind == kind &&
		    span_eq(span_str(p->list.names[i - 1].text), text))
			return &p->list.names[i - 1];
	return NULL;
}

/* A gateway names the vendor before the model, or leaves it out: then only one vendor may have it. */
static const struct price_row *find_at_gateway(const struct prices *p, struct span name)
{
	struct span rest = after_slash(name);
	const struct price_row *found = NULL;
	const struct price_name *vendor;

	if (rest.len) {
		vendor = find_name(p, PRICE_GATEWAY_NAME,
				   span_of(name.at, name.len - rest.len - 1));
		return vendor ? find_model(p, span_str(vendor->vendor), rest) : NULL;
	}
	for (size_t i = 0; i < p->list.name_count; i++) {
		const struct price_row *row;

		if (p->list.names[i].kind != PRICE_GATEWAY_NAME)
			continue;
		row = find_model(p, span_str(p->list.names[i].vendor), name);
		if (row && found && strcmp(row->vendor, found->vendor) != 0)
			return NULL;
		if (row)
			found = row;
	}
	return found;
}

const struct price_row *prices_find(const struct prices *p, struct span service, struct span model)
{
	char text[MODEL_NAME_MAX];
	const struct price_name *vendor;
	struct span name;

	if (!model.len || !price_key(model, text, sizeof(text)))
		return NULL;
	name = span_of(text, model.len);
	vendor = find_name(p, PRICE_SERVICE, service);
	if (vendor)
		return find_model(p, span_str(vendor->vendor), name);
	return find_name(p, PRICE_GATEWAY, service) ? find_at_gateway(p, name) : NULL;
}

const struct price_row *prices_find_anywhere(const struct prices *p, struct span model)
{
	char text[MODEL_NAME_MAX];

	if (!model.len || !price_key(model, text, sizeof(text)))
		return NULL;
	return find_at_gateway(p, span_of(text, model.len));
}

/* ---- cost ---- */

/* Adds what `count` tokens cost. False: they have no price. */
static bool add_part(double *sum, token_count count, double price)
{
	if (count > 0 && price < 0)
		return false;
	if (count > 0)
		*sum += (double)count * price / 1e6;
	return true;
}

/* Names of what everybody gets. "auto" is what was asked for where the answer does not tell what came. */
static bool is_usual(struct span tier)
{
	static const struct span names[] = {
		SPAN_LITERAL("default"),   SPAN_LITERAL("standard"),  SPAN_LITERAL("auto"),
		SPAN_LITERAL("on_demand"), SPAN_LITERAL("on-demand"), SPAN_LITERAL("standard_only"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_eq_nocase(tier, names[i]))
			return true;
	return !tier.len;
}

/* -1: the list does not know the tier. */
static double tier_factor(const struct price_row *row, struct span tier)
{
	for (size_t list = 0; list < ARRAY_SIZE(row->tiers); list++)
		for (size_t i = 0; i < row->tier_count[list]; i++)
			if (span_eq_nocase(tier, span_str(row->tiers[list][i].name)))
				return row->tiers[list][i].factor;
	return is_usual(tier) ? 1 : -1;
}

enum price_gap price_cost(const struct price_row *row, const struct token_usage *usage,
			  struct span tier, double *usd)
{
	const struct price *price = &row->price;
	token_count read = usage->cache_read > 0 ? usage->cache_read : 0;
	token_count written = usage->cache_creation > 0 ? usage->cache_creation : 0;
	token_count hour = usage->cache_creation_1h > 0 ? usage->cache_creation_1h : 0;
	double sum = 0, factor = tier_factor(row, tier);

	/* Embeddings have no output, which their rows show. */
	if (usage->input == TOKENS_UNKNOWN ||
	    (usage->output == TOKENS_UNKNOWN && price->output >= 0))
		return PRICE_NO_COUNTS;
	if (read > usage->input || written > usage->input - read || hour > written)
		return PRICE_NO_COUNTS;
	if (row->up_to && usage->input > row->up_to)
		price = &row->above;
	if (factor < 0)
		return PRICE_NO_TIER;
	if (!add_part(&sum, usage->input - read - written, price->input) ||
	    !add_part(&sum, read, price->cache_read) ||
	    !add_part(&sum, written - hour, price->cache_write) ||
	    !add_part(&sum, hour, price->cache_write_1h) ||
	    !add_part(&sum, usage->output, price->output))
		return PRICE_NO_PRICE;
	*usd = sum * factor;
	return PRICE_FOUND;
}
