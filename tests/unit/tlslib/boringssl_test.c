/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* BoringSSL without symbols: a program that reports errors as ssl_lib.cc does, built in the ways that
 * clients are. */
#include "gnomon/tlslib.h"

#include "tlslib/rows.h"
#include "unit/tlslib/build.h"

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

#define FOUND                                                                                      \
	{                                                                                          \
		{"SSL_read", TLS_READ, 0},                                                         \
		{                                                                                  \
			"SSL_write", TLS_WRITE, 0                                                  \
		}                                                                                  \
	}
#define FRAMES "-fno-omit-frame-pointer -fno-asynchronous-unwind-tables "

static const struct build builds[] = {
	{"gcc -w -O2 -no-pie -fno-pie p.c -o p", FOUND},
	{"gcc -w -O2 -pie -fPIE -DPEEK p.c -o p", FOUND},
	{"gcc -w -O2 -fcf-protection=full -pie -fPIE p.c -o p", FOUND},
	{"clang -w -O2 -no-pie -fno-pie " FRAMES "-DPEEK p.c -o p", FOUND},
	{"clang -w -O3 -pie -fPIE " FRAMES "p.c -o p", FOUND},
	{"clang -w -Oz -pie -fPIE " FRAMES "p.c -o p", FOUND},
	{"clang -w -O2 -fcf-protection=full -pie -fPIE " FRAMES "-DPEEK p.c -o p", FOUND},
	/* Without frames or unwind tables nothing tells where functions begin. */
	{"clang -w -O2 -pie -fomit-frame-pointer -fno-asynchronous-unwind-tables p.c -o p", {{0}}},
	/* Which of two it is cannot be told. */
	{"gcc -w -O2 -DPEEK -DTWINS p.c -o p", {{0}}},
	{"gcc -w -O2 -DTWO_WRITES p.c -o p", {{0}}},
};

int main(void)
{
	const struct builds all = {builds, sizeof(builds) / sizeof(builds[0]), "p.c", source,
				   &boringssl_tlslib};
	const struct optional_test tests[] = {
		{"programs", check_builds, &all},
	};

	return run_optional(tests, sizeof(tests) / sizeof(tests[0]));
}
