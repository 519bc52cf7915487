/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/load.h"

#include <errno.h>
#include <stdlib.h>

#include "catalog/country.h"
#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/suggest.h"
#include "util/yaml.h"

/* The format is told in rules/README.md. */

const char *const catalog_kinds[] = {"model-api", "gateway",     "coding-agent",
				     "chat-web",  "self-hosted", "media",
				     "search",    "mcp",         NULL};

/* What services speak, decoded by this version or not. */
static const char *const families[] = {"openai-chat",
				       "openai-responses",
				       "openai-realtime",
				       "openai-completions",
				       "openai-embeddings",
				       "openai-images",
				       "openai-audio",
				       "anthropic-messages",
				       "gemini",
				       "gemini-live",
				       "vertex",
				       "azure-openai",
				       "bedrock",
				       "cohere",
				       "ollama",
				       "tgi",
				       "llama-cpp",
				       "kobold",
				       "kserve",
				       "mistral",
				       "rerank",
				       "replicate",
				       "aws-json",
				       "connect-grpc",
				       "web-app",
				       "mcp-jsonrpc",
				       "custom",
				       NULL};

static const struct yaml_key file_keys[] = {{"services", YAML_SEQUENCE, .required = true}, {0}};

static const struct yaml_key service_keys[] = {
	{"id", YAML_SCALAR, .required = true},
	{"vendor", YAML_SCALAR, .required = true},
	{"kind", YAML_SCALAR, .required = true},
	{"provider", YAML_SCALAR},
	{"country", YAML_SCALAR},
	{"api_hosts", YAML_SEQUENCE},
	{"web_hosts", YAML_SEQUENCE},
	{"other_hosts", YAML_SEQUENCE},
	{"url_prefixes", YAML_SEQUENCE},
	{"families", YAML_SEQUENCE},
	{"key_prefixes", YAML_SEQUENCE},
	{"ports", YAML_SEQUENCE},
	{"other_ports", YAML_SEQUENCE},
	{"shared", YAML_SCALAR},
	{"confidence", YAML_SCALAR},
	{0},
};

static const struct yaml_key override_keys[] = {
	{"override", YAML_SCALAR, .required = true},
	{"vendor", YAML_SCALAR},
	{"kind", YAML_SCALAR},
	{"provider", YAML_SCALAR},
	{"country", YAML_SCALAR},
	{"api_hosts", YAML_SEQUENCE},
	{"web_hosts", YAML_SEQUENCE},
	{"other_hosts", YAML_SEQUENCE},
	{"url_prefixes", YAML_SEQUENCE},
	{"families", YAML_SEQUENCE},
	{"key_prefixes", YAML_SEQUENCE},
	{"ports", YAML_SEQUENCE},
	{"other_ports", YAML_SEQUENCE},
	{"shared", YAML_SCALAR},
	{"confidence", YAML_SCALAR},
	{"remove", YAML_SEQUENCE},
	{0},
};

static const struct yaml_key host_keys[] = {
	{"host", YAML_SCALAR, .required = true},
	{"shared", YAML_SCALAR},
	{"assets", YAML_SCALAR},
	{"confidence", YAML_SCALAR},
	{0},
};

static const struct yaml_key url_keys[] = {
	{"url", YAML_SCALAR, .required = true},
	{"shared", YAML_SCALAR},
	{"confidence", YAML_SCALAR},
	{0},
};

/* Where patterns stand. */
static const struct {
	const char *key;
	enum catalog_place place;
} pattern_lists[] = {
	{"api_hosts", CATALOG_API_HOST},
	{"web_hosts", CATALOG_WEB_HOST},
	{"other_hosts", CATALOG_OTHER_HOST},
	{"url_prefixes", CATALOG_URL_PREFIX},
};

#define CONFIDENCE_DEFAULT 95

struct file {
	struct service_list *list;
	const struct service_list *earlier;
	struct arena *arena;
	struct yaml_document *document;
	const struct yaml_node **places; /* of each rule, for messages about two of them */
	size_t place_cap;
	struct diag *diag;
	bool failed;
};

#define file_error(file, node, ...)                                                                \
	do {                                                                                       \
		(file)->failed = true;                                                             \
		yaml_error((file)->document, node, (file)->diag, __VA_ARGS__);                     \
	} while (0)

int array_reserve(void **items, size_t *cap, size_t count, size_t size)
{
	size_t want = *cap ? *cap * 2 : 16;
	void *more;

	if (count < *cap)
		return 0;
	more = reallocarray(*items, want, size);
	if (!more)
		return -ENOMEM;
	*items = more;
	*cap = want;
	return 0;
}

/* Is it one of these words? Says so when not. */
static bool word_check(struct file *file, const struct yaml_node *node, const char *what,
		       const char *const *words)
{
	struct suggestion near = {0};

	for (; *words; words++) {
		if (span_eq(node->text, span_str(*words)))
			return true;
		suggest_offer(&near, node->text, span_str(*words));
	}
	file_error(file, node, "unknown %s \"%.*s\"" SUGGEST_FORMAT, what,
		   (int)(node->text.len < MESSAGE_TEXT_MAX ? node->text.len : MESSAGE_TEXT_MAX),
		   node->text.at, SUGGEST_ARGS(near));
	return false;
}

bool service_id_valid(struct span text)
{
	if (text.len == 0 || text.len >= SHORT_NAME_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!(text.at[i] >= 'a' && text.at[i] <= 'z') &&
		    !(text.at[i] >= '0' && text.at[i] <= '9') && !strchr("-._", text.at[i]))
			return false;
	return true;
}

/* A scalar's copy; absent: NULL. */
static const char *take_string(struct file *file, const struct yaml_node *node)
{
	const char *copy;

	if (!node)
		return NULL;
	if (!yaml_string(node)) {
		file_error(file, node, "empty, or holds a NUL");
		return NULL;
	}
	copy = arena_string(file->arena, node->text);
	if (!copy)
		file_error(file, node, "out of memory");
	return copy;
}

static void take_bool(struct file *file, const struct yaml_node *node, bool *value)
{
	if (node && yaml_bool(node, value) < 0)
		file_error(file, node, "must be true or false");
}

static void take_confidence(struct file *file, const struct yaml_node *node, uint8_t *value)
{
	int64_t number;

	if (!node)
		return;
	if (yaml_int(node, &number) < 0 || number < 0 || number > 100)
		file_error(file, node, "must be a number from 0 to 100");
	else
		*value = (uint8_t)number;
}

/* The words of a list, behind those that are there already. */
static void take_words(struct file *file, const struct yaml_node *list, const char *what,
		       const char *const *words, const struct span **all, size_t *count)
{
	struct span *items;
	size_t n = *count;

	if (!list)
		return;
	items = arena_array(file->arena, n + list->count, sizeof(*items));
	if (!items) {
		file_error(file, list, "out of memory");
		return;
	}
	if (n)
		memcpy(items, *all, n * sizeof(*items));
	for (const struct yaml_node *item = list->first; item; item = item->next) {
		const char *copy;

		if (item->kind != YAML_SCALAR) {
			file_error(file, item, "must be a string");
			continue;
		}
		if (words && !word_check(file, item, what, words))
			continue;
		copy = take_string(file, item);
		if (copy)
			items[n++] = span_of(copy, item->text.len);
	}
	*all = items;
	*count = n;
}

/* The same of ports. */
static void take_ports(struct file *file, const struct yaml_node *list, const uint16_t **all,
		       size_t *count)
{
	size_t n = *count;
	uint16_t *ports;

	if (!list)
		return;
	ports = arena_array(file->arena, n + list->count, sizeof(*ports));
	if (!ports) {
		file_error(file, list, "out of memory");
		return;
	}
	if (n)
		memcpy(ports, *all, n * sizeof(*ports));
	for (const struct yaml_node *item = list->first; item; item = item->next) {
		int64_t port;

		if (item->kind != YAML_SCALAR || yaml_int(item, &port) < 0 || port < 1 ||
		    port > 65535)
			file_error(file, item, "a port is a number from 1 to 65535");
		else
			ports[n++] = (uint16_t)port;
	}
	*all = ports;
	*count = n;
}

static void add_rule(struct file *file, const struct yaml_node *place, const struct host_rule *rule)
{
	struct service_list *list = file->list;

	if (array_reserve((void **)&list->rules, &list->rule_cap, list->rule_count,
			  sizeof(*list->rules)) < 0 ||
	    array_reserve((void **)&file->places, &file->place_cap, list->rule_count,
			  sizeof(*file->places)) < 0) {
		file_error(file, place, "out of memory");
		return;
	}
	file->places[list->rule_count] = place;
	list->rules[list->rule_count++] = *rule;
}

/* A pattern, or a mapping that says more about it. */
static void load_pattern(struct file *file, const struct yaml_node *node, struct host_rule rule)
{
	bool prefix = rule.place == CATALOG_URL_PREFIX;
	const struct yaml_node *text = node;
	const char *wrong, *copy;

	if (node->kind != YAML_SCALAR) {
		if (!yaml_check(file->document, node, prefix ? "a URL prefix" : "a host",
				prefix ? url_keys : host_keys, file->diag)) {
			file->failed = true;
			return;
		}
		text = yaml_get(node, prefix ? "url" : "host");
		take_bool(file, yaml_get(node, "shared"), &rule.shared);
		take_bool(file, yaml_get(node, "assets"), &rule.assets);
		take_confidence(file, yaml_get(node, "confidence"), &rule.confidence);
	}
	wrong = pattern_parse(text->text, &rule.pattern);
	if (!wrong && prefix && !pattern_path(&rule.pattern).len)
		wrong = "a URL prefix has a path";
	if (!wrong && !prefix && pattern_path(&rule.pattern).len)
		wrong = "a path makes it one of \"url_prefixes\"";
	if (wrong) {
		file_error(file, text, "bad %s pattern \"%.*s\": %s", prefix ? "URL" : "host",
			   (int)(text->text.len < MESSAGE_TEXT_MAX ? text->text.len
								   : MESSAGE_TEXT_MAX),
			   text->text.at, wrong);
		return;
	}
	copy = take_string(file, text);
	if (!copy)
		return;
	rule.pattern.text = copy;
	add_rule(file, text, &rule);
}

static void load_patterns(struct file *file, const struct yaml_node *node)
{
	struct host_rule defaults = {
		.service = (uint32_t)file->list->service_count,
		.confidence = CONFIDENCE_DEFAULT,
	};
	bool shared = false;

	take_bool(file, yaml_get(node, "shared"), &shared);
	take_confidence(file, yaml_get(node, "confidence"), &defaults.confidence);
	for (size_t i = 0; i < ARRAY_SIZE(pattern_lists); i++) {
		const struct yaml_node *list = yaml_get(node, pattern_lists[i].key);

		defaults.place = (uint8_t)pattern_lists[i].place;
		/* what a host shares, a path takes apart */
		defaults.shared = defaults.place == CATALOG_OTHER_HOST ||
				  (shared && defaults.place != CATALOG_URL_PREFIX);
		for (const struct yaml_node *item = list ? list->first : NULL; item;
		     item = item->next)
			load_pattern(file, item, defaults);
	}
}

/* The latest service of that id, or NULL. */
static const struct service *earlier_find(struct file *file, const struct yaml_node *id)
{
	const struct service_list *earlier = file->earlier;
	struct suggestion near = {0};

	for (size_t i = earlier->service_count; i-- > 0;) {
		const struct service *service = &earlier->services[i];

		if (span_eq(id->text, span_str(service->id)))
			return service;
		suggest_offer(&near, id->text, span_str(service->id));
	}
	file_error(file, id, "no earlier file has a service \"%.*s\"" SUGGEST_FORMAT,
		   (int)(id->text.len < MESSAGE_TEXT_MAX ? id->text.len : MESSAGE_TEXT_MAX),
		   id->text.at, SUGGEST_ARGS(near));
	return NULL;
}

static bool is_removed(const struct yaml_node *remove, const struct host_rule *rule)
{
	for (const struct yaml_node *item = remove ? remove->first : NULL; item; item = item->next)
		if (item->kind == YAML_SCALAR && span_eq(item->text, pattern_text(&rule->pattern)))
			return true;
	return false;
}

/* Every pattern that is to be removed must be there. */
static void check_removed(struct file *file, const struct yaml_node *remove,
			  const struct service *base)
{
	const struct host_rule *rules = &file->earlier->rules[base->first_pattern];

	for (const struct yaml_node *item = remove ? remove->first : NULL; item;
	     item = item->next) {
		struct suggestion near = {0};
		bool there = false;

		for (size_t i = 0; i < base->pattern_count; i++) {
			struct span text = pattern_text(&rules[i].pattern);

			there |= item->kind == YAML_SCALAR && span_eq(item->text, text);
			suggest_offer(&near, item->text, text);
		}
		if (!there)
			file_error(file, item, "%s has no such pattern" SUGGEST_FORMAT, base->id,
				   SUGGEST_ARGS(near));
	}
}

/* What an entry changes: everything that the earlier service is, less the patterns to be removed. */
static void take_earlier(struct file *file, const struct yaml_node *node, struct service *service)
{
	const struct yaml_node *id = yaml_get(node, "override"), *remove = yaml_get(node, "remove");
	const struct service *base = earlier_find(file, id);

	if (!base)
		return;
	*service = *base;
	check_removed(file, remove, base);
	for (size_t i = 0; i < base->pattern_count; i++) {
		struct host_rule rule = file->earlier->rules[base->first_pattern + i];

		rule.service = (uint32_t)file->list->service_count;
		if (!is_removed(remove, &rule))
			add_rule(file, id, &rule);
	}
}

static void take_words_of(struct file *file, const struct yaml_node *node, struct service *service)
{
	const struct yaml_node *kind = yaml_get(node, "kind"), *country = yaml_get(node, "country");
	const char *vendor = take_string(file, yaml_get(node, "vendor"));
	const char *provider = take_string(file, yaml_get(node, "provider"));

	if (kind && word_check(file, kind, "kind", catalog_kinds))
		service->kind = take_string(file, kind);
	if (country && !country_valid(country->text))
		file_error(file, country,
			   "a country is two capital letters, a code of ISO 3166 alpha-2");
	else if (country)
		service->country = take_string(file, country);
	if (vendor)
		service->vendor = vendor;
	if (provider)
		service->provider = provider;
	take_words(file, yaml_get(node, "families"), "family", families, &service->families,
		   &service->family_count);
	take_words(file, yaml_get(node, "key_prefixes"), NULL, NULL, &service->key_prefixes,
		   &service->key_prefix_count);
	take_ports(file, yaml_get(node, "ports"), &service->ports, &service->port_count);
	take_ports(file, yaml_get(node, "other_ports"), &service->other_ports,
		   &service->other_port_count);
}

static void load_service(struct file *file, const struct yaml_node *node)
{
	bool override = node->kind == YAML_MAPPING && yaml_get(node, "override");
	struct service_list *list = file->list;
	const struct yaml_node *id;
	struct service service = {0};
	size_t before = list->rule_count;

	if (!yaml_check(file->document, node, override ? "an override of a service" : "a service",
			override ? override_keys : service_keys, file->diag)) {
		file->failed = true;
		return;
	}
	if (override) {
		take_earlier(file, node, &service);
	} else {
		id = yaml_get(node, "id");
		if (!service_id_valid(id->text) || span_eq(id->text, SPAN_LITERAL("unknown")))
			file_error(file, id,
				   "an id is a-z, 0-9, '-', '.' or '_', at most %d characters, not "
				   "\"unknown\"",
				   SHORT_NAME_MAX - 1);
		service.id = service.provider = take_string(file, id);
	}
	take_words_of(file, node, &service);
	load_patterns(file, node);
	service.first_pattern = before;
	service.pattern_count = list->rule_count - before;
	if (array_reserve((void **)&list->services, &list->service_cap, list->service_count,
			  sizeof(*list->services)) < 0)
		file_error(file, node, "out of memory");
	else
		list->services[list->service_count++] = service;
}

/* Two things of one file that are compared by a text. */
struct named {
	struct span text;
	const struct yaml_node *place;
};

static int compare_named(const void *x, const void *y)
{
	const struct named *a = x, *b = y;
	int order = memcmp(a->text.at, b->text.at,
			   a->text.len < b->text.len ? a->text.len : b->text.len);

	if (order)
		return order;
	if (a->text.len != b->text.len)
		return a->text.len < b->text.len ? -1 : 1;
	if (a->place->line != b->place->line)
		return a->place->line < b->place->line ? -1 : 1;
	return a->place->column < b->place->column ? -1 : a->place->column > b->place->column;
}

/* Sorts, and says where more than `allowed` have the same text. */
static void check_repeats(struct file *file, struct named *items, size_t count, size_t allowed,
			  const char *what)
{
	size_t run = 1;

	qsort(items, count, sizeof(*items), compare_named);
	for (size_t i = 1; i < count; i++) {
		run = span_eq(items[i].text, items[i - 1].text) ? run + 1 : 1;
		if (run == allowed + 1)
			file_error(file, items[i].place, "%s \"%.*s\", the first on line %u", what,
				   (int)items[i].text.len, items[i].text.at,
				   items[i + 1 - run].place->line);
	}
}

static void check_ids(struct file *file, const struct yaml_node *services)
{
	_cleanup_free_ struct named *ids = calloc(services->count + 1, sizeof(*ids));
	size_t n = 0;

	if (!ids) {
		file_error(file, services, "out of memory");
		return;
	}
	for (const struct yaml_node *item = services->first; item; item = item->next) {
		const struct yaml_node *id;

		if (item->kind != YAML_MAPPING)
			continue;
		id = yaml_get(item, "override");
		if (!id)
			id = yaml_get(item, "id");
		if (id && id->kind == YAML_SCALAR)
			ids[n++] = (struct named){id->text, id};
	}
	check_repeats(file, ids, n, 1, "duplicate id");
}

static void check_patterns(struct file *file, const struct yaml_node *services)
{
	const struct service_list *list = file->list;
	_cleanup_free_ struct named *names = calloc(list->rule_count + 1, sizeof(*names));
	size_t globs = 0;

	if (!names) {
		file_error(file, services, "out of memory");
		return;
	}
	/* they grow with the rules */
	for (size_t i = 0; file->places && i < list->rule_count; i++)
		names[i] = (struct named){pattern_text(&list->rules[i].pattern), file->places[i]};
	check_repeats(file, names, list->rule_count, 1, "duplicate pattern");
	for (size_t i = 0; file->places && i < list->rule_count; i++)
		if (list->rules[i].pattern.kind == PATTERN_GLOB)
			names[globs++] = (struct named){pattern_key(&list->rules[i].pattern),
							file->places[i]};
	check_repeats(file, names, globs, CATALOG_GLOBS_PER_SUFFIX_MAX,
		      "too many patterns with a '*' end in");
}

int service_list_load(struct service_list *list, struct arena *arena,
		      const struct service_list *earlier, const char *name, struct span text,
		      struct diag *diag)
{
	struct file file = {.list = list, .earlier = earlier, .arena = arena, .diag = diag};
	const struct yaml_node *root, *services;

	file.document = yaml_load(name, text, diag);
	if (!file.document)
		return -EINVAL;
	root = yaml_root(file.document);
	if (!root) {
		diag_add(diag, name, 0, 0, "a catalogue file needs \"services\"");
		file.failed = true;
	} else if (!yaml_check(file.document, root, "a catalogue file", file_keys, diag)) {
		file.failed = true;
	} else {
		services = yaml_get(root, "services");
		for (const struct yaml_node *item = services->first; item; item = item->next)
			load_service(&file, item);
		check_ids(&file, services);
		check_patterns(&file, services);
	}
	free(file.places);
	yaml_unload(file.document);
	return file.failed ? -EINVAL : 0;
}

void service_list_done(struct service_list *list)
{
	free(list->services);
	free(list->rules);
	*list = (struct service_list){0};
}
