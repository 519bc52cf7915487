/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/span.h"

/* What a ClientHello gives away (RFC 8446 section 4.1.2, RFC 6066 section 3, RFC 7301). */
struct tls_hello {
	/* Lower case, without a trailing dot. Empty: none sent, or no host name (RFC 1123 section
	 * 2.1 letters, digits, hyphens, and the underscore that some use). */
	char server_name[HOST_NAME_MAX_BYTES];
	char alpn[32];    /* the first protocol offered that is printable, empty: none */
	uint16_t version; /* the highest offered, 0x0304 for TLS 1.3 */
	char ja4[40];     /* JA4 (FoxIO, BSD-3-Clause specification), TCP form */
	bool ech;         /* carries the encrypted_client_hello extension, GREASE or not */
	bool alpn_only;   /* `alpn` is all that was offered */
};

/* What a ServerHello gives away (RFC 8446 section 4.1.3), or a HelloRetryRequest, which has its form. */
struct tls_server_hello {
	uint16_t version; /* the chosen one, 0x0304 for TLS 1.3 */
	char alpn[32];    /* the chosen protocol, which TLS 1.3 encrypts: empty then */
};

struct tls_hello_parser;

/* NULL when out of memory. */
struct tls_hello_parser *tls_hello_new(void);
/* NULL is fine. */
void tls_hello_free(struct tls_hello_parser *parser);
/* Feeds bytes that the client sent, from its first on, cut anyhow; records and handshake
 * fragments are put together up to TLS_HELLO_MAX (RFC 8446 section 5.1).
 * 1: *hello is filled; bytes after the ClientHello are ignored, and further calls fill the same.
 * 0: more is needed. -EPROTO: this is no TLS ClientHello, now and in every later call. -ENOMEM:
 * likewise final. *hello is untouched unless 1. */
int tls_hello_feed(struct tls_hello_parser *parser, struct span bytes, struct tls_hello *hello);
/* The same for the server's first bytes and its ServerHello; a parser is for one of the two. */
int tls_server_hello_feed(struct tls_hello_parser *parser, struct span bytes,
			  struct tls_server_hello *hello);
/* "1.2" and so on, as ECS has it; NULL: no version of TLS that was ever standard. */
const char *tls_version_text(uint16_t version);
