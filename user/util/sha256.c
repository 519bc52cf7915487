/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/sha256.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <openssl/evp.h>

struct sha256 {
	EVP_MD_CTX *context;
};

struct sha256 *sha256_new(void)
{
	struct sha256 *sum = calloc(1, sizeof(*sum));

	if (!sum)
		return NULL;
	sum->context = EVP_MD_CTX_new();
	if (!sum->context || !EVP_DigestInit_ex(sum->context, EVP_sha256(), NULL)) {
		sha256_free(sum);
		return NULL;
	}
	return sum;
}

void sha256_free(struct sha256 *sum)
{
	if (!sum)
		return;
	EVP_MD_CTX_free(sum->context);
	free(sum);
}

int sha256_add(struct sha256 *sum, struct span text)
{
	uint64_t len = htobe64(text.len);

	if (!EVP_DigestUpdate(sum->context, &len, sizeof(len)) ||
	    !EVP_DigestUpdate(sum->context, text.at ? text.at : "", text.len))
		return -ENOMEM;
	return 0;
}

int sha256_hex(const struct sha256 *sum, char hex[static SHA256_HEX_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	unsigned char raw[32];
	int r = -ENOMEM;

	if (copy && EVP_MD_CTX_copy_ex(copy, sum->context) && EVP_DigestFinal_ex(copy, raw, NULL)) {
		for (size_t i = 0; i < sizeof(raw); i++) {
			hex[2 * i] = digits[raw[i] >> 4];
			hex[2 * i + 1] = digits[raw[i] & 15];
		}
		hex[SHA256_HEX_BYTES - 1] = '\0';
		r = 0;
	}
	EVP_MD_CTX_free(copy);
	return r;
}
