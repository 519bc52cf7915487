/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/span.h"

/* What a ClientHello gives away (RFC 8446 section 4.1.2, RFC 6066 section 3, RFC 7301). */
struct tls_hello {
	char server_name[HOST_NAME_MAX_BYTES]; /* lower case, empty: none sent */
	char alpn[32];                         /* the first protocol offered, empty: none */
	uint16_t version;                      /* the highest offered, 0x0304 for TLS 1.3 */
	char ja4[40];                          /* JA4 (FoxIO, BSD-3-Clause specification), TCP form */
	bool ech;                              /* carries the encrypted_client_hello extension, GREASE or not */
};

struct tls_hello_parser;

struct tls_hello_parser *tls_hello_new(void);
void tls_hello_free(struct tls_hello_parser *parser);
/* Feeds bytes that the client sent, from its first on, cut anyhow; records and handshake
 * fragments are put together up to TLS_HELLO_MAX.
 * 1: *hello is filled. 0: more is needed. -EPROTO: this is no TLS ClientHello. */
int tls_hello_feed(struct tls_hello_parser *parser, struct span bytes, struct tls_hello *hello);
