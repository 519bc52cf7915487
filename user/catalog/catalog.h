/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	size_t pattern_count;
};

enum catalog_how { CATALOG_HOST_EXACT, CATALOG_HOST_SUFFIX, CATALOG_HOST_GLOB, CATALOG_PORT };

struct catalog_match {
	const struct service *service;
	enum catalog_how how;
	/* A host that also serves other things: it needs a path, header or shape besides. */
	bool shared;
	/* It serves pictures and scripts: whoever opens a page fetches them, and asks nothing. */
	bool assets;
	/* An API host, as opposed to a web front end's. */
	bool api;
	unsigned int confidence; /* 0..100 */
	const char *pattern;
};

/* An empty catalogue. NULL when out of memory. */
struct catalog *catalog_new(void);
void catalog_free(struct catalog *catalog);
/* Adds the services of one YAML text; `name` is for messages. Later files override earlier services
 * of the same id. -EINVAL with every error in `diag`: the catalogue is then as before. */
int catalog_add(struct catalog *catalog, const char *name, struct span text, struct diag *diag);
/* Adds everything under providers/ that is embedded in the binary. */
int catalog_add_builtin(struct catalog *catalog, struct diag *diag);
/* Prepares for look-ups; call once after the last add. -ENOMEM. */
int catalog_seal(struct catalog *catalog);
/* The most specific pattern wins: exact, then the one with the most literal characters (pattern.h).
 * Of equal patterns the later file's wins. The host may be in any case, with a trailing dot. false:
 * not known. Allocates nothing. */
bool catalog_lookup(const struct catalog *catalog, struct span host, struct catalog_match *match);
/* The service that people run on this port and that speaks this API family, when it is the only one. A
 * port alone proves nothing: ask only about what has the family's shape. */
bool catalog_lookup_port(const struct catalog *catalog, uint16_t port, struct span family,
			 struct catalog_match *match);
size_t catalog_services(const struct catalog *catalog);
/* Lower-case hex SHA-256 over everything added, for the status event. */
const char *catalog_sha256(const struct catalog *catalog);
/* The i-th service, in order of id. */
const struct service *catalog_service(const struct catalog *catalog, size_t i);
/* The service of that id in a sealed catalogue, or NULL. */
const struct service *catalog_service_by_id(const struct catalog *catalog, struct span id);
/* The kinds of services, ending with NULL. */
extern const char *const catalog_kinds[];
