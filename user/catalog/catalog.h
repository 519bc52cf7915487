/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/span.h"

struct diag;
struct catalog;

/* One AI service. The strings live as long as the catalogue. */
struct service {
	const char *id;       /* gnomon.service */
	const char *vendor;   /* for people */
	const char *kind;     /* gnomon.service_kind */
	const char *country;  /* of the vendor's headquarters, ISO 3166 alpha-2; NULL: not known */
	const char *provider; /* gen_ai.provider.name: OpenTelemetry's value, else the id */
	const struct span *families; /* API families it speaks */
	size_t family_count;
	const struct span *key_prefixes; /* what its credentials begin with */
	size_t key_prefix_count;
	const uint16_t *ports; /* where it listens by default, when people run it themselves */
	size_t port_count;
	const uint16_t *other_ports; /* ... where a better known program is more likely to */
	size_t other_port_count;
	size_t first_pattern, pattern_count; /* of those of its catalogue */
};

enum catalog_how { CATALOG_HOST_EXACT, CATALOG_HOST_SUFFIX, CATALOG_HOST_GLOB, CATALOG_PORT };

/* Where a pattern stood. */
enum catalog_place {
	CATALOG_API_HOST,
	CATALOG_WEB_HOST,
	CATALOG_OTHER_HOST, /* the vendor's documents and the like: no use of the service */
	CATALOG_URL_PREFIX,
	CATALOG_LOCAL_PORT,
};

struct catalog_match {
	const struct service *service;
	enum catalog_how how;
	enum catalog_place place;
	/* A host that also serves other things: it needs a path, header or shape besides. */
	bool shared;
	/* It serves pictures and scripts: whoever opens a page fetches them, and asks nothing. */
	bool assets;
	unsigned int confidence; /* 0..100 */
	struct span pattern;
	/* Other services that the host may be in use for, which the path would tell; it was not given. */
	const struct service *others[CATALOG_OPEN_MAX];
	size_t other_count;
};

/* An empty catalogue. NULL when out of memory. */
struct catalog *catalog_new(void);
void catalog_free(struct catalog *catalog);
/* Adds the services of one YAML text; `name` is for messages. A service with the id of one of an earlier
 * file replaces it whole, one with `override` changes it. -EINVAL with every error in `diag`: the
 * catalogue is then as before. */
int catalog_add(struct catalog *catalog, const char *name, struct span text, struct diag *diag);
/* Adds everything under providers/ that is embedded in the binary. */
int catalog_add_builtin(struct catalog *catalog, struct diag *diag);
/* Prepares for look-ups; call once after the last add. -ENOMEM. */
int catalog_seal(struct catalog *catalog);
/*
 * The most specific pattern wins (pattern.h); of equal patterns the later file's. The host may be in any
 * case, with a trailing dot; `path` is a request target's, as sent, or empty when it is not known.
 * Without a path a pattern that has one is no match: the host's own is, if there is one, and
 * match->others has the services of such patterns. Where a path alone makes a service of the host,
 * the match is the most likely one, and shared. false: not known. Allocates nothing.
 */
bool catalog_lookup(const struct catalog *catalog, struct span host, struct span path,
		    struct catalog_match *match);
/* The service that people run on this port and that speaks this API family, when it is the only one;
 * those that have it among other_ports are asked only when no service has it among its ports. A port
 * alone proves nothing: ask only about what has the family's shape. */
bool catalog_lookup_port(const struct catalog *catalog, uint16_t port, struct span family,
			 struct catalog_match *match);

/* A pattern, as written, and what became of it. */
struct catalog_pattern {
	const struct service *service;
	struct span text;
	enum catalog_how how;
	enum catalog_place place;
	bool shared;
	unsigned int confidence;
	bool replaced;  /* the service is another file's now */
	bool path_open; /* it depends on a path that is not known */
	bool path_else; /* ... or that is another one */
};

/* Calls back for every pattern that has to do with this host, the most specific first, replaced ones
 * last. Walks through all patterns. -ENOMEM. */
int catalog_explain(const struct catalog *catalog, struct span host, struct span path,
		    void (*tell)(void *ctx, const struct catalog_pattern *pattern), void *ctx);
/* The patterns of a service of a sealed catalogue, in the order of its file; i < pattern_count. */
void catalog_service_pattern(const struct catalog *catalog, const struct service *service, size_t i,
			     struct catalog_pattern *pattern);
size_t catalog_services(const struct catalog *catalog);
/* Lower-case hex SHA-256 over everything added, for the status event. */
const char *catalog_sha256(const struct catalog *catalog);
/* Bytes that a sealed catalogue takes, its index included. */
size_t catalog_bytes(const struct catalog *catalog);
/* The i-th service, in order of id. */
const struct service *catalog_service(const struct catalog *catalog, size_t i);
/* Could a path, header or shape name another service than this match does, or none? */
static inline bool catalog_match_open(const struct catalog_match *match)
{
	return !match->service || match->shared || match->other_count > 0;
}
/* The service of that id in a sealed catalogue, or NULL. */
const struct service *catalog_service_by_id(const struct catalog *catalog, struct span id);
/* The kinds of services, ending with NULL. */
extern const char *const catalog_kinds[];
