/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/openssl.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gnomon/limits.h"

/* The real libssl of this machine, read whole, with an adjustable end. */
struct image {
	char *bytes;
	size_t len, end;
};

static ssize_t read_image(void *ctx, void *to, size_t len, uint64_t offset)
{
	const struct image *image = ctx;

	if (offset >= image->end)
		return 0;
	if (len > image->end - offset)
		len = image->end - offset;
	memcpy(to, image->bytes + offset, len);
	return (ssize_t)len;
}

static int set_up(void **state)
{
	static struct image image;
	void *library = dlopen("libssl.so.3", RTLD_NOW);
	struct link_map *map;
	struct stat st;
	int fd;

	if (!library || dlinfo(library, RTLD_DI_LINKMAP, &map))
		return -1;
	fd = open(map->l_name, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		return -1;
	image.len = image.end = (size_t)st.st_size;
	image.bytes = malloc(image.len);
	if (!image.bytes || read(fd, image.bytes, image.len) != (ssize_t)image.len)
		return -1;
	close(fd);
	*state = &image;
	return 0;
}

static int tear_down(void **state)
{
	free(((struct image *)*state)->bytes);
	return 0;
}

static void names_that_match(void **state)
{
	static const char *const yes[] = {"/usr/lib/x86_64-linux-gnu/libssl.so.3",
					  "/opt/x/libssl.so",
					  "/venv/numpy.libs/libssl-3f812a.so.1.1", "libssl.so.1.1"};
	static const char *const no[] = {"/usr/lib/libssl3.so", "/usr/lib/libcrypto.so.3",
					 "/libssl/x.so",        "/usr/lib/libssl",
					 "/usr/lib/libssl-dev", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(openssl_tlslib.match(span_str(yes[i])));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(openssl_tlslib.match(span_str(no[i])));
}

/* The bytes at each found offset are those that the loader mapped for the symbol. */
static void offsets_are_those_of_the_loaded_functions(void **state)
{
	static const char *const names[TLS_FUNCTION_COUNT] = {
		[TLS_READ] = "SSL_read",       [TLS_WRITE] = "SSL_write",
		[TLS_READ_EX] = "SSL_read_ex", [TLS_WRITE_EX] = "SSL_write_ex",
		[TLS_FREE] = "SSL_free",       [TLS_SHUTDOWN] = "SSL_shutdown",
	};
	struct image *image = *state;
	struct tlslib_reader reader = {read_image, image};
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	void *library = dlopen("libssl.so.3", RTLD_NOW);
	int n = openssl_tlslib.find(&reader, hooks, TLS_HOOKS_PER_FILE_MAX);

	assert_int_equal(n, TLS_FUNCTION_COUNT);
	for (int i = 0; i < n; i++) {
		const void *loaded = dlsym(library, names[hooks[i].function]);

		assert_non_null(loaded);
		assert_true(hooks[i].file_offset + 16 < image->len);
		assert_memory_equal(loaded, image->bytes + hooks[i].file_offset, 16);
	}
	assert_int_equal(openssl_tlslib.find(&reader, hooks, 2), 2);
}

/* Whatever is missing of the file: an answer, never an offset outside it. */
static void truncated_files_have_no_hooks(void **state)
{
	struct image *image = *state;
	struct tlslib_reader reader = {read_image, image};
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];

	for (image->end = 0; image->end < image->len; image->end += image->end < 1024 ? 1 : 4099)
		assert_int_equal(openssl_tlslib.find(&reader, hooks, TLS_HOOKS_PER_FILE_MAX),
				 -ENOEXEC);
	image->end = image->len;
}

static ssize_t read_nothing(void *ctx, void *to, size_t len, uint64_t offset)
{
	(void)ctx;
	(void)to;
	(void)len;
	(void)offset;
	return -EIO;
}

static void errors_of_the_reader_come_through(void **state)
{
	struct tlslib_reader reader = {.read = read_nothing};
	struct tls_hook hooks[2];

	(void)state;
	assert_int_equal(openssl_tlslib.find(&reader, hooks, 2), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_match),
		cmocka_unit_test(offsets_are_those_of_the_loaded_functions),
		cmocka_unit_test(truncated_files_have_no_hooks),
		cmocka_unit_test(errors_of_the_reader_come_through),
	};

	return cmocka_run_group_tests_name("openssl", tests, set_up, tear_down);
}
