/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>

#include "tlslib/file.h"
#include "tlslib/rows.h"

/*
 * NSS sits below NSPR's I/O layers: Firefox and Thunderbird write plaintext with PR_Write(fd, buf, amount)
 * and read it with PR_Read(fd, buf, amount); both return an int32_t. The same calls serve files, pipes and
 * plain sockets, which the stream's first bytes tell apart. Mozilla's own builds fold NSPR into libnss3.
 */

static const char *const symbols[] = {
	"PR_Read", "PR_Write", "PR_Close", "PR_ImportTCPSocket", NULL,
};

static bool nspr_match(struct span path)
{
	return path_is_library(path, SPAN_LITERAL("libnspr4")) ||
	       path_is_library(path, SPAN_LITERAL("libnss3"));
}

static int nspr_find(struct tlslib_file *file, struct tls_hook *hooks, size_t cap)
{
	static const struct named_hook data[] = {
		{"PR_Read", TLS_READ},
		{"PR_Write", TLS_WRITE},
		{NULL, 0},
	};
	static const struct named_hook ends[] = {{"PR_Close", TLS_FREE}, {NULL, 0}};

	/* Not whoever else exports a PR_Read. */
	if (!file_symbol(file, "PR_ImportTCPSocket"))
		return -ENOENT;
	return file_symbol_hooks(file, data, ends, hooks, cap);
}

const struct tlslib_ops nspr_tlslib = {
	.name = "nspr",
	.match = nspr_match,
	.symbols = symbols,
	.find = nspr_find,
};
