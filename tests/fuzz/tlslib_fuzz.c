/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An executable of another user's making, before all rows: hooks must lie inside it, in what its headers
 * call code. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gnomon/limits.h"
#include "gnomon/tlslib.h"
#include "tlslib/elf_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct image {
	const uint8_t *bytes;
	size_t len;
};

static ssize_t read_image(void *ctx, void *to, size_t len, uint64_t offset)
{
	const struct image *image = ctx;

	if (offset >= image->len)
		return 0;
	if (len > image->len - offset)
		len = image->len - offset;
	memcpy(to, image->bytes + offset, len);
	return (ssize_t)len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image image = {data, size};
	struct tlslib_reader reader = {read_image, &image};
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	uint8_t id[ELF_BUILD_ID_MAX];
	struct elf_image elf;
	int n = tlslib_find(&reader, hooks, TLS_HOOKS_PER_FILE_MAX);

	if (n == 0 || n > TLS_HOOKS_PER_FILE_MAX)
		abort();
	for (int i = 0; i < n; i++)
		if (hooks[i].file_offset >= size || !hooks[i].library ||
		    (unsigned int)hooks[i].function >= TLS_FUNCTION_COUNT)
			abort();
	(void)tlslib_plausible(&reader);
	if (elf_open(&elf, &reader) == 0 && elf_build_id(&elf, id, sizeof(id)) > (int)sizeof(id))
		abort();
	return 0;
}
