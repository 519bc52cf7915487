/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/quic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Datagrams of a length that their first two bytes tell; whatever comes out is a sane name, and stays. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quic_initials *q = quic_initials_new();
	struct tls_hello hello = {0}, again;
	int r = 0, before = 0;

	while (size >= 2) {
		size_t len = (size_t)(data[0] << 8 | data[1]) & 0x7ff;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		r = quic_initials_feed(q, span_of((const char *)data, len), &hello);
		if (before && r != before)
			abort();
		before = r;
		data += len;
		size -= len;
	}
	for (const char *c = hello.server_name; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || (*c >= 'A' && *c <= 'Z'))
			abort();
	again = hello;
	if (r == 1 && (quic_initials_feed(q, span_of("", 0), &again) != 1 ||
		       memcmp(&again, &hello, sizeof(hello)) != 0))
		abort();
	quic_initials_free(q);
	return 0;
}
