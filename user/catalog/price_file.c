/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/price_file.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/load.h"
#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/suggest.h"

/* The format is told in rules/README.md. */

struct file {
	struct price_list *list;
	struct arena *arena;
	const char *name;
	struct diag *diag;
	const char *vendor; /* NULL while none is known */
	const struct price_tier *tiers;
	size_t tier_count;
	int result;
};

struct key {
	const char *name;
	json_type type;
	bool required;
};

static const char unit[] = "USD per million tokens";

static const struct key vendor_keys[] = {
	{"vendor", json_type_string, true},  {"unit", json_type_string, true},
	{"services", json_type_array, true}, {"gateway_names", json_type_array},
	{"tiers", json_type_object},         {"sources", json_type_array},
	{"models", json_type_array, true},   {0},
};
static const struct key gateway_keys[] = {{"gateways", json_type_array, true}, {0}};
static const struct key price_keys[] = {
	{"input", json_type_double, true}, {"cache_read", json_type_double},
	{"cache_write", json_type_double}, {"cache_write_1h", json_type_double},
	{"output", json_type_double},      {0},
};
static const struct key row_keys[] = {
	{"model", json_type_string, true},
	{"as_of", json_type_string, true},
	{"input", json_type_double, true},
	{"cache_read", json_type_double},
	{"cache_write", json_type_double},
	{"cache_write_1h", json_type_double},
	{"output", json_type_double},
	{"tiers", json_type_object},
	{"up_to", json_type_int},
	{"above", json_type_object},
	{0},
};

__attribute__((format(printf, 3, 4))) static void error(struct file *file, const char *place,
							const char *format, ...)
{
	char text[MESSAGE_TEXT_MAX * 3];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	diag_add(file->diag, file->name, 0, 0, "%s%s%s", place, *place ? ": " : "", text);
	file->result = -EINVAL;
}

static bool type_is(json_object *value, json_type type)
{
	/* a price may be written without a point */
	return json_object_is_type(value, type) ||
	       (type == json_type_double && json_object_is_type(value, json_type_int));
}

static void check_key(struct file *file, const char *place, const struct key *keys,
		      const char *name, json_object *value)
{
	struct suggestion near = {0};

	for (; keys->name; keys++) {
		if (strcmp(keys->name, name) == 0) {
			if (!type_is(value, keys->type))
				error(file, place, "\"%s\" must be %s", name,
				      keys->type == json_type_double   ? "a number"
				      : keys->type == json_type_int    ? "a whole number"
				      : keys->type == json_type_string ? "a string"
				      : keys->type == json_type_array  ? "a list"
								       : "an object");
			return;
		}
		suggest_offer(&near, span_str(name), span_str(keys->name));
	}
	error(file, place, "unknown key \"%.*s\"" SUGGEST_FORMAT, MESSAGE_TEXT_MAX, name,
	      SUGGEST_ARGS(near));
}

/* Is it an object of these keys? Says all that is wrong. */
static bool check_keys(struct file *file, const char *place, json_object *object,
		       const struct key *keys)
{
	size_t before = file->diag->count + file->diag->dropped;

	if (!json_object_is_type(object, json_type_object)) {
		error(file, place, "must be an object");
		return false;
	}
	json_object_object_foreach(object, name, value) check_key(file, place, keys, name, value);
	for (; keys->name; keys++)
		if (keys->required && !json_object_object_get_ex(object, keys->name, NULL))
			error(file, place, "\"%s\" is missing", keys->name);
	return file->diag->count + file->diag->dropped == before;
}

static struct span text_of(json_object *string)
{
	return span_of(json_object_get_string(string), (size_t)json_object_get_string_len(string));
}

static json_object *get(json_object *object, const char *name)
{
	json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

/* A copy of a string that is a name: neither empty nor long, no NUL and no control character. */
static const char *take_name(struct file *file, const char *place, const char *what,
			     json_object *value)
{
	struct span text = text_of(value);
	bool good = text.len > 0 && text.len < MODEL_NAME_MAX;
	const char *copy;

	for (size_t i = 0; good && i < text.len; i++)
		good = (unsigned char)text.at[i] > ' ' && text.at[i] != 0x7f;
	if (!good) {
		error(file, place, "%s is empty, too long, or has blanks", what);
		return NULL;
	}
	copy = arena_string(file->arena, text);
	if (!copy)
		file->result = -ENOMEM;
	return copy;
}

static void add_names(struct file *file, json_object *list, const char *what,
		      enum price_name_kind kind)
{
	struct price_list *to = file->list;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *item = json_object_array_get_idx(list, i);
		const char *text;

		if (!json_object_is_type(item, json_type_string)) {
			error(file, what, "must be strings");
			return;
		}
		text = take_name(file, what, "a name", item);
		if (!text)
			continue;
		if (array_reserve((void **)&to->names, &to->name_cap, to->name_count,
				  sizeof(*to->names)) < 0) {
			file->result = -ENOMEM;
			return;
		}
		to->names[to->name_count++] = (struct price_name){kind, text, file->vendor};
	}
}

static double take_price(struct file *file, const char *place, json_object *row, const char *name)
{
	json_object *value = get(row, name);
	double price;

	if (!value)
		return PRICE_UNKNOWN;
	price = json_object_get_double(value);
	if (!(price >= 0 && price <= PRICE_MAX)) {
		error(file, place, "\"%s\" must be from 0 to %d", name, PRICE_MAX);
		return PRICE_UNKNOWN;
	}
	return price;
}

static struct price take_prices(struct file *file, const char *place, json_object *row)
{
	return (struct price){
		.input = take_price(file, place, row, "input"),
		.cache_read = take_price(file, place, row, "cache_read"),
		.cache_write = take_price(file, place, row, "cache_write"),
		.cache_write_1h = take_price(file, place, row, "cache_write_1h"),
		.output = take_price(file, place, row, "output"),
	};
}

/* RFC 3339 full-date, as far as its digits go. */
static bool is_date(struct span text)
{
	static const char like[] = "0000-00-00";

	if (text.len != sizeof(like) - 1)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (like[i] == '0' ? text.at[i] < '0' || text.at[i] > '9' : text.at[i] != like[i])
			return false;
	return true;
}

static void take_context(struct file *file, const char *place, json_object *row,
			 struct price_row *to)
{
	static const struct price unknown = {PRICE_UNKNOWN, PRICE_UNKNOWN, PRICE_UNKNOWN,
					     PRICE_UNKNOWN, PRICE_UNKNOWN};
	json_object *up_to = get(row, "up_to"), *above = get(row, "above");

	to->above = unknown;
	if (up_to) {
		to->up_to = json_object_get_int64(up_to);
		if (to->up_to <= 0 || to->up_to > TOKENS_MAX)
			error(file, place, "\"up_to\" must be a count of tokens");
	}
	if (!above)
		return;
	if (!up_to)
		error(file, place, "\"above\" needs \"up_to\"");
	if (check_keys(file, place, above, price_keys))
		to->above = take_prices(file, place, above);
}

/* Tiers of service and what they cost, in multiples. How many. */
static size_t take_tiers(struct file *file, const char *place, json_object *object,
			 const struct price_tier **to)
{
	size_t n = object ? (size_t)json_object_object_length(object) : 0, i = 0;
	struct price_tier *tiers = n ? arena_alloc(file->arena, n * sizeof(*tiers)) : NULL;

	if (n && !tiers)
		file->result = -ENOMEM;
	if (!tiers)
		return 0;
	json_object_object_foreach(object, name, value)
	{
		double factor = type_is(value, json_type_double) ? json_object_get_double(value)
								 : -1;

		if (!(factor >= 0 && factor <= PRICE_FACTOR_MAX))
			error(file, place, "tier \"%.*s\" must be a number from 0 to %d",
			      MESSAGE_TEXT_MAX, name, PRICE_FACTOR_MAX);
		tiers[i] = (struct price_tier){arena_string(file->arena, span_str(name)), factor};
		if (!tiers[i++].name)
			file->result = -ENOMEM;
	}
	*to = tiers;
	return i;
}

static void add_row(struct file *file, const char *place, json_object *row)
{
	struct price_list *list = file->list;
	char key[MODEL_NAME_MAX];
	const char *copy;
	struct price_listed listed = {0};

	if (!check_keys(file, place, row, row_keys))
		return;
	listed.row.vendor = file->vendor;
	listed.row.model = take_name(file, place, "the model's name", get(row, "model"));
	if (!listed.row.model)
		return;
	if (!is_date(text_of(get(row, "as_of"))))
		error(file, place, "\"as_of\" must be a date: YYYY-MM-DD");
	listed.row.as_of = arena_string(file->arena, text_of(get(row, "as_of")));
	listed.row.price = take_prices(file, place, row);
	take_context(file, place, row, &listed.row);
	listed.row.tier_count[0] = take_tiers(file, place, get(row, "tiers"), &listed.row.tiers[0]);
	listed.row.tiers[1] = file->tiers;
	listed.row.tier_count[1] = file->tier_count;
	price_key(span_str(listed.row.model), key, sizeof(key));
	copy = arena_string(file->arena, span_str(key));
	if (!listed.row.as_of || !copy ||
	    array_reserve((void **)&list->rows, &list->row_cap, list->row_count,
			  sizeof(*list->rows)) < 0) {
		file->result = -ENOMEM;
		return;
	}
	listed.key = span_str(copy);
	list->rows[list->row_count++] = listed;
}

static int compare_keys(const void *x, const void *y)
{
	const struct price_listed *a = x, *b = y;

	return strcmp(a->key.at, b->key.at);
}

/* Within one file nothing says which of two would count. */
static void check_repeats(struct file *file)
{
	size_t n = file->list->row_count;
	_cleanup_free_ struct price_listed *rows = calloc(n + 1, sizeof(*rows));

	if (!rows) {
		file->result = -ENOMEM;
		return;
	}
	if (n)
		memcpy(rows, file->list->rows, n * sizeof(*rows));
	qsort(rows, n, sizeof(*rows), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (span_eq(rows[i].key, rows[i - 1].key))
			error(file, "models", "\"%s\" and \"%s\" are the same model",
			      rows[i - 1].row.model, rows[i].row.model);
}

static void load_vendor(struct file *file, json_object *root)
{
	json_object *models = get(root, "models");

	if (!check_keys(file, "", root, vendor_keys))
		return;
	if (!span_eq(text_of(get(root, "unit")), span_of(unit, sizeof(unit) - 1)))
		error(file, "", "\"unit\" must be \"%s\"", unit);
	file->vendor = take_name(file, "", "\"vendor\"", get(root, "vendor"));
	if (!file->vendor)
		return;
	file->tier_count = take_tiers(file, "", get(root, "tiers"), &file->tiers);
	add_names(file, get(root, "services"), "services", PRICE_SERVICE);
	add_names(file, get(root, "gateway_names"), "gateway_names", PRICE_GATEWAY_NAME);
	for (size_t i = 0; i < json_object_array_length(models); i++) {
		json_object *row = json_object_array_get_idx(models, i);
		json_object *model = json_object_is_type(row, json_type_object) ? get(row, "model")
										: NULL;
		char place[MESSAGE_TEXT_MAX];

		snprintf(place, sizeof(place), "models[%zu]%s%.40s%s", i, model ? " (" : "",
			 json_object_is_type(model, json_type_string)
				 ? json_object_get_string(model)
				 : "",
			 model ? ")" : "");
		add_row(file, place, row);
	}
	check_repeats(file);
}

/* NULL with the reason in `diag`. */
static json_object *parse(struct file *file, struct span text)
{
	json_tokener *tokener = json_tokener_new_ex(PRICE_FILE_DEPTH_MAX);
	enum json_tokener_error reason;
	json_object *root;

	if (!tokener) {
		file->result = -ENOMEM;
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	root = json_tokener_parse_ex(tokener, text.at, (int)text.len);
	reason = json_tokener_get_error(tokener);
	if (reason != json_tokener_success) {
		size_t at = json_tokener_get_parse_end(tokener);
		unsigned int line = 1;

		for (size_t i = 0; i < at && i < text.len; i++)
			line += text.at[i] == '\n';
		/* a document that stops in the middle is to the tokener one that goes on */
		diag_add(file->diag, file->name, line, 1, "%s",
			 reason == json_tokener_continue ? "ends too early"
							 : json_tokener_error_desc(reason));
		file->result = -EINVAL;
		json_object_put(root);
		root = NULL;
	}
	json_tokener_free(tokener);
	return root;
}

int price_list_load(struct price_list *list, struct arena *arena, const char *name,
		    struct span text, struct diag *diag)
{
	struct file file = {.list = list, .arena = arena, .name = name, .diag = diag};
	json_object *root;

	if (text.len > PRICE_FILE_BYTES_MAX) {
		error(&file, "", "larger than %d bytes", PRICE_FILE_BYTES_MAX);
		return file.result;
	}
	root = parse(&file, text);
	if (file.result < 0)
		return file.result;
	if (json_object_is_type(root, json_type_object) && get(root, "gateways")) {
		if (check_keys(&file, "", root, gateway_keys))
			add_names(&file, get(root, "gateways"), "gateways", PRICE_GATEWAY);
	} else {
		load_vendor(&file, root);
	}
	json_object_put(root);
	return file.result;
}

void price_list_done(struct price_list *list)
{
	free(list->rows);
	free(list->names);
	*list = (struct price_list){0};
}

bool price_key(struct span model, char *to, size_t cap)
{
	if (model.len >= cap)
		return false;
	for (size_t i = 0; i < model.len; i++) {
		char c = ascii_lower(model.at[i]);

		to[i] = c == '.' || c == '_' || c == '@' ? '-' : c;
	}
	to[model.len] = '\0';
	return true;
}
