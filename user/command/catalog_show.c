/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "command/catalog_show.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <strings.h>

#include "catalog/catalog.h"
#include "util/cleanup.h"

static const char *const places[] = {
	[CATALOG_API_HOST] = "api_hosts",     [CATALOG_WEB_HOST] = "web_hosts",
	[CATALOG_OTHER_HOST] = "other_hosts", [CATALOG_URL_PREFIX] = "url_prefixes",
	[CATALOG_LOCAL_PORT] = "ports",
};

bool catalog_filter_takes(const struct catalog_filter *filter, const struct service *service)
{
	if (filter->kind && strcmp(filter->kind, service->kind) != 0)
		return false;
	if (filter->vendor && !strcasestr(service->vendor, filter->vendor))
		return false;
	return !filter->country ||
	       (service->country && strcasecmp(filter->country, service->country) == 0);
}

static void add_text(struct json_object *to, const char *name, struct span text)
{
	if (text.len)
		json_object_object_add(to, name,
				       json_object_new_string_len(text.at, (int)text.len));
}

static void add_words(struct json_object *to, const char *name, const struct span *words,
		      size_t count)
{
	struct json_object *list;

	if (!count)
		return;
	list = json_object_new_array();
	for (size_t i = 0; i < count; i++)
		json_object_array_add(list,
				      json_object_new_string_len(words[i].at, (int)words[i].len));
	json_object_object_add(to, name, list);
}

static void add_service(struct json_object *to, const struct service *service)
{
	add_text(to, "id", span_str(service->id));
	add_text(to, "vendor", span_str(service->vendor));
	add_text(to, "kind", span_str(service->kind));
	add_text(to, "provider", span_str(service->provider));
	add_text(to, "country", span_str(service->country));
	add_words(to, "families", service->families, service->family_count);
	add_words(to, "key_prefixes", service->key_prefixes, service->key_prefix_count);
}

static void print_object(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

static void add_ports(struct json_object *to, const char *name, const uint16_t *ports, size_t count)
{
	struct json_object *list;

	if (!count)
		return;
	list = json_object_new_array();
	for (size_t i = 0; i < count; i++)
		json_object_array_add(list, json_object_new_int(ports[i]));
	json_object_object_add(to, name, list);
}

/* With its patterns by where they stand, and its ports. */
static void show_service_json(const struct catalog *catalog, const struct service *service)
{
	struct json_object *object = json_object_new_object(), *list;
	struct catalog_pattern pattern;

	add_service(object, service);
	for (size_t i = 0; i < service->pattern_count; i++) {
		catalog_service_pattern(catalog, service, i, &pattern);
		if (!json_object_object_get_ex(object, places[pattern.place], &list)) {
			list = json_object_new_array();
			json_object_object_add(object, places[pattern.place], list);
		}
		json_object_array_add(
			list, json_object_new_string_len(pattern.text.at, (int)pattern.text.len));
	}
	add_ports(object, "ports", service->ports, service->port_count);
	add_ports(object, "other_ports", service->other_ports, service->other_port_count);
	print_object(object);
}

void catalog_show_service(const struct catalog *catalog, const struct service *service, bool json)
{
	if (json)
		show_service_json(catalog, service);
	else
		printf("%s\t%s\t%s\t%zu\t%s\n", service->id, service->kind,
		       service->country ? service->country : "-", service->pattern_count,
		       service->vendor);
}

/* What all patterns that have to do with the host are compared with. */
struct lookup {
	const struct catalog_match *match; /* NULL: none won */
	struct json_object *list;          /* NULL: as text */
};

static size_t literal_count(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len && text.at[i] != '/'; i++)
		n += text.at[i] != '*';
	return n;
}

static bool is_winner(const struct lookup *lookup, const struct catalog_pattern *pattern)
{
	return lookup->match && !pattern->replaced && pattern->service == lookup->match->service &&
	       span_eq(pattern->text, lookup->match->pattern);
}

/* Why it lost. */
static void why(const struct lookup *lookup, const struct catalog_pattern *pattern, char *to,
		size_t cap)
{
	size_t own = literal_count(pattern->text);
	size_t theirs = lookup->match ? literal_count(lookup->match->pattern) : 0;

	if (pattern->replaced)
		snprintf(to, cap, "a later file has another %s", pattern->service->id);
	else if (pattern->path_open)
		snprintf(to, cap, "depends on the path, which was not given");
	else if (pattern->path_else)
		snprintf(to, cap, "is of another path");
	else if (span_eq(pattern->text, lookup->match->pattern))
		snprintf(to, cap, "a later file has the same pattern");
	else if (lookup->match->how == CATALOG_HOST_EXACT && pattern->how != CATALOG_HOST_EXACT)
		snprintf(to, cap, "less specific: the other names the whole host");
	else if (own != theirs)
		snprintf(to, cap, "less specific: %zu literal characters, the other has %zu", own,
			 theirs);
	else
		snprintf(to, cap, "less specific: %s",
			 pattern->place == CATALOG_URL_PREFIX ||
					 lookup->match->place == CATALOG_URL_PREFIX
				 ? "the other has the longer path"
				 : "the other has more labels");
}

static void tell_pattern(void *ctx, const struct catalog_pattern *pattern)
{
	const struct lookup *lookup = ctx;
	bool won = is_winner(lookup, pattern);
	struct json_object *object;
	char reason[128] = "";

	if (!won)
		why(lookup, pattern, reason, sizeof(reason));
	else if (lookup->match->shared && pattern->path_open)
		snprintf(reason, sizeof(reason), "the path, which was not given, may make it this");
	if (!lookup->list) {
		printf("  %-4s %.*s (%s)%s%s\n", won ? "won" : "lost", (int)pattern->text.len,
		       pattern->text.at, pattern->service->id, reason[0] ? ": " : "", reason);
		return;
	}
	object = json_object_new_object();
	add_text(object, "pattern", pattern->text);
	add_text(object, "service", span_str(pattern->service->id));
	add_text(object, "place", span_str(places[pattern->place]));
	json_object_object_add(object, "won", json_object_new_boolean(won));
	add_text(object, "why", span_str(reason));
	json_object_array_add(lookup->list, object);
}

static void print_words(const char *name, const struct span *words, size_t count)
{
	if (count == 0)
		return;
	printf("%-14s", name);
	for (size_t i = 0; i < count; i++)
		printf("%s%.*s", i ? ", " : "", (int)words[i].len, words[i].at);
	printf("\n");
}

static void show_match(const struct catalog_match *match)
{
	static const char *const how[] = {
		[CATALOG_HOST_EXACT] = "this host",
		[CATALOG_HOST_SUFFIX] = "every host below",
		[CATALOG_HOST_GLOB] = "a wildcard within labels",
	};
	static const char *const serves[] = {
		[CATALOG_API_HOST] = "an API",
		[CATALOG_WEB_HOST] = "a web front end",
		[CATALOG_OTHER_HOST] = "pages about the service, no use of it",
		[CATALOG_URL_PREFIX] = "the service below that path",
	};
	const struct service *service = match->service;
	struct span others[CATALOG_OPEN_MAX];

	printf("%-14s%s\n", "service", service->id);
	printf("%-14s%s\n", "vendor", service->vendor);
	printf("%-14s%s\n", "kind", service->kind);
	if (service->country)
		printf("%-14s%s\n", "country", service->country);
	printf("%-14s%s\n", "provider", service->provider);
	printf("%-14s%.*s (%s)\n", "pattern", (int)match->pattern.len, match->pattern.at,
	       how[match->how]);
	printf("%-14s%s\n", "serves", serves[match->place]);
	printf("%-14s%s\n", "shared",
	       match->shared ? "yes: the host's name alone proves no use" : "no");
	if (match->assets)
		printf("%-14s%s\n", "assets", "yes: pictures and scripts, presence at most");
	printf("%-14s%u\n", "confidence", match->confidence);
	print_words("families", service->families, service->family_count);
	print_words("keys", service->key_prefixes, service->key_prefix_count);
	for (size_t i = 0; i < match->other_count; i++)
		others[i] = span_str(match->others[i]->id);
	print_words("or, by path", others, match->other_count);
}

static void add_match(struct json_object *to, const struct catalog_match *match)
{
	struct json_object *object = json_object_new_object();
	struct span others[CATALOG_OPEN_MAX];

	add_service(object, match->service);
	add_text(object, "pattern", match->pattern);
	add_text(object, "place", span_str(places[match->place]));
	json_object_object_add(object, "shared", json_object_new_boolean(match->shared));
	json_object_object_add(object, "assets", json_object_new_boolean(match->assets));
	json_object_object_add(object, "confidence", json_object_new_int((int)match->confidence));
	for (size_t i = 0; i < match->other_count; i++)
		others[i] = span_str(match->others[i]->id);
	add_words(object, "others", others, match->other_count);
	json_object_object_add(to, "match", object);
}

int catalog_show_lookup(const struct catalog *catalog, struct span host, struct span path,
			bool json)
{
	struct catalog_match match;
	struct lookup lookup = {0};
	struct json_object *object = NULL;
	int r;

	if (catalog_lookup(catalog, host, path, &match))
		lookup.match = &match;
	if (json) {
		object = json_object_new_object();
		lookup.list = json_object_new_array();
		add_text(object, "host", host);
		add_text(object, "path", path);
		if (lookup.match)
			add_match(object, &match);
		json_object_object_add(object, "patterns", lookup.list);
	} else if (lookup.match) {
		show_match(&match);
		printf("patterns\n");
	}
	r = catalog_explain(catalog, host, path, tell_pattern, &lookup);
	if (object)
		print_object(object);
	return r < 0 ? r : lookup.match ? 0 : -ENOENT;
}
