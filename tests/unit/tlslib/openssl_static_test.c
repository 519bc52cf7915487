/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* OpenSSL inside programs, with its symbols and without them. */
#include "gnomon/tlslib.h"

#include "unit/tlslib/elf_file.h"

/* Linked into a program: with its symbols, and without them. */
static const char *copies_in_a_program(const void *argument)
{
	static const char *const program =
		"printf '#include <openssl/ssl.h>\\nint main(int c, char **v) { SSL *s = (void "
		"*)v; "
		"size_t n; return SSL_read(s, v, c) + SSL_write(s, v, c) + SSL_read_ex(s, v, 1, "
		"&n) "
		"+ SSL_write_ex(s, v, 1, &n) + SSL_do_handshake(s) + (SSL_free(s), 0); }' > p.c && "
		"gcc -O1 p.c -o p -l:libssl.a -l:libcrypto.a -lz 2> log || "
		"gcc -O1 p.c -o p -l:libssl.a -l:libcrypto.a 2> log";
	char directory[] = "/tmp/gnomon-openssl.XXXXXX", path[64];
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	uint64_t read_internal, write_internal, read;
	struct elf_file file;
	int n;

	(void)argument;
	assert_non_null(mkdtemp(directory));
	if (!run_in(directory, program)) {
		remove_directory(directory);
		return "no static OpenSSL to link with";
	}
	snprintf(path, sizeof(path), "%s/p", directory);
	assert_true(elf_file_load(&file, path));
	read = symbol_offset(&file, "SSL_read");
	read_internal = symbol_offset(&file, "ssl_read_internal");
	write_internal = symbol_offset(&file, "ssl_write_internal");
	assert_true(read && read_internal && write_internal);
	n = elf_file_find(&file, hooks);
	assert_true(n >= 3);
	assert_int_equal(
		(hook_of(hooks, n, TLS_READ_EX) ?: hook_of(hooks, n, TLS_READ))->file_offset,
		hook_of(hooks, n, TLS_READ) ? read : read_internal);
	elf_file_free(&file);

	assert_true(run_in(directory, "strip p"));
	assert_true(elf_file_load(&file, path));
	assert_int_equal(symbol_offset(&file, "SSL_read"), 0);
	n = elf_file_find(&file, hooks);
	assert_int_equal(n, 2);
	assert_int_equal(hooks[0].function, TLS_READ_EX);
	assert_int_equal(hooks[0].file_offset, read_internal);
	assert_int_equal(hooks[1].function, TLS_WRITE_EX);
	assert_int_equal(hooks[1].file_offset, write_internal);
	elf_file_free(&file);
	remove_directory(directory);
	return NULL;
}

/* A runtime with OpenSSL inside, by the names that it exports. */
static const char *node(const void *argument)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	struct elf_file file;
	int n;

	(void)argument;
	if (!elf_file_load(&file, "/usr/bin/node"))
		return "no /usr/bin/node";
	if (!symbol_offset(&file, "SSL_read")) {
		elf_file_free(&file);
		return "OpenSSL is not inside /usr/bin/node";
	}
	n = elf_file_find(&file, hooks);
	assert_true(n >= 4);
	if (hook_of(hooks, n, TLS_READ)) {
		assert_int_equal(hook_of(hooks, n, TLS_READ)->file_offset & ~4ull,
				 symbol_offset(&file, "SSL_read") & ~4ull);
		assert_int_equal(hook_of(hooks, n, TLS_READ_EX)->file_offset & ~4ull,
				 symbol_offset(&file, "SSL_read_ex") & ~4ull);
	}
	if (hook_of(hooks, n, TLS_WRITE))
		assert_int_equal(hook_of(hooks, n, TLS_WRITE)->file_offset & ~4ull,
				 symbol_offset(&file, "SSL_write") & ~4ull);
	assert_int_equal(hook_of(hooks, n, TLS_FREE)->file_offset & ~4ull,
			 symbol_offset(&file, "SSL_free") & ~4ull);
	elf_file_free(&file);
	return NULL;
}

int main(void)
{
	const struct optional_test tests[] = {
		{"copies in a program", copies_in_a_program, NULL},
		{"node", node, NULL},
	};

	return run_optional(tests, sizeof(tests) / sizeof(tests[0]));
}
