/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>

#include "gnomon/tlslib.h"
#include "tlslib/file.h"
#include "tlslib/rows.h"
#include "util/cleanup.h"

const struct tlslib_ops *const tlslib_table[] = {
	&openssl_tlslib, &boringssl_tlslib, &gnutls_tlslib, &nspr_tlslib,
	&go_tlslib,      &aws_lc_tlslib,    &ring_tlslib,   NULL,
};

const struct tlslib_ops *tlslib_by_path(struct span path)
{
	for (size_t i = 0; tlslib_table[i]; i++)
		if (tlslib_table[i]->match && tlslib_table[i]->match(path))
			return tlslib_table[i];
	return NULL;
}

bool tlslib_plausible(const struct tlslib_reader *reader)
{
	struct elf_image image;

	return elf_open(&image, reader) == 0 && elf_code_bytes(&image) >= TLSLIB_CODE_BYTES_MIN;
}

int tlslib_find(const struct tlslib_reader *reader, struct tls_hook *hooks, size_t cap)
{
	_cleanup_free_ struct tlslib_file *file = malloc(sizeof(*file));
	size_t count = 0;
	int r;

	if (!file)
		return -ENOMEM;
	r = file_search(file, reader, tlslib_table);
	if (r)
		return r;
	for (size_t i = 0; tlslib_table[i]; i++) {
		int n = tlslib_table[i]->find(file, hooks + count, cap - count);

		if (n < 0 && n != -ENOENT) {
			r = n;
			break;
		}
		for (int j = 0; j < n; j++)
			hooks[count + (size_t)j].library = tlslib_table[i];
		count += n > 0 ? (size_t)n : 0;
	}
	file_done(file);
	if (r)
		return r;
	return count ? (int)count : -ENOENT;
}
