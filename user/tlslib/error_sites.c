/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/error_sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Arguments are loaded around the reference to the name: up to 12 bytes before, 44 after. */
#define BYTES_BEFORE 12
#define BYTES_AFTER  44
/* Reasons are below 1,300 and lines of these files below 4,000. */
#define VALUE_MAX 8000

static void add_value(struct error_site *site, uint32_t value)
{
	if (value && value < VALUE_MAX && site->count < ERROR_VALUES_MAX)
		site->values[site->count++] = (uint16_t)value;
}

/* `mov r32, imm32`, `push imm8` and `push imm32` at any byte: a value too many is harmless, as it is the
 * combination that counts. */
static void collect_values(struct error_site *site, const uint8_t *code, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint32_t value;

		if (code[i] == 0x6a && i + 1 < len)
			add_value(site, code[i + 1]);
		if (i + 5 > len || ((code[i] & 0xf8) != 0xb8 && code[i] != 0x68))
			continue;
		memcpy(&value, code + i + 1, sizeof(value));
		add_value(site, value);
	}
}

static int fill_site(const struct tlslib_file *file, uint64_t address, struct error_site *site)
{
	uint8_t code[BYTES_BEFORE + BYTES_AFTER];
	ssize_t n = elf_read_address(&file->image, code, sizeof(code), address - BYTES_BEFORE);
	int r;

	if (n < 0)
		return (int)n;
	collect_values(site, code, (size_t)n);
	r = function_at(&file->image, address, &site->function);
	if (r == -ENOENT)
		site->function = (struct function){0, 0};
	return r == -ENOENT ? 0 : r;
}

static int by_function(const void *a, const void *b)
{
	uint64_t x = ((const struct error_site *)a)->function.start;
	uint64_t y = ((const struct error_site *)b)->function.start;

	return x < y ? -1 : x > y;
}

int error_sites_of(const struct tlslib_file *file, const struct tlslib_needle *needle,
		   struct error_sites *sites)
{
	const struct scan *scan = &file->scan;
	size_t wanted = 0;

	*sites = (struct error_sites){NULL, 0};
	for (size_t i = 0; i < scan->xref_count; i++)
		wanted += scan->hits[scan->xrefs[i].hit].needle == needle;
	if (!wanted || scan->incomplete)
		return -ENOENT;
	sites->sites = calloc(wanted, sizeof(*sites->sites));
	if (!sites->sites)
		return -ENOMEM;
	for (size_t i = 0; i < scan->xref_count; i++) {
		int r;

		if (scan->hits[scan->xrefs[i].hit].needle != needle)
			continue;
		r = fill_site(file, scan->xrefs[i].address, &sites->sites[sites->count++]);
		if (r) {
			error_sites_done(sites);
			return r;
		}
	}
	qsort(sites->sites, sites->count, sizeof(*sites->sites), by_function);
	return 0;
}

void error_sites_done(struct error_sites *sites)
{
	free(sites->sites);
	*sites = (struct error_sites){NULL, 0};
}

bool error_site_has(const struct error_site *site, uint16_t value)
{
	for (size_t i = 0; i < site->count; i++)
		if (site->values[i] == value)
			return true;
	return false;
}

size_t error_sites_group(const struct error_sites *sites, size_t from)
{
	size_t n = 1;

	while (from + n < sites->count &&
	       sites->sites[from + n].function.start == sites->sites[from].function.start)
		n++;
	return n;
}

bool error_group_has(const struct error_sites *sites, size_t from, size_t count,
		     const uint16_t *values)
{
	for (; *values; values++) {
		bool found = false;

		for (size_t i = 0; i < count && !found; i++)
			found = error_site_has(&sites->sites[from + i], *values);
		if (!found)
			return false;
	}
	return true;
}

int error_function_with(const struct error_sites *sites, const uint16_t *values)
{
	int found = -ENOENT;

	for (size_t i = 0, n; i < sites->count; i += n) {
		n = error_sites_group(sites, i);
		/* Of places in no known function nothing can be told. */
		if (!sites->sites[i].function.start || !error_group_has(sites, i, n, values))
			continue;
		if (found >= 0)
			return -ENOENT;
		found = (int)i;
	}
	return found;
}
