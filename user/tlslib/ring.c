/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <assert.h>
#include <errno.h>

#include "tlslib/file.h"
#include "tlslib/rows.h"
#include "util/cleanup.h"

/*
 * rustls over ring, linked statically and stripped: Rust code leaves no names, but the assembly functions that AES-GCM
 * goes through are the same in all builds of a version, but for distances, endbr64 and padding, and
 * bpf/tls_ring.bpf.c needs no more than these.
 * They have relatives in OpenSSL, BoringSSL and AWS-LC, so a file must say that it has ring in it (Rust programs carry
 * the paths of source files, for their panics), each function must be there as often as in ring, and all of a set close together.
 *
 * Which set is used depends on the processor: ring looks for VAES with AVX2 (from 0.17.9 on), else for AVX and MOVBE.
 * Without these (before Haswell and Zen), for ChaCha20 and on other architectures there are no hooks.
 */

#define MARK(s)                                                                                    \
	{                                                                                          \
		NEEDLE_MARK,                                                                       \
		{                                                                                  \
			s, sizeof(s) - 1                                                           \
		}                                                                                  \
	}

enum { RING_016, RING_017 };

static const struct tlslib_needle needles[] = {
	[RING_016] = MARK("/ring-0.16."),
	[RING_017] = MARK("/ring-0.17."),
	{NEEDLE_MARK, {NULL, 0}},
};

/* A set's functions lie within this many bytes of each other; they come from two or three files of ring's. */
#define APART_MAX (256u << 10)

#define ANY  CODE_ANY
#define ANY4 ANY, ANY, ANY, ANY
#define PATTERN(...)                                                                               \
	{                                                                                          \
		(const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / 2       \
	}

struct ring_function {
	enum tls_function function;
	uint8_t probe_at; /* bytes from the start, or past endbr64, to the probe; where there is one, to a jump,
			     which the kernel emulates and which leaves the arguments alone */
	bool emulated;
	struct code_pattern pattern;
	uint8_t copies, nth; /* how often the code is there, and which of them it is */
};

/* aesni_gcm_encrypt, aesni_gcm_decrypt, gcm_gmult_clmul */
static const struct ring_function set_016[] = {
	{TLS_RING_SEAL, 10, true,
	 PATTERN(0x4d, 0x31, 0xd2, 0x48, 0x81, 0xfa, 0x20, 0x01, 0x00, 0x00, 0x0f, 0x82, ANY4, 0x48,
		 0x8d, 0x04, 0x24, 0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0xc5,
		 0xf8, 0x77, 0xc4, 0xc1, 0x7a, 0x6f, 0x08, 0x48, 0x83, 0xc4, 0x80, 0x41, 0x8b, 0x58,
		 0x0c),
	 1, 0},
	{TLS_RING_OPEN, 7, true,
	 PATTERN(0x4d, 0x31, 0xd2, 0x48, 0x83, 0xfa, 0x60, 0x0f, 0x82, ANY4, 0x48, 0x8d, 0x04, 0x24,
		 0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0xc5, 0xf8, 0x77, 0xc4,
		 0xc1, 0x7a, 0x6f, 0x08, 0x48, 0x83, 0xc4, 0x80, 0x41, 0x8b, 0x58, 0x0c),
	 1, 0},
	{TLS_RING_MULTIPLY, 0, false,
	 PATTERN(0xf3, 0x0f, 0x6f, 0x07, 0x66, 0x0f, 0x6f, 0x2d, ANY4, 0xf3, 0x0f, 0x6f, 0x16, 0xf3,
		 0x0f, 0x6f, 0x66, 0x20, 0x66, 0x0f, 0x38, 0x00, 0xc5, 0x66, 0x0f, 0x6f, 0xc8, 0x66,
		 0x0f, 0x70, 0xd8, 0x4e, 0x66, 0x0f, 0xef, 0xd8),
	 1, 0},
	{TLS_FUNCTION_COUNT},
};

/* aes_hw_ctr32_encrypt_blocks, of both sets of 0.17 */
#define COUNTER_017                                                                                \
	{                                                                                          \
		TLS_RING_COUNTER, 0, false,                                                        \
			PATTERN(0x48, 0x83, 0xfa, 0x01, 0x75, ANY, 0x41, 0x0f, 0x10, 0x10, 0x0f,   \
				0x10, 0x1f, 0x8b, 0x91, 0xf0, 0x00, 0x00, 0x00, 0x0f, 0x10, 0x01), \
			1, 0                                                                       \
	}

/* aes_gcm_enc_update_vaes_avx2, which comes first, and its sister begin alike. */
#define UPDATE_VAES                                                                                \
	PATTERN(0x41, 0x54, 0x4c, 0x8b, 0x64, 0x24, 0x10, 0xc4, 0xe2, 0x7d, 0x5a, 0x05, ANY4,      \
		0xc4, 0xc1, 0x7a, 0x6f, 0x0c, 0x24, 0xc4, 0xe2, 0x71, 0x00, 0xc8, 0xc4, 0x42,      \
		0x7d, 0x5a, 0x18, 0xc4, 0x62, 0x25, 0x00, 0xd8, 0x44, 0x8b, 0x91, 0xf0, 0x00,      \
		0x00, 0x00, 0x46, 0x8d, 0x14, 0x95, 0xec, 0xff, 0xff, 0xff, 0x4e, 0x8d, 0x5c,      \
		0x91, 0x60, 0xc4, 0x62, 0x7d, 0x5a, 0x09, 0xc4, 0x42, 0x7d, 0x5a, 0x13, 0xc5,      \
		0x25, 0xfe, 0x1d, ANY4, 0x48, 0x83, 0xfa, 0x7f, 0x0f, 0x86)

/* with gcm_ghash_vpclmulqdq_avx2_1 */
static const struct ring_function set_017_vaes[] = {
	{TLS_RING_SEAL, 0, true, UPDATE_VAES, 2, 0},
	{TLS_RING_OPEN, 0, true, UPDATE_VAES, 2, 1},
	/* at its return: all before is VEX, which cannot be probed; RDX still points at the block */
	{TLS_RING_HASH, 121, false,
	 PATTERN(0xc5, 0xfa, 0x6f, 0x35, ANY, ANY, ANY, ANY, 0xc5, 0xfa, 0x6f, 0x3d, ANY, ANY, ANY,
		 ANY, 0xc5, 0xfa, 0x6f, 0x2f, 0xc4, 0xe2, 0x51, 0x00, 0xee, 0xc5, 0xfa, 0x6f, 0x02,
		 0xc4, 0xe2, 0x79, 0x00, 0xc6, 0xc5, 0xd1, 0xef, 0xe8, 0xc5, 0xfa, 0x6f, 0x46, 0x70,
		 0xc4, 0xe3, 0x51, 0x44, 0xc8, 0x00, 0xc4, 0xe3, 0x51, 0x44, 0xd0, 0x01, 0xc4, 0xe3,
		 0x51, 0x44, 0xd8, 0x10, 0xc5, 0xe9, 0xef, 0xd3, 0xc4, 0xe3, 0x41, 0x44, 0xd9, 0x01,
		 0xc5, 0xf9, 0x70, 0xc9, 0x4e, 0xc5, 0xe9, 0xef, 0xd1, 0xc5, 0xe9, 0xef, 0xd3, 0xc4,
		 0xe3, 0x51, 0x44, 0xe8, 0x11, 0xc4, 0xe3, 0x41, 0x44, 0xca, 0x01, 0xc5, 0xf9, 0x70,
		 0xd2, 0x4e, 0xc5, 0xd1, 0xef, 0xea, 0xc5, 0xd1, 0xef, 0xe9, 0xc4, 0xe2, 0x51, 0x00,
		 0xee, 0xc5, 0xfa, 0x7f, 0x2f, 0xc5, 0xf8, 0x77, 0xc3),
	 1, 0},
	COUNTER_017,
	{TLS_FUNCTION_COUNT},
};

/* aesni_gcm_encrypt, aesni_gcm_decrypt, gcm_ghash_avx */
static const struct ring_function set_017_avx[] = {
	{TLS_RING_SEAL, 10, true,
	 PATTERN(0x48, 0x31, 0xc0, 0x48, 0x81, 0xfa, 0x20, 0x01, 0x00, 0x00, 0x0f, 0x82, ANY4, 0x55,
		 0x48, 0x89, 0xe5, 0x53, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0xc5, 0xf8,
		 0x77, 0xc4, 0xc1, 0x7a, 0x6f, 0x08, 0x48, 0x83, 0xc4, 0x80),
	 1, 0},
	{TLS_RING_OPEN, 7, true,
	 PATTERN(0x48, 0x31, 0xc0, 0x48, 0x83, 0xfa, 0x60, 0x0f, 0x82, ANY4, 0x55, 0x48, 0x89, 0xe5,
		 0x53, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0xc5, 0xf8, 0x77, 0x4c, 0x8b,
		 0x65, 0x10, 0xc4, 0xc1, 0x7a, 0x6f, 0x08, 0x48, 0x83, 0xc4, 0x80),
	 1, 0},
	/* behind two VEX instructions */
	{TLS_RING_HASH, 7, false,
	 PATTERN(0xc5, 0xf8, 0x77, 0xc5, 0x7a, 0x6f, 0x17, 0x4c, 0x8d, 0x15, ANY4, 0x48, 0x8d, 0x76,
		 0x40, 0xc5, 0x7a, 0x6f, 0x2d),
	 1, 0},
	COUNTER_017,
	{TLS_FUNCTION_COUNT},
};

static const struct ring_set {
	unsigned int mark;
	const struct ring_function *functions;
} sets[] = {
	{RING_016, set_016},
	{RING_017, set_017_vaes},
	{RING_017, set_017_avx},
};

static_assert(ARRAY_SIZE(set_016) + ARRAY_SIZE(set_017_vaes) + ARRAY_SIZE(set_017_avx) - 3 <=
		      CODE_PATTERNS_MAX,
	      "all sets are looked for at once");

static bool near(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) <= APART_MAX;
}

/* One of the functions that the file has no relatives of; 0: none. */
static uint64_t anchor_of(const struct ring_function *functions, const struct code_found *found)
{
	for (size_t i = 0; functions[i].function != TLS_FUNCTION_COUNT; i++)
		if (found[i].count == functions[i].copies)
			return found[i].address[0];
	return 0;
}

/* Of a function and its relative in another library of the same file, the one that is near; 0: in doubt. */
static uint64_t pick(const struct ring_function *f, const struct code_found *found, uint64_t anchor)
{
	bool first = near(found->address[0], anchor), second = near(found->address[1], anchor);

	if (found->count == f->copies)
		return found->address[f->nth];
	if (f->copies != 1 || found->count != 2 || first == second)
		return 0;
	return found->address[first ? 0 : 1];
}

/* Hooks of a set by what was found of its functions; -ENOENT: not all of them, or not together. */
static int hooks_of(const struct tlslib_file *file, const struct ring_function *functions,
		    const struct code_found *found, struct tls_hook *hooks, size_t cap)
{
	uint64_t anchor = anchor_of(functions, found);
	size_t count = 0;

	for (; functions[count].function != TLS_FUNCTION_COUNT; count++) {
		const struct ring_function *f = &functions[count];
		uint64_t address = pick(f, &found[count], anchor);
		uint64_t offset = elf_code_offset(&file->image, address);

		if (!address || !near(address, anchor) || !offset || count == cap)
			return -ENOENT;
		hooks[count] = (struct tls_hook){
			.function = f->function,
			.file_offset = offset + f->probe_at,
			/* the others may sit further in, and need no return */
			.at_entry = f->function == TLS_RING_COUNTER,
			.emulated = f->emulated,
		};
	}
	return (int)count;
}

static size_t add_patterns(const struct ring_function *functions, struct code_pattern *patterns)
{
	size_t count = 0;

	for (; functions[count].function != TLS_FUNCTION_COUNT; count++)
		patterns[count] = functions[count].pattern;
	return count;
}

/* The sets of 0.17 share one function, which comes last: it is hooked once. */
static int without_repeated(const struct tls_hook *hooks, int before, int n)
{
	for (int i = 0; i < before; i++)
		if (hooks[i].file_offset == hooks[before + n - 1].file_offset)
			return n - 1;
	return n;
}

static int ring_find(struct tlslib_file *file, struct tls_hook *hooks, size_t cap)
{
	struct code_pattern patterns[CODE_PATTERNS_MAX];
	struct code_found found[CODE_PATTERNS_MAX];
	size_t from[ARRAY_SIZE(sets)], wanted = 0;
	int count = 0, r;

	if (file->image.header.e_machine != EM_X86_64)
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		from[i] = wanted;
		if (file_has_mark(file, &needles[sets[i].mark]))
			wanted += add_patterns(sets[i].functions, patterns + wanted);
	}
	r = wanted ? scan_code(&file->image, patterns, wanted, found) : -ENOENT;
	if (r)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		int n = -ENOENT;

		if (file_has_mark(file, &needles[sets[i].mark]))
			n = hooks_of(file, sets[i].functions, found + from[i], hooks + count,
				     cap - (size_t)count);
		if (n > 0)
			count += without_repeated(hooks, count, n);
	}
	return count ? count : -ENOENT;
}

const struct tlslib_ops ring_tlslib = {
	.name = "ring",
	.needles = needles,
	.find = ring_find,
};
