/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The libraries that are hooked at exported functions: GnuTLS and NSPR. */
#include "gnomon/tlslib.h"

#include "tlslib/rows.h"
#include "unit/tlslib/elf_file.h"

struct expected {
	enum tls_function function;
	const char *symbol;
};

static const struct library {
	const char *const *paths; /* the first that exists */
	const struct tlslib_ops *ops;
	struct expected expected[6];
} libraries[] = {
	{(const char *const[]){"/usr/lib/x86_64-linux-gnu/libgnutls.so.30",
			       "/usr/lib/aarch64-linux-gnu/libgnutls.so.30",
			       "/usr/lib64/libgnutls.so.30", NULL},
	 &gnutls_tlslib,
	 {{TLS_READ, "gnutls_record_recv"},
	  {TLS_WRITE, "gnutls_record_send2"},
	  {TLS_FREE, "gnutls_deinit"},
	  {TLS_SHUTDOWN, "gnutls_bye"}}},
	{(const char *const[]){"/usr/lib/x86_64-linux-gnu/libnspr4.so",
			       "/usr/lib/aarch64-linux-gnu/libnspr4.so", "/usr/lib64/libnspr4.so",
			       NULL},
	 &nspr_tlslib,
	 {{TLS_READ, "PR_Read"}, {TLS_WRITE, "PR_Write"}, {TLS_FREE, "PR_Close"}}},
};

static bool load(struct elf_file *file, const struct library *library)
{
	for (size_t i = 0; library->paths[i]; i++)
		if (elf_file_load(file, library->paths[i]))
			return true;
	return false;
}

static const char *check(const void *argument)
{
	const struct library *library = argument;
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	struct elf_file file;
	int n, i = 0;

	if (!load(&file, library))
		return "not installed";
	n = elf_file_find(&file, hooks);
	for (; i < 6 && library->expected[i].symbol; i++) {
		assert_true(i < n);
		assert_ptr_equal(hooks[i].library, library->ops);
		assert_int_equal(hooks[i].function, library->expected[i].function);
		assert_true(hooks[i].at_entry);
		assert_int_equal(hooks[i].file_offset & ~4ull,
				 symbol_offset(&file, library->expected[i].symbol) & ~4ull);
	}
	assert_int_equal(n, i);
	for (file.end = 0; file.end < file.len; file.end += file.end < 1024 ? 1 : 9973)
		assert_int_equal(elf_file_find(&file, hooks), -ENOEXEC);
	elf_file_free(&file);
	return NULL;
}

static const char *names_that_match(const void *argument)
{
	static const struct {
		const char *path;
		const struct tlslib_ops *ops;
	} cases[] = {
		{"/usr/lib/x86_64-linux-gnu/libgnutls.so.30", &gnutls_tlslib},
		{"/wheel.libs/libgnutls-11a2b3.so.30.34.3", &gnutls_tlslib},
		{"/usr/lib/firefox-esr/libnspr4.so", &nspr_tlslib},
		{"/usr/lib/libgnutls-openssl.so.27",
		 &gnutls_tlslib}, /* opened, and found wanting */
		{"/usr/lib/libgnutlsxx.so.30", NULL},
		{"/opt/firefox/libnss3.so", &nspr_tlslib},
		{"/usr/lib/libplc4.so", NULL},
		{"/usr/bin/node", NULL},
	};

	(void)argument;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_ptr_equal(tlslib_by_path(span_str(cases[i].path)), cases[i].ops);
	return NULL;
}

/* It exports SSL_read for GnuTLS's sessions. */
static const char *wrapper_of_gnutls(const void *argument)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	struct elf_file file;

	(void)argument;
	if (!elf_file_load(&file, "/usr/lib/x86_64-linux-gnu/libgnutls-openssl.so.27"))
		return "not installed";
	assert_true(symbol_offset(&file, "SSL_read") != 0);
	assert_int_equal(elf_file_find(&file, hooks), -ENOENT);
	elf_file_free(&file);
	return NULL;
}

int main(void)
{
	const struct optional_test tests[] = {
		{"names that match", names_that_match, NULL},
		{"GnuTLS", check, &libraries[0]},
		{"NSPR", check, &libraries[1]},
		{"GnuTLS's wrapper for OpenSSL's interface", wrapper_of_gnutls, NULL},
	};

	return run_optional(tests, sizeof(tests) / sizeof(tests[0]));
}
