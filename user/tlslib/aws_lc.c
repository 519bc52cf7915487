/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>

#include "tlslib/error_sites.h"
#include "tlslib/file.h"
#include "tlslib/rows.h"
#include "util/cleanup.h"

/*
 * rustls over AWS-LC, linked statically and stripped (Codex, Deno): Rust code is inlined beyond
 * recognition, but each TLS record is sealed and opened by one of four C functions of
 * crypto/fipsmodule/cipher/aead.c. They differ in the reasons that they report: CIPHER_R_TOO_LARGE 117,
 * CIPHER_R_OUTPUT_ALIASES_INPUT 115, CIPHER_R_INVALID_NONCE_SIZE ... (include/openssl/cipher.h).
 */

static const struct tlslib_needle needles[] = {
	{NEEDLE_PATH,
	 {"aws-lc/crypto/fipsmodule/cipher/aead.c",
	  sizeof("aws-lc/crypto/fipsmodule/cipher/aead.c")}},
	{NEEDLE_PATH, {NULL, 0}},
};

/* Of those that a function fits, the first: seal may hold seal_scatter, and open open_gather. */
static const struct aead_kind {
	enum tls_function function;
	uint16_t reasons[4];
} kinds[] = {
	{TLS_AEAD_SEAL, {117, 103, 115, 0}},
	{TLS_AEAD_OPEN, {115, 101, 103, 0}},
	{TLS_AEAD_SEAL_SCATTER, {112, 115, 0}},
	{TLS_AEAD_OPEN_GATHER, {115, 104, 0}},
};

/* Which kind the function of these sites is; -ENOENT: none. */
static int kind_of(const struct error_sites *sites, size_t from, size_t count)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (error_group_has(sites, from, count, kinds[i].reasons))
			return (int)i;
	return -ENOENT;
}

/* Each kind's function; 0: none. -ENOENT: two of one kind, or places whose function is not known. */
static int classify(const struct error_sites *sites, uint64_t *starts)
{
	for (size_t i = 0, n; i < sites->count; i += n) {
		int kind;

		n = error_sites_group(sites, i);
		kind = kind_of(sites, i, n);
		if (kind < 0)
			continue;
		if (!sites->sites[i].function.start || starts[kind])
			return -ENOENT;
		starts[kind] = sites->sites[i].function.start;
	}
	return 0;
}

static int aws_lc_find(struct tlslib_file *file, struct tls_hook *hooks, size_t cap)
{
	uint64_t starts[ARRAY_SIZE(kinds)] = {0};
	struct error_sites sites;
	size_t count = 0;
	int r = error_sites_of(file, &needles[0], &sites);

	if (r)
		return r;
	r = cap < ARRAY_SIZE(kinds) ? -ENOENT : classify(&sites, starts);
	error_sites_done(&sites);
	/* Both directions, each by one of its two functions at least. */
	if (!r && ((!starts[0] && !starts[2]) || (!starts[1] && !starts[3])))
		r = -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !r; i++) {
		if (!starts[i])
			continue;
		r = function_hook(&file->image, starts[i], &hooks[count]);
		hooks[count++].function = kinds[i].function;
	}
	return r ? r : (int)count;
}

const struct tlslib_ops aws_lc_tlslib = {
	.name = "aws-lc",
	.needles = needles,
	.find = aws_lc_find,
};
