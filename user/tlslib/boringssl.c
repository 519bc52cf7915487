/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>

#include "tlslib/error_sites.h"
#include "tlslib/file.h"
#include "tlslib/rows.h"
#include "util/cleanup.h"

/*
 * BoringSSL, linked statically and stripped: Bun and what is compiled with it (Claude Code, opencode, Amp),
 * Chromium, Electron.
 *
 * SSL_write, SSL_read and SSL_peek all report errors from ssl/ssl_lib.cc. SSL_write is the one function
 * that gives ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED, SSL_R_UNINITIALIZED, SSL_R_PROTOCOL_IS_SHUTDOWN and
 * SSL_R_BAD_LENGTH. SSL_peek stands right above it in the source, gives the first of these, and is
 * compiled into SSL_read. Builds that keep SSL_peek as well have two functions with the same line; SSL_read
 * is the larger, since it holds all of SSL_peek, and comes first, as in the source.
 */

static const struct tlslib_needle needles[] = {
	{NEEDLE_PATH, {"ssl/ssl_lib.cc", sizeof("ssl/ssl_lib.cc")}},
	{NEEDLE_PATH, {NULL, 0}},
};

#define SHOULD_NOT_HAVE_BEEN_CALLED 66
/* SSL_peek's report is 21 or 22 lines above SSL_write's in builds of three years. */
#define LINES_APART 60
/* Where the file's code begins; smaller constants are reasons. */
#define LINE_MIN 300

static int find_write(const struct error_sites *sites)
{
	static const uint16_t all[] = {SHOULD_NOT_HAVE_BEEN_CALLED, 226, 215, 111, 0};
	static const uint16_t most[] = {SHOULD_NOT_HAVE_BEEN_CALLED, 226, 215, 0};
	int found = error_function_with(sites, all);

	return found >= 0 ? found : error_function_with(sites, most);
}

/* The largest constant in [low, high) beside the first reason; 0: none. */
static uint16_t line_of(const struct error_site *site, uint16_t low, uint16_t high)
{
	uint16_t line = 0;

	if (!error_site_has(site, SHOULD_NOT_HAVE_BEEN_CALLED))
		return 0;
	for (size_t i = 0; i < site->count; i++)
		if (site->values[i] >= low && site->values[i] < high && site->values[i] > line)
			line = site->values[i];
	return line;
}

static uint16_t write_line(const struct error_sites *sites, size_t write)
{
	uint16_t line = 0;

	for (size_t i = write; i < write + error_sites_group(sites, write); i++) {
		uint16_t here = line_of(&sites->sites[i], LINE_MIN, UINT16_MAX);

		line = here > line ? here : line;
	}
	return line;
}

/* Which of two is SSL_read, in a build that has SSL_peek too? -ENOENT: that is in doubt. */
static int check_pair(const struct tlslib_file *file, struct function *read, struct function *peek)
{
	int r = function_find_end(&file->image, read);

	if (!r)
		r = function_find_end(&file->image, peek);
	if (r)
		return r;
	return read->end <= peek->start && read->end - read->start > peek->end - peek->start
		       ? 0
		       : -ENOENT;
}

static int find_read(const struct tlslib_file *file, const struct error_sites *sites, size_t write,
		     struct function *read)
{
	uint16_t below = write_line(sites, write), best = 0;
	struct function found[2] = {{0, 0}, {0, 0}};
	size_t count = 0;

	if (below <= LINES_APART)
		return -ENOENT;
	for (size_t i = 0; i < sites->count; i++) {
		const struct function *f = &sites->sites[i].function;
		uint16_t line = line_of(&sites->sites[i], below - LINES_APART + 1, below);

		if (!line || line < best || f->start == sites->sites[write].function.start)
			continue;
		if (line > best)
			count = 0;
		best = line;
		if (count && found[count - 1].start == f->start)
			continue;
		if (count == ARRAY_SIZE(found) || !f->start)
			return -ENOENT;
		found[count++] = *f;
	}
	*read = found[0];
	if (count == 2)
		return check_pair(file, &found[0], &found[1]);
	return count ? 0 : -ENOENT;
}

static int boringssl_find(struct tlslib_file *file, struct tls_hook *hooks, size_t cap)
{
	struct error_sites sites;
	struct function read;
	int r = error_sites_of(file, &needles[0], &sites), write;

	if (r)
		return r;
	write = find_write(&sites);
	r = write < 0 ? write : find_read(file, &sites, (size_t)write, &read);
	if (!r && cap < 2)
		r = -ENOENT;
	if (!r)
		r = function_hook(&file->image, read.start, &hooks[0]);
	if (!r)
		r = function_hook(&file->image, sites.sites[write].function.start, &hooks[1]);
	error_sites_done(&sites);
	if (r)
		return r;
	hooks[0].function = TLS_READ;
	hooks[1].function = TLS_WRITE;
	return 2;
}

const struct tlslib_ops boringssl_tlslib = {
	.name = "boringssl",
	.needles = needles,
	.find = boringssl_find,
};
