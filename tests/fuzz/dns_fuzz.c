/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>

#include "protocol/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *ctx, const struct dns_answer *answer)
{
	size_t len = strlen(answer->name);

	++*(int *)ctx;
	if (len == 0 || len > 253 || (!answer->address.family && !answer->ech))
		abort();
	for (const char *c = answer->name; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || (*c >= 'A' && *c <= 'Z'))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int told = 0;
	int r = dns_read(span_of((const char *)data, size), check, &told);

	if (told > DNS_RECORDS_MAX || (r >= 0 && r != told))
		abort();
	return 0;
}
