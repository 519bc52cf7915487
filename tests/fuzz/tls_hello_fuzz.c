/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(struct span bytes, size_t step, struct tls_hello *hello)
{
	struct tls_hello_parser *parser = tls_hello_new();
	int r = 0;

	while (r == 0 && bytes.len) {
		size_t n = step < bytes.len ? step : bytes.len;

		r = tls_hello_feed(parser, span_of(bytes.at, n), hello);
		bytes = span_skip(bytes, n);
	}
	tls_hello_free(parser);
	return r;
}

static int feed_server(struct span bytes, size_t step, struct tls_server_hello *hello)
{
	struct tls_hello_parser *parser = tls_hello_new();
	int r = 0;

	while (r == 0 && bytes.len) {
		size_t n = step < bytes.len ? step : bytes.len;

		r = tls_server_hello_feed(parser, span_of(bytes.at, n), hello);
		bytes = span_skip(bytes, n);
	}
	tls_hello_free(parser);
	return r;
}

static void server(struct span bytes)
{
	struct tls_server_hello whole = {0}, bytewise = {0};

	if (feed_server(bytes, bytes.len, &whole) != feed_server(bytes, 1, &bytewise) ||
	    memcmp(&whole, &bytewise, sizeof(whole)) != 0)
		abort();
}

/* The same from the whole as from bytes one at a time; and only sane text comes out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_hello whole = {0}, bytewise = {0};
	struct span bytes = span_of((const char *)data, size);
	int r = feed(bytes, size, &whole);

	server(bytes);

	if (r != feed(bytes, 1, &bytewise) || memcmp(&whole, &bytewise, sizeof(whole)) != 0)
		abort();
	for (const char *c = whole.server_name; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || (*c >= 'A' && *c <= 'Z'))
			abort();
	if (r == 1 && strlen(whole.ja4) != 36)
		abort();
	return 0;
}
