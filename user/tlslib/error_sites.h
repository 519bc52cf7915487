/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "tlslib/file.h"

/*
 * Code that reports an error passes its source file's name, the reason and the line as constants
 * (OPENSSL_PUT_ERROR of BoringSSL and AWS-LC). In files without symbols that tells functions apart: which
 * reasons a function gives hardly ever changes.
 */

#define ERROR_VALUES_MAX 24

/* One place that mentions the source file's name. */
struct error_site {
	struct function function;          /* around it; start 0: not known */
	uint16_t values[ERROR_VALUES_MAX]; /* small constants that are loaded next to it */
	uint16_t count;
};

/* All places of one source file, in order of their functions. */
struct error_sites {
	struct error_site *sites;
	size_t count;
};

/* Collects the places that refer to a needle's strings. -ENOENT: none; -ENOMEM; -errno from the reader.
 * On success error_sites_done() is due. */
int error_sites_of(const struct tlslib_file *file, const struct tlslib_needle *needle,
		   struct error_sites *sites);
void error_sites_done(struct error_sites *sites);

bool error_site_has(const struct error_site *site, uint16_t value);

/* How many sites from index `from` on belong to the same function. */
size_t error_sites_group(const struct error_sites *sites, size_t from);

/* Does the function of the `count` sites from `from` on give all of these values? The list ends with 0. */
bool error_group_has(const struct error_sites *sites, size_t from, size_t count,
		     const uint16_t *values);

/* The one function with all of these values, by its first site's index; -ENOENT: none, or several. */
int error_function_with(const struct error_sites *sites, const uint16_t *values);
