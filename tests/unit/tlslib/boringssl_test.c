/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* BoringSSL without symbols: a program that reports errors as ssl_lib.cc does, built in the ways that
 * clients are, is stripped and searched; its symbols tell beforehand what is right. */
#include "gnomon/tlslib.h"

#include "tlslib/rows.h"
#include "unit/tlslib/elf_file.h"

static const char source[] =
	"__attribute__((noinline)) void put_error(int lib, int unused, int reason, const char "
	"*file,\n"
	"                                         unsigned line) { __asm__ volatile(\"\" :: "
	"\"r\"(reason),\n"
	"                                         \"r\"(file), \"r\"(line), \"r\"(lib), "
	"\"r\"(unused)); }\n"
	"__attribute__((noinline)) int impl(long *s) { __asm__ volatile(\"\" ::: \"memory\"); "
	"return s[1]; }\n"
	"#define E(reason, line) put_error(16, 0, reason, \"../third_party/ssl/ssl_lib.cc\", "
	"line)\n"
	"#define F __attribute__((noinline, used))\n"
	"F int SSL_do_handshake(long *s) { if (s[9]) { E(66, 819); return -1; } return impl(s); }\n"
	"F int SSL_read(long *s, char *to, int n) { if (s[3]) { E(66, 940); return -1; }\n"
	"  int r = impl(s); if (r <= 0) return r; __builtin_memcpy(to, s, n);\n"
	"  s[4] += r; s[5] -= r; if (s[5] == 0) impl(s); return r; }\n"
	"#ifdef PEEK\n"
	"F int SSL_peek(long *s, char *to, int n) { if (s[3]) { E(66, 940); return -1; }\n"
	"  int r = impl(s); if (r <= 0) return r; __builtin_memcpy(to, s, n);\n"
	"#ifdef TWINS\n"
	"  s[4] += r; s[5] -= r; if (s[5] == 0) impl(s); s[6]++;\n"
	"#endif\n"
	"  return r; }\n"
	"#endif\n"
	"#define WRITE(name) \\\n"
	"F int name(long *s, const char *from, int n) { if (s[3]) { E(66, 962); return -1; } \\\n"
	"  if (s[7]) { E(226, 967); return -1; } if (s[8]) { E(215, 982); return -1; } \\\n"
	"  if (n < 0) { E(111, 988); return -1; } return impl(s) + from[0]; }\n"
	"WRITE(SSL_write)\n"
	"#ifdef TWO_WRITES\n"
	"WRITE(SSL_write_again)\n"
	"#endif\n"
	"F int SSL_key_update(long *s) { if (s[7]) { E(226, 1030); return -1; } E(291, 1078); "
	"return 0; }\n"
	"F int SSL_shutdown(long *s) { if (s[7]) { E(66, 1686); return -1; } return 0; }\n"
	"int main(int c, char **v) { return SSL_read((long *)v, v[0], c) + SSL_write((long *)v, "
	"v[0], c); }\n";

static const struct build {
	const char *compiler, *flags;
	bool found;
} builds[] = {
	{"gcc", "-O2 -no-pie -fno-pie", true},
	{"gcc", "-O2 -pie -fPIE -DPEEK", true},
	{"clang",
	 "-O2 -no-pie -fno-pie -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -DPEEK",
	 true},
	{"clang", "-O3 -pie -fPIE -fno-omit-frame-pointer -fno-asynchronous-unwind-tables", true},
	{"clang",
	 "-O2 -fcf-protection=full -pie -fPIE -fno-omit-frame-pointer "
	 "-fno-asynchronous-unwind-tables -DPEEK",
	 true},
	{"gcc", "-O2 -fcf-protection=full -pie -fPIE", true},
	{"gcc", "-O2 -DPEEK -DTWINS", false},
	{"gcc", "-O2 -DTWO_WRITES", false},
};

/* What was found after stripping is what the symbols said before it. */
static void check_build(const struct build *build, const char *directory)
{
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	char command[512], path[64];
	uint64_t read, write;
	struct elf_file file;
	int n;

	snprintf(command, sizeof(command), "%s -w %s p.c -o p", build->compiler, build->flags);
	assert_true(run_in(directory, command));
	snprintf(path, sizeof(path), "%s/p", directory);
	assert_true(elf_file_load(&file, path));
	read = symbol_offset(&file, "SSL_read");
	write = symbol_offset(&file, "SSL_write");
	assert_true(read && write);
	elf_file_free(&file);

	assert_true(run_in(directory, "strip p"));
	assert_true(elf_file_load(&file, path));
	n = elf_file_find(&file, hooks);
	if (n != (build->found ? 2 : -ENOENT))
		print_message("built with %s: %d\n", build->flags, n);
	if (build->found) {
		assert_int_equal(n, 2);
		assert_ptr_equal(hooks[0].library, &boringssl_tlslib);
		assert_int_equal(hooks[0].function, TLS_READ);
		assert_int_equal(hooks[0].file_offset & ~4ull, read & ~4ull);
		assert_int_equal(hooks[1].function, TLS_WRITE);
		assert_int_equal(hooks[1].file_offset & ~4ull, write & ~4ull);
		assert_true(hooks[0].at_entry && hooks[1].at_entry);
	} else {
		assert_int_equal(n, -ENOENT);
	}
	for (file.end = 0; file.end < file.len; file.end += 997)
		assert_int_equal(elf_file_find(&file, hooks), -ENOEXEC);
	elf_file_free(&file);
}

static void programs(void **state)
{
	char directory[] = "/tmp/gnomon-boringssl.XXXXXX", path[64];
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/p.c", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(source, file);
	fclose(file);
	if (!run_in(directory,
		    "[ $(uname -m) = x86_64 ] && gcc -w p.c -o p && clang -w p.c -o p 2> log")) {
		print_message("no gcc and clang for x86-64\n");
		remove_directory(directory);
		skip();
	}
	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++)
		check_build(&builds[i], directory);
	remove_directory(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs),
	};

	return cmocka_run_group_tests_name("boringssl", tests, NULL, NULL);
}
