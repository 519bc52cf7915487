/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "tlslib/file.h"
#include "tlslib/rows.h"
#include "tlslib/x86_insn.h"
#include "util/cleanup.h"

/*
 * OpenSSL 1.1 and 3.x: a shared library, a copy inside an executable that kept its symbols (node), or one
 * without (a .node module of Rust code).
 *
 * Applications call SSL_read(3), SSL_write(3) or the _ex forms (CPython since 3.10). All four go through
 * ssl_read_internal and ssl_write_internal, static functions that have the _ex form and, from 3.0 on, give
 * themselves away by the __func__ string that they pass with their errors. The exported names are taken
 * where they exist and begin with an instruction that the kernel emulates; Debian's begin with `sub`, which
 * costs twenty times as much a call, and there the internal ones are the better place. In a file without
 * symbols they are the only one.
 *
 * OpenSSL 3.3 gave ssl_write_internal a fifth argument (commit a3a11a1cbd14, SSL_write_ex2). Which form a
 * build has shows in SSL_write, which passes a local variable's address as the last; or, where nobody calls it and the
 * linker has left it out, in which arguments the function saves before it calls others.
 */

static const char *const symbols[] = {
	"SSL_read",          "SSL_write",          "SSL_read_ex",  "SSL_write_ex",     "SSL_free",
	"ssl_read_internal", "ssl_write_internal", "SSL_shutdown", "SSL_do_handshake", NULL,
};

#define STRING_NEEDLE(s)                                                                           \
	{                                                                                          \
		NEEDLE_STRING,                                                                     \
		{                                                                                  \
			"\0" s, sizeof("\0" s)                                                     \
		}                                                                                  \
	}

enum { READ_INTERNAL, WRITE_INTERNAL, READ_CALLER, WRITE_CALLER };

static const struct tlslib_needle needles[] = {
	[READ_INTERNAL] = STRING_NEEDLE("ssl_read_internal"),
	[WRITE_INTERNAL] = STRING_NEEDLE("ssl_write_internal"),
	[READ_CALLER] = STRING_NEEDLE("SSL_read"),
	[WRITE_CALLER] = STRING_NEEDLE("SSL_write"),
	{NEEDLE_STRING, {NULL, 0}},
};

static const struct direction {
	const char *exported, *exported_ex, *internal;
	enum tls_function function, function_ex;
	unsigned int internal_needle, caller_needle;
} directions[] = {
	{"SSL_read", "SSL_read_ex", "ssl_read_internal", TLS_READ, TLS_READ_EX, READ_INTERNAL,
	 READ_CALLER},
	{"SSL_write", "SSL_write_ex", "ssl_write_internal", TLS_WRITE, TLS_WRITE_EX, WRITE_INTERNAL,
	 WRITE_CALLER},
};

static bool openssl_match(struct span path)
{
	return path_is_library(path, SPAN_LITERAL("libssl"));
}

/* Does the last argument before the call at code[at] take a local variable's address as the fourth or as
 * the fifth? Returns 4 or 5, or 0 in doubt. */
static int arguments_before(const uint8_t *code, size_t at)
{
	static const struct {
		uint8_t bytes[4], len, argument;
	} forms[] = {
		{{0x48, 0x8d, 0x4c, 0x24}, 4, 4}, /* lea rcx, [rsp + 8 bits] */
		{{0x48, 0x8d, 0x8c, 0x24}, 4, 4}, /* lea rcx, [rsp + 32 bits] */
		{{0x48, 0x8d, 0x4d}, 3, 4},       /* lea rcx, [rbp + 8 bits] */
		{{0x48, 0x8d, 0x8d}, 3, 4},       {{0x48, 0x89, 0xe1}, 3, 4}, /* mov rcx, rsp */
		{{0x4c, 0x8d, 0x44, 0x24}, 4, 5},                             /* lea r8, ... */
		{{0x4c, 0x8d, 0x84, 0x24}, 4, 5}, {{0x4c, 0x8d, 0x45}, 3, 5},
		{{0x4c, 0x8d, 0x85}, 3, 5},       {{0x49, 0x89, 0xe0}, 3, 5},
	};
	const size_t back = 40;
	bool seen[6] = {0};

	for (size_t i = at > back ? at - back : 0; i < at; i++)
		for (size_t j = 0; j < ARRAY_SIZE(forms); j++)
			if (forms[j].len <= at - i &&
			    memcmp(code + i, forms[j].bytes, forms[j].len) == 0)
				seen[forms[j].argument] = true;
	if (seen[4] == seen[5])
		return 0;
	return seen[4] ? 4 : 5;
}

/* Does the function at `caller` call `internal`? Then with how many arguments, as far as is told. */
static int check_caller(const struct elf_image *image, const struct function *caller,
			uint64_t internal, int *arguments)
{
	uint8_t code[1024]; /* SSL_write of 3.5 has 500 bytes, most of them for its errors */
	ssize_t n = function_read(image, caller, code, sizeof(code));
	int at;

	if (n < 0)
		return (int)n;
	at = function_calls(code, (size_t)n, caller->start, internal);
	if (at < 0)
		return at;
	*arguments = arguments_before(code, (size_t)at);
	return 0;
}

/* Of a function whose last argument is used after other calls: is that the fourth or the fifth? 0: in doubt. */
static int arguments_saved(const struct elf_image *image, const struct function *f, int *arguments)
{
	uint8_t code[256];
	ssize_t n = function_read(image, f, code, sizeof(code));
	struct x86_insn insn;
	bool fourth = false, fifth = false;

	if (n < 0)
		return (int)n;
	for (size_t at = 0; x86_decode(code + at, (size_t)n - at, &insn) == 0; at += insn.len) {
		uint8_t rex = insn.opcode_at ? code[at + insn.opcode_at - 1] : 0;
		uint8_t source;

		if (insn.map != X86_MAP_ONE)
			continue;
		if (insn.opcode == 0xe8)
			break;
		if (insn.opcode != 0x89 || (rex & 0xf8) != 0x48) /* mov r/m64, r64 */
			continue;
		/* of the ModR/M byte, which this instruction has */
		source = code[at + insn.opcode_at + 1] >> 3 & 7;
		fifth |= source == 0 && (rex & 4);   /* r8 */
		fourth |= source == 1 && !(rex & 4); /* rcx */
	}
	*arguments = fifth ? 5 : fourth ? 4 : 0;
	return 0;
}

/* The internal function: where it is, that the exported one calls it, and its form. */
static int find_internal(const struct tlslib_file *file, const struct direction *d,
			 struct tls_hook *hook)
{
	struct function internal = {0, 0}, caller = {.start = file_symbol(file, d->exported)};
	uint64_t by_name = file_symbol(file, d->internal);
	int arguments = 0, r;

	r = file_function_of(file, &needles[d->internal_needle], &internal);
	if (!r && by_name && by_name != internal.start)
		return -ENOENT;
	if (!r && !caller.start)
		r = file_function_of(file, &needles[d->caller_needle], &caller);
	else if (!r)
		r = function_at(&file->image, caller.start, &caller);
	if (!r)
		r = check_caller(&file->image, &caller, internal.start, &arguments);
	else if (r == -ENOENT && internal.start && !file_symbol(file, d->exported))
		r = arguments_saved(&file->image, &internal, &arguments);
	if (r)
		return r;
	if (d->function == TLS_READ && arguments != 5)
		hook->function = TLS_READ_EX;
	else if (d->function == TLS_WRITE && arguments)
		hook->function = arguments == 4 ? TLS_WRITE_EX : TLS_WRITE_EX2;
	else
		return -ENOENT;
	return function_hook(&file->image, internal.start, hook);
}

/* The hooks of one direction: the two exported functions, or the internal one. */
static int find_direction(const struct tlslib_file *file, const struct direction *d,
			  struct tls_hook hooks[2])
{
	struct tls_hook exported[2], internal;
	int r = file_symbol_hook(file, d->exported, d->function, &exported[0]);
	int n = r ? 0 : 1;

	if (r && r != -ENOENT)
		return r;
	if (n && file_symbol_hook(file, d->exported_ex, d->function_ex, &exported[1]) == 0)
		n++;
	if (!n || !exported[0].emulated) {
		r = find_internal(file, d, &internal);
		if (r && r != -ENOENT)
			return r;
		/* With symbols at hand, the form that is known everywhere. */
		if (!r && (!n || (internal.emulated && internal.function != TLS_WRITE_EX2))) {
			hooks[0] = internal;
			return 1;
		}
	}
	memcpy(hooks, exported, (size_t)n * sizeof(*hooks));
	return n ? n : -ENOENT;
}

static int openssl_find(struct tlslib_file *file, struct tls_hook *hooks, size_t cap)
{
	static const struct {
		const char *name;
		enum tls_function function;
	} ends[] = {{"SSL_free", TLS_FREE}, {"SSL_shutdown", TLS_SHUTDOWN}};
	size_t count = 0;

	/* libgnutls-openssl has SSL_read too; what it carries is seen in GnuTLS. */
	if (file_symbol(file, "SSL_read") && !file_symbol(file, "SSL_do_handshake"))
		return -ENOENT;
	if (cap < 2 * ARRAY_SIZE(directions) + ARRAY_SIZE(ends))
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(directions); i++) {
		int n = find_direction(file, &directions[i], hooks + count);

		if (n < 0)
			return n;
		count += (size_t)n;
	}
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (file_symbol_hook(file, ends[i].name, ends[i].function, &hooks[count]) == 0)
			count++;
	return (int)count;
}

const struct tlslib_ops openssl_tlslib = {
	.name = "openssl",
	.match = openssl_match,
	.symbols = symbols,
	.needles = needles,
	.find = openssl_find,
};
