/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include "gnomon/span.h"
#include "protocol/tls_hello.h"

/*
 * A QUIC client's Initial packets (RFC 9000 section 17.2.2), whose keys anybody can derive from the packet
 * itself (RFC 9001 section 5.2; version 2: RFC 9369): enough of them to read the ClientHello.
 */
struct quic_initials;

/* Does this datagram begin with a long header of a known version? Worth feeding, then. */
bool quic_starts(struct span datagram);

/* NULL when out of memory. */
struct quic_initials *quic_initials_new(void);
/* NULL is fine. */
void quic_initials_free(struct quic_initials *initials);
/* Feeds a whole datagram that the client sent, or several that it sent at once, as the kernel joins them; packets other than Initials are passed over. CRYPTO frames may
 * come in any order over several datagrams. 1: *hello is filled; its JA4 has the form for QUIC. 0: more is
 * needed. -EPROTO: this will never be a ClientHello; -ENOMEM: likewise final. *hello is untouched unless 1. */
int quic_initials_feed(struct quic_initials *initials, struct span datagram,
		       struct tls_hello *hello);
