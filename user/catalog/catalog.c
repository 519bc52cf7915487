/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "catalog/catalog.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog/load.h"
#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/diag.h"
#include "util/embedded.h"
#include "util/sha256.h"

struct catalog {
	struct arena arena;
	/* Everything added, file after file, overridden services included. */
	struct service_list added;
	/* Of a sealed catalogue: the services by id, and the index over their patterns. */
	const struct service **services;
	size_t service_count;
	struct host_index *index;
	struct sha256 *sum;
	char hex[SHA256_HEX_BYTES];
};

struct catalog *catalog_new(void)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));

	if (!catalog)
		return NULL;
	catalog->sum = sha256_new();
	if (!catalog->sum || sha256_hex(catalog->sum, catalog->hex) < 0) {
		catalog_free(catalog);
		return NULL;
	}
	return catalog;
}

void catalog_free(struct catalog *catalog)
{
	if (!catalog)
		return;
	host_index_free(catalog->index);
	free(catalog->services);
	service_list_done(&catalog->added);
	sha256_free(catalog->sum);
	arena_done(&catalog->arena);
	free(catalog);
}

/* Makes room first, so that a failure leaves everything as it was. */
static int catalog_append(struct catalog *catalog, const struct service_list *more)
{
	struct service_list *all = &catalog->added;
	size_t services = all->service_count + more->service_count;
	size_t rules = all->rule_count + more->rule_count;
	struct service *new_services;
	struct host_rule *new_rules;

	new_services = reallocarray(all->services, services + 1, sizeof(*new_services));
	if (!new_services)
		return -ENOMEM;
	all->services = new_services;
	new_rules = reallocarray(all->rules, rules + 1, sizeof(*new_rules));
	if (!new_rules)
		return -ENOMEM;
	all->rules = new_rules;
	for (size_t i = 0; i < more->rule_count; i++) {
		struct host_rule *rule = &all->rules[all->rule_count + i];

		*rule = more->rules[i];
		rule->order = (uint32_t)(all->rule_count + i);
		rule->service += (uint32_t)all->service_count;
	}
	for (size_t i = 0; i < more->service_count; i++) {
		struct service *service = &all->services[all->service_count + i];

		*service = more->services[i];
		service->first_pattern += all->rule_count;
	}
	all->service_count = services;
	all->rule_count = rules;
	return 0;
}

int catalog_add(struct catalog *catalog, const char *name, struct span text, struct diag *diag)
{
	struct service_list list = {0};
	struct arena arena = {0};
	int r = service_list_load(&list, &arena, &catalog->added, name, text, diag);

	if (r == 0 && catalog->added.rule_count + list.rule_count > CATALOG_PATTERNS_MAX) {
		diag_add(diag, name, 0, 0, "more than %d patterns in all", CATALOG_PATTERNS_MAX);
		r = -EINVAL;
	}
	if (r == 0)
		r = catalog_append(catalog, &list);
	if (r == 0)
		r = sha256_add(catalog->sum, text);
	if (r == 0)
		r = sha256_hex(catalog->sum, catalog->hex);
	if (r == -ENOMEM)
		diag_add(diag, name, 0, 0, "out of memory");
	/* Kept on a late failure too: services that were appended point into it. */
	arena_join(&catalog->arena, &arena);
	service_list_done(&list);
	return r;
}

int catalog_add_builtin(struct catalog *catalog, struct diag *diag)
{
	static const struct span folder = {"providers/", sizeof("providers/") - 1};

	for (const struct embedded_file *file = embedded_files; file->name; file++) {
		_cleanup_free_ char *name = NULL;
		int r;

		if (!span_starts(span_str(file->name), folder))
			continue;
		if (asprintf(&name, "built-in %s", file->name) < 0)
			return -ENOMEM;
		r = catalog_add(catalog, name,
				span_of(file->begin, (size_t)(file->end - file->begin)), diag);
		if (r < 0)
			return r;
	}
	return 0;
}

/* By id, and the later of equal ones first: both lie in one array. */
static int compare_services(const void *x, const void *y)
{
	const struct service *a = *(const struct service *const *)x;
	const struct service *b = *(const struct service *const *)y;
	int order = strcmp(a->id, b->id);

	if (order)
		return order;
	return a > b ? -1 : a < b;
}

/* Leaves the last added service of each id, in order of id. */
static size_t services_unique(const struct service **services, size_t count)
{
	size_t kept = 0;

	qsort(services, count, sizeof(*services), compare_services);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || strcmp(services[kept - 1]->id, services[i]->id) != 0)
			services[kept++] = services[i];
	return kept;
}

static int catalog_build_index(struct catalog *catalog)
{
	const struct service_list *all = &catalog->added;
	_cleanup_free_ struct host_rule *rules = calloc(all->rule_count + 1, sizeof(*rules));
	_cleanup_free_ bool *alive = calloc(all->service_count + 1, sizeof(*alive));
	size_t n = 0;

	if (!rules || !alive)
		return -ENOMEM;
	for (size_t i = 0; i < catalog->service_count; i++)
		alive[catalog->services[i] - all->services] = true;
	for (size_t i = 0; i < all->rule_count; i++)
		if (alive[all->rules[i].service])
			rules[n++] = all->rules[i];
	host_index_free(catalog->index);
	catalog->index = host_index_new(rules, n);
	return catalog->index ? 0 : -ENOMEM;
}

int catalog_seal(struct catalog *catalog)
{
	const struct service_list *all = &catalog->added;

	free(catalog->services);
	catalog->service_count = 0;
	catalog->services = calloc(all->service_count + 1, sizeof(*catalog->services));
	if (!catalog->services)
		return -ENOMEM;
	for (size_t i = 0; i < all->service_count; i++)
		catalog->services[i] = &all->services[i];
	catalog->service_count = services_unique(catalog->services, all->service_count);
	return catalog_build_index(catalog);
}

static enum catalog_how how_of(const struct host_rule *rule)
{
	static const enum catalog_how how[] = {
		[PATTERN_EXACT] = CATALOG_HOST_EXACT,
		[PATTERN_SUFFIX] = CATALOG_HOST_SUFFIX,
		[PATTERN_GLOB] = CATALOG_HOST_GLOB,
	};

	return how[rule->pattern.kind];
}

static const struct service *service_of(const struct catalog *catalog, const struct host_rule *rule)
{
	assert(rule); /* an index finds no others */
	return &catalog->added.services[rule->service];
}

static void add_other(struct catalog_match *match, const struct service *service)
{
	if (service == match->service)
		return;
	for (size_t i = 0; i < match->other_count; i++)
		if (match->others[i] == service)
			return;
	match->others[match->other_count++] = service;
}

/* In lower case without the dot at the end, in `lower`; empty: no host name. */
static struct span host_text(struct span host, char lower[static HOST_NAME_MAX_BYTES])
{
	if (host.len && host.at[host.len - 1] == '.')
		host.len--;
	if (host.len > HOST_NAME_MAX_BYTES)
		return (struct span){0};
	for (size_t i = 0; i < host.len; i++)
		lower[i] = ascii_lower(host.at[i]);
	return span_of(lower, host.len);
}

/* What begins otherwise is no path: OPTIONS has "*", CONNECT a host. */
static struct span path_text(struct span path)
{
	return path.len && path.at[0] == '/' ? path : (struct span){0};
}

bool catalog_lookup(const struct catalog *catalog, struct span host, struct span path,
		    struct catalog_match *match)
{
	char lower[HOST_NAME_MAX_BYTES];
	const struct host_rule *rule;
	struct host_found found;

	host = host_text(host, lower);
	if (!catalog->index || host.len == 0)
		return false;
	host_index_find(catalog->index, host, path_text(path), &found);
	rule = found.best;
	for (size_t i = 0; !found.best && i < found.open_count; i++)
		if (!rule || host_rule_wins(found.open[i], rule))
			rule = found.open[i];
	if (!rule)
		return false;
	match->service = service_of(catalog, rule);
	match->how = how_of(rule);
	match->place = (enum catalog_place)rule->place;
	match->shared = rule->shared || !found.best;
	match->assets = rule->assets;
	match->confidence = rule->confidence;
	match->pattern = pattern_text(&rule->pattern);
	match->other_count = 0;
	for (size_t i = 0; i < found.open_count; i++)
		add_other(match, service_of(catalog, found.open[i]));
	return true;
}

static void describe(const struct catalog *catalog, const struct host_rule *rule, struct span path,
		     struct catalog_pattern *pattern)
{
	bool has_path = pattern_path(&rule->pattern).len > 0;

	*pattern = (struct catalog_pattern){
		.service = service_of(catalog, rule),
		.text = pattern_text(&rule->pattern),
		.how = how_of(rule),
		.place = (enum catalog_place)rule->place,
		.shared = rule->shared,
		.confidence = rule->confidence,
		.path_open = has_path && !path.len,
		.path_else = has_path && path.len && !pattern_path_matches(&rule->pattern, path),
	};
	pattern->replaced = catalog_service_by_id(catalog, span_str(pattern->service->id)) !=
			    pattern->service;
}

struct explained {
	const struct host_rule *rule;
	bool replaced;
};

static int compare_explained(const void *x, const void *y)
{
	const struct explained *a = x, *b = y;

	if (a->replaced != b->replaced)
		return a->replaced ? 1 : -1;
	return host_rule_wins(a->rule, b->rule) ? -1 : 1;
}

/* Has what replaced the i-th, which comes before it, the same pattern? */
static bool is_kept(const struct catalog *catalog, const struct explained *matching, size_t i)
{
	const struct host_rule *rule = matching[i].rule;

	for (size_t j = 0; j < i && !matching[j].replaced; j++)
		if (span_eq(pattern_text(&rule->pattern),
			    pattern_text(&matching[j].rule->pattern)) &&
		    strcmp(service_of(catalog, rule)->id,
			   service_of(catalog, matching[j].rule)->id) == 0)
			return true;
	return false;
}

int catalog_explain(const struct catalog *catalog, struct span host, struct span path,
		    void (*tell)(void *ctx, const struct catalog_pattern *pattern), void *ctx)
{
	const struct service_list *all = &catalog->added;
	_cleanup_free_ struct explained *matching = calloc(all->rule_count + 1, sizeof(*matching));
	char lower[HOST_NAME_MAX_BYTES];
	struct catalog_pattern pattern;
	size_t n = 0;

	if (!matching)
		return -ENOMEM;
	host = host_text(host, lower);
	path = path_text(path);
	for (size_t i = 0; i < all->rule_count; i++) {
		if (!pattern_host_matches(&all->rules[i].pattern, host))
			continue;
		describe(catalog, &all->rules[i], path, &pattern);
		matching[n++] = (struct explained){&all->rules[i], pattern.replaced};
	}
	qsort(matching, n, sizeof(*matching), compare_explained);
	for (size_t i = 0; i < n; i++) {
		if (matching[i].replaced && is_kept(catalog, matching, i))
			continue;
		describe(catalog, matching[i].rule, path, &pattern);
		tell(ctx, &pattern);
	}
	return 0;
}

void catalog_service_pattern(const struct catalog *catalog, const struct service *service, size_t i,
			     struct catalog_pattern *pattern)
{
	describe(catalog, &catalog->added.rules[service->first_pattern + i], (struct span){0},
		 pattern);
}

static bool has_port(const uint16_t *ports, size_t count, uint16_t port)
{
	for (size_t i = 0; i < count; i++)
		if (ports[i] == port)
			return true;
	return false;
}

static bool speaks(const struct service *service, struct span family)
{
	for (size_t i = 0; i < service->family_count; i++)
		if (span_eq(service->families[i], family))
			return true;
	return false;
}

/* How many services have that port, among the ports that are usual for them or the others. */
static size_t on_port(const struct catalog *catalog, uint16_t port, struct span family, bool usual,
		      const struct service **found)
{
	size_t n = 0;

	for (size_t i = 0; i < catalog->service_count; i++) {
		const struct service *s = catalog->services[i];

		if (!has_port(usual ? s->ports : s->other_ports,
			      usual ? s->port_count : s->other_port_count, port) ||
		    !speaks(s, family))
			continue;
		*found = s;
		n++;
	}
	return n;
}

bool catalog_lookup_port(const struct catalog *catalog, uint16_t port, struct span family,
			 struct catalog_match *match)
{
	const struct service *found = NULL;
	size_t n = on_port(catalog, port, family, true, &found);

	if (!n)
		n = on_port(catalog, port, family, false, &found);
	if (n != 1)
		return false;
	*match = (struct catalog_match){
		.service = found,
		.how = CATALOG_PORT,
		.place = CATALOG_LOCAL_PORT,
		.confidence = CATALOG_PORT_CONFIDENCE,
	};
	return true;
}

size_t catalog_services(const struct catalog *catalog)
{
	return catalog->service_count;
}

size_t catalog_bytes(const struct catalog *catalog)
{
	const struct service_list *all = &catalog->added;

	return sizeof(*catalog) + arena_bytes(&catalog->arena) +
	       all->service_count * (sizeof(*all->services) + sizeof(*catalog->services)) +
	       all->rule_count * sizeof(*all->rules) +
	       (catalog->index ? host_index_bytes(catalog->index) : 0);
}

const char *catalog_sha256(const struct catalog *catalog)
{
	return catalog->hex;
}

const struct service *catalog_service(const struct catalog *catalog, size_t i)
{
	return catalog->services[i];
}

const struct service *catalog_service_by_id(const struct catalog *catalog, struct span id)
{
	size_t low = 0, high = catalog->service_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct service *service = catalog->services[middle];
		size_t len = strlen(service->id);
		int order = memcmp(id.at, service->id, id.len < len ? id.len : len);

		if (order == 0 && id.len == len)
			return service;
		if (order < 0 || (order == 0 && id.len < len))
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
