/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/load.h"

#include <errno.h>
#include <stdlib.h>

#define NS_PER_S UINT64_C(1000000000)

static const struct yaml_key throttle_keys[] = {
	{"per", YAML_SEQUENCE}, {"every", YAML_SCALAR, .required = true}, {0}};

static const struct yaml_key window_keys[] = {
	{"count", YAML_SCALAR},
	{"sum", YAML_SCALAR},
	{"distinct", YAML_SCALAR},
	{"new", YAML_SCALAR},
	{"per", YAML_SEQUENCE, .required = true},
	{"over", YAML_SCALAR, .required = true},
	{"above", YAML_SCALAR},
	{0},
};

/* By kind; that of none has no name. */
static const char *const window_names[] = {
	[WINDOW_COUNT] = "count",
	[WINDOW_SUM] = "sum",
	[WINDOW_DISTINCT] = "distinct",
	[WINDOW_NEW] = "new",
};

void load_duration(struct load *load, const struct yaml_node *node, uint64_t *ns)
{
	if (node && duration_parse(node->text, ns) < 0)
		load_error(load, node,
			   "a duration is written 90s, 15m, 24h, 30d or 2w, at most 3650d");
}

static bool is_key_type(enum field_type type)
{
	return type == FIELD_STRING || type == FIELD_INT || type == FIELD_BOOL || type == FIELD_IP;
}

/* A field whose value can stand in a key. */
static int load_key_field(struct load *load, const struct yaml_node *node)
{
	int field;

	if (node->kind != YAML_SCALAR) {
		load_error(load, node, "must be a field");
		return -EINVAL;
	}
	field = load_field(load, node);
	if (field >= 0 && !is_key_type(field_table[field].type)) {
		load_error(load, node, "%s is %s, which makes no key", field_table[field].name,
			   field_table[field].type == FIELD_LIST   ? "a list"
			   : field_table[field].type == FIELD_TIME ? "a time"
								   : "a fraction");
		return -EINVAL;
	}
	return field;
}

static struct field_key load_key(struct load *load, const struct yaml_node *node)
{
	struct field_key key = {0};
	enum field *fields;

	if (!node)
		return key;
	if (node->count > KEY_FIELDS_MAX)
		load_error(load, node, "at most %d fields make a key", KEY_FIELDS_MAX);
	fields = load_array(load, node, node->count, sizeof(*fields));
	if (!fields)
		return key;
	key.fields = fields;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		int field = load_key_field(load, item);

		if (field >= 0)
			fields[key.count++] = (enum field)field;
	}
	return key;
}

/* One alert for each host, user and service in a day; of a window, one for each of its keys in its
 * time; of what is new, each. */
static struct rule_throttle default_throttle(const struct rule_window *window)
{
	static const enum field fields[] = {F_HOST_NAME, F_USER_NAME, F_SERVICE};

	if (window->kind == WINDOW_NEW)
		return (struct rule_throttle){.per = window->per};
	if (window->kind != WINDOW_NONE)
		return (struct rule_throttle){.per = window->per, .every_ns = window->over_ns};
	return (struct rule_throttle){
		.per = {fields, sizeof(fields) / sizeof(fields[0])},
		.every_ns = 86400 * NS_PER_S,
	};
}

struct rule_throttle load_throttle(struct load *load, const struct yaml_node *node,
				   const struct rule_window *window)
{
	struct rule_throttle throttle = default_throttle(window);
	const struct yaml_node *per;

	if (!node)
		return throttle;
	if (node->kind == YAML_SCALAR) {
		throttle.every_ns = 0;
		if (!span_eq(node->text, SPAN_LITERAL("none")))
			load_error(load, node,
				   "a throttle is \"none\", or {per: [...], every: ...}");
		return throttle;
	}
	if (!load_check(load, node, "a throttle", throttle_keys))
		return throttle;
	per = yaml_get(node, "per");
	if (per)
		throttle.per = load_key(load, per);
	load_duration(load, yaml_get(node, "every"), &throttle.every_ns);
	return throttle;
}

/* What is counted, summed or collected. */
static void load_window_field(struct load *load, const struct yaml_node *node,
			      struct rule_window *window)
{
	int field;

	window->every_event = window->kind == WINDOW_COUNT &&
			      span_eq(node->text, SPAN_LITERAL("events"));
	if (window->every_event)
		return;
	field = window->kind == WINDOW_DISTINCT || window->kind == WINDOW_NEW
			? load_key_field(load, node)
			: load_field(load, node);
	if (field < 0)
		return;
	window->field = (enum field)field;
	if (window->kind == WINDOW_SUM && field_table[field].type != FIELD_INT &&
	    field_table[field].type != FIELD_DOUBLE)
		load_error(load, node, "%s is no number, which \"sum\" needs",
			   field_table[field].name);
}

static void load_above(struct load *load, const struct yaml_node *window_node,
		       struct rule_window *window)
{
	const struct yaml_node *node = yaml_get(window_node, "above");
	const int distinct_max = STATE_MEMBERS_MAX / 2;
	char *end;

	if (!node) {
		if (window->kind != WINDOW_NEW)
			load_error(load, window_node, "\"%s\" needs \"above\"",
				   window_names[window->kind]);
		return;
	}
	if (window->kind == WINDOW_NEW) {
		load_error(load, node, "\"new\" has no \"above\"");
		return;
	}
	errno = 0;
	window->above = strtod(node->text.at, &end);
	if (node->text.len == 0 || errno || *end || window->above < 0 ||
	    strspn(node->text.at, "0123456789.eE+") != node->text.len)
		load_error(load, node, "must be a number, 0 or above");
	else if (window->kind == WINDOW_DISTINCT && window->above > distinct_max)
		load_error(load, node, "at most %d values are told apart", distinct_max);
}

struct rule_window load_window(struct load *load, const struct yaml_node *node)
{
	const struct yaml_node *what = NULL;
	struct rule_window window = {0};

	if (!node || !load_check(load, node, "a window", window_keys))
		return window;
	for (int kind = WINDOW_COUNT; kind <= WINDOW_NEW; kind++) {
		const struct yaml_node *found = yaml_get(node, window_names[kind]);

		if (found && what)
			load_error(load, found, "a window has one of count, sum, distinct and new");
		if (!found || what)
			continue;
		what = found;
		window.kind = (enum finding_window)kind;
	}
	if (!what) {
		load_error(load, node, "a window has one of count, sum, distinct and new");
		return window;
	}
	load_window_field(load, what, &window);
	window.per = load_key(load, yaml_get(node, "per"));
	window.over = load_text(load, yaml_get(node, "over"));
	load_duration(load, yaml_get(node, "over"), &window.over_ns);
	load_above(load, node, &window);
	return window;
}
