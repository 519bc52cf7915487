/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/observation.h"
#include "gnomon/span.h"

/* What one answer says of the name that was asked for, aliases followed. */
struct dns_answer {
	char name[HOST_NAME_MAX_BYTES]; /* lower case, without a trailing dot */
	struct net_address address;     /* family 0: an HTTPS record, see `ech` */
	uint32_t ttl_s;                 /* the least of the chain's */
	bool ech;                       /* its HTTPS record has keys for encrypted hellos */
};

/*
 * Reads a DNS response as it is in a UDP datagram (RFC 1035 section 4.1, RFC 3596, RFC 9460): tells each A and
 * AAAA record that the question's name leads to, and an HTTPS record. Bounded whatever the message says.
 * The number told; -EBADMSG: malformed, what was told before stands. -ENOMSG: no response to one question.
 */
int dns_read(struct span message, void (*tell)(void *ctx, const struct dns_answer *answer),
	     void *ctx);
