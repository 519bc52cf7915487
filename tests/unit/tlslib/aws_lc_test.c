/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* AWS-LC without symbols: a program that reports errors as aead.c does. */
#include "gnomon/tlslib.h"

#include "tlslib/rows.h"
#include "unit/tlslib/build.h"

static const char source[] = "__attribute__((noinline)) void put_error(int lib, int unused, int "
			     "reason, const char *file,\n"
			     "                                         unsigned line) { __asm__ "
			     "volatile(\"\" :: \"r\"(reason),\n"
			     "                                         \"r\"(file), \"r\"(line), "
			     "\"r\"(lib), \"r\"(unused)); }\n"
			     "#define E(reason, line) put_error(30, 0, reason, "
			     "\"/aws-lc/crypto/fipsmodule/cipher/aead.c\", line)\n"
			     "#define F __attribute__((noinline, used))\n"
			     "F int init(long *c) { if (c[1]) { E(120, 73); return 0; } if (c[2]) "
			     "{ E(124, 59); return 0; } return 1; }\n"
			     "#define SEAL(name) \\\n"
			     "F int name(long *c) { if (c[1]) { E(117, 172); return 0; } if (c[2]) "
			     "{ E(103, 177); return 0; } \\\n"
			     "  if (c[3]) { E(115, 182); return 0; } return init(c); }\n"
			     "SEAL(seal)\n"
			     "#ifdef TWO_SEALS\n"
			     "SEAL(seal_again)\n"
			     "#endif\n"
			     "F int scatter(long *c) { if (c[1]) { E(115, 214); return 0; } if "
			     "(c[2]) { E(112, 219); return 0; }\n"
			     "  return init(c); }\n"
			     "#ifndef NO_OPEN\n"
			     "F int open_(long *c) { if (c[1]) { E(115, 244); return 0; } if "
			     "(c[2]) { E(101, 261); return 0; }\n"
			     "  if (c[3]) { E(103, 267); return 0; } return init(c); }\n"
			     "F int gather(long *c) { if (c[1]) { E(115, 292); return 0; } if "
			     "(c[2]) { E(104, 297); return 0; }\n"
			     "  return init(c); }\n"
			     "#endif\n"
			     "int main(int c, char **v) { return seal((long *)v) + c; }\n";

#define FOUND                                                                                      \
	{                                                                                          \
		{"seal", TLS_AEAD_SEAL, 0}, {"open_", TLS_AEAD_OPEN, 0},                           \
			{"scatter", TLS_AEAD_SEAL_SCATTER, 0},                                     \
		{                                                                                  \
			"gather", TLS_AEAD_OPEN_GATHER, 0                                          \
		}                                                                                  \
	}

static const struct build builds[] = {
	{"gcc -w -O2 -pie -fPIE p.c -o p", FOUND},
	{"gcc -w -O2 -no-pie -fno-pie p.c -o p", FOUND},
	{"clang -w -Oz -pie -fPIE -fno-omit-frame-pointer -fno-asynchronous-unwind-tables p.c -o p",
	 FOUND},
	{"gcc -w -O2 -DTWO_SEALS p.c -o p", {{0}}},
	{"gcc -w -O2 -DNO_OPEN p.c -o p", {{0}}},
};

int main(void)
{
	const struct builds all = {builds, sizeof(builds) / sizeof(builds[0]), "p.c", source,
				   &aws_lc_tlslib};
	const struct optional_test tests[] = {
		{"programs", check_builds, &all},
	};

	return run_optional(tests, sizeof(tests) / sizeof(tests[0]));
}
