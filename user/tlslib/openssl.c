/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/openssl.h"

#include <errno.h>

#include "tlslib/elf_symbols.h"
#include "util/cleanup.h"

/*
 * OpenSSL 1.1 and 3.x as a shared library: SSL_read(3), SSL_write(3) and the _ex forms, which CPython
 * uses alone since 3.10. They are exported by name in every build.
 */

static const struct {
	const char *name;
	enum tls_function function;
} exported[] = {
	{"SSL_read", TLS_READ},         {"SSL_write", TLS_WRITE}, {"SSL_read_ex", TLS_READ_EX},
	{"SSL_write_ex", TLS_WRITE_EX}, {"SSL_free", TLS_FREE},   {"SSL_shutdown", TLS_SHUTDOWN},
};

/* ".../libssl.so", ".../libssl.so.3", ".../libssl-1a2b3c4d.so.3" (wheels carry such names) */
static bool openssl_match(struct span path)
{
	struct span name = path;

	for (size_t i = 0; i < path.len; i++)
		if (path.at[i] == '/')
			name = span_skip(path, i + 1);
	if (!span_starts(name, SPAN_LITERAL("libssl")))
		return false;
	name = span_skip(name, strlen("libssl"));
	if (name.len && name.at[0] == '-')
		while (name.len && name.at[0] != '.')
			name = span_skip(name, 1);
	return span_starts(name, SPAN_LITERAL(".so"));
}

static int openssl_find(const struct tlslib_reader *reader, struct tls_hook *hooks, size_t cap)
{
	const char *names[ARRAY_SIZE(exported)];
	uint64_t offsets[ARRAY_SIZE(exported)];
	int n, count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(exported); i++)
		names[i] = exported[i].name;
	n = elf_find_functions(reader, names, offsets, ARRAY_SIZE(exported));
	if (n < 0)
		return n;
	for (size_t i = 0; i < ARRAY_SIZE(exported) && (size_t)count < cap; i++)
		if (offsets[i])
			hooks[count++] = (struct tls_hook){exported[i].function, offsets[i]};
	return count ? count : -ENOENT;
}

const struct tlslib_ops openssl_tlslib = {
	.name = "openssl",
	.match = openssl_match,
	.find = openssl_find,
};
