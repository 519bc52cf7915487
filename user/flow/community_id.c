/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "flow/community_id.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "util/bytes.h"

enum { SHA1_BYTES = 20, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

/* The numerically smaller address and port come first, so that both directions give one id. */
static bool in_order(const struct net_endpoint *a, const struct net_endpoint *b, size_t address_len)
{
	int r = memcmp(a->address.bytes, b->address.bytes, address_len);

	return r < 0 || (r == 0 && a->port <= b->port);
}

void community_id(char out[COMMUNITY_ID_MAX], const struct net_endpoint *source,
		  const struct net_endpoint *destination, uint8_t protocol)
{
	size_t address_len = source->address.family == 4 ? 4 : 16;
	const struct net_endpoint *low = source, *high = destination;
	unsigned char digest[SHA1_BYTES];
	char tuple[2 + 16 + 16 + 2 + 2 + 2] = {0}; /* begins with the seed: 0 */
	size_t n = 2;

	out[0] = '\0';
	if (source->address.family != destination->address.family)
		return;
	if (source->address.family != 4 && source->address.family != 6)
		return;
	if (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP)
		return;

	if (!in_order(low, high, address_len)) {
		low = destination;
		high = source;
	}
	memcpy(tuple + n, low->address.bytes, address_len);
	n += address_len;
	memcpy(tuple + n, high->address.bytes, address_len);
	n += address_len;
	tuple[n] = (char)protocol; /* and a byte of padding */
	n += 2;
	put_be16(tuple + n, low->port);
	put_be16(tuple + n + 2, high->port);
	n += 4;

	if (EVP_Digest(tuple, n, digest, NULL, EVP_sha1(), NULL) != 1)
		return;
	out[0] = '1';
	out[1] = ':';
	static_assert(2 + (SHA1_BYTES + 2) / 3 * 4 + 1 <= COMMUNITY_ID_MAX, "base64 and its NUL");
	EVP_EncodeBlock((unsigned char *)out + 2, digest, SHA1_BYTES);
}
