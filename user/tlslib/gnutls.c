/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/file.h"
#include "tlslib/rows.h"

/*
 * GnuTLS 3.6.3 and later, always a shared library (wget, git over libcurl-gnutls, glib-networking).
 * gnutls_record_send(3) only jumps to gnutls_record_send2, so that one is enough; both take the session,
 * the data and its size first and return what they moved, as gnutls_record_recv(3) does. Older libraries
 * have gnutls_record_send alone.
 */

static const char *const symbols[] = {
	"gnutls_record_send2", "gnutls_record_send", "gnutls_record_recv",
	"gnutls_deinit",       "gnutls_bye",         NULL,
};

/* "libgnutls.so.30", "libgnutls-1a2b3c4d.so.30.34.3" */
static bool gnutls_match(struct span path)
{
	return path_is_library(path, SPAN_LITERAL("libgnutls"));
}

static int gnutls_find(struct tlslib_file *file, struct tls_hook *hooks, size_t cap)
{
	static const struct named_hook ends[] = {
		{"gnutls_deinit", TLS_FREE},
		{"gnutls_bye", TLS_SHUTDOWN},
		{NULL, 0},
	};
	const struct named_hook data[] = {
		{"gnutls_record_recv", TLS_READ},
		{file_symbol(file, "gnutls_record_send2") ? "gnutls_record_send2"
							  : "gnutls_record_send",
		 TLS_WRITE},
		{NULL, 0},
	};

	return file_symbol_hooks(file, data, ends, hooks, cap);
}

const struct tlslib_ops gnutls_tlslib = {
	.name = "gnutls",
	.match = gnutls_match,
	.symbols = symbols,
	.find = gnutls_find,
};
