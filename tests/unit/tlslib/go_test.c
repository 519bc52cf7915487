/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Go's table of functions, written by hand: three methods of crypto/tls.Conn among others. */
#include "gnomon/tlslib.h"

#include "tlslib/rows.h"
#include "unit/tlslib/build.h"

static const char source[] =
	"#ifndef MAGIC\n"
	"#define MAGIC 0xfffffff1\n"
	"#endif\n"
	"#ifdef TEXT_IN_HEADER\n"
	"#define TEXT _start\n"
	"#else\n"
	"#define TEXT 0\n"
	"#endif\n"
	"#ifdef BAD_BYTE\n"
	"#define BODY .byte 0x06\n"
	"#else\n"
	"#define BODY nop\n"
	"#endif\n"
	".text\n"
	".globl _start\n"
	"_start: jmp _start\n"
	".balign 32, 0xcc\n"
	"conn_write: cmp 16(%r14), %rsp\n"
	"jbe 1f\n"
	"write_body: nopl 64(%rax)\n"
	".fill 16, 1, 0x90\n"
	"ret\n"
	"1: jmp conn_write\n"
	".balign 32, 0xcc\n"
	"conn_read:\n"
	"#ifdef LARGE_FRAME\n"
	"lea -0x200(%rsp), %r12\n"
	"cmp 16(%r14), %r12\n"
	"#elif !defined(NO_CHECK)\n"
	"cmp 16(%r14), %rsp\n"
	"#endif\n"
	"jbe 2f\n"
	"read_body: nopl 64(%rax)\n"
	".fill 16, 1, 0x90\n"
	"mov $0xc3c3c3c3, %eax\n"
	"BODY\n"
	"first_return: ret\n"
	"second_return: ret $8\n"
	"2: jmp conn_read\n"
	".balign 32, 0xcc\n"
	"conn_close: cmp 16(%r14), %rsp\n"
	"jbe 3f\n"
	"close_body: nopl 64(%rax)\n"
	".fill 16, 1, 0x90\n"
	"ret\n"
	"3: jmp conn_close\n"
	".balign 32, 0xcc\n"
	"end:\n"
	".section SECTION, \"a\"\n"
	"header:\n"
	".long MAGIC\n"
	".byte 0, 0, 1, 8\n"
	".quad 4, 0, TEXT, names - header, units - header, 0, 0, functions - header\n"
	"names: .byte 0\n"
	"name_start: .asciz \"main.main\"\n"
	"name_write: .asciz \"crypto/tls.(*Conn).Write\"\n"
	"name_more: .asciz \"crypto/tls.(*Conn).Read.deferwrap1\"\n"
	"name_read: .asciz \"crypto/tls.(*Conn).Read\"\n"
	"name_close: .asciz \"crypto/tls.(*Conn).Close\"\n"
	"units: .byte 0\n"
	".balign 8\n"
	"functions:\n"
	".long 0, d_start - functions\n"
	".long conn_write - _start, d_write - functions\n"
	".long conn_read - _start, d_read - functions\n"
	".long conn_close - _start, d_close - functions\n"
	".long end - _start\n"
	"d_start: .long 0, name_start - names\n"
	"d_write: .long conn_write - _start, name_write - names\n"
	"d_read: .long conn_read - _start, name_read - names\n"
	"#ifdef TWO_READS\n"
	"d_close: .long conn_close - _start, name_read - names\n"
	"#else\n"
	"d_close: .long conn_close - _start, name_close - names\n"
	"#endif\n";

#define GCC "gcc -nostdlib -static -Wl,-z,noexecstack p.S -o p -DSECTION=.gopclntab "
#define FOUND                                                                                      \
	{                                                                                          \
		{"read_body", TLS_GO_READ, 0}, {"first_return", TLS_GO_READ_RETURN, 0},            \
			{"second_return", TLS_GO_READ_RETURN, 0}, {"write_body", TLS_GO_WRITE, 0}, \
		{                                                                                  \
			"close_body", TLS_GO_CLOSE, 0                                              \
		}                                                                                  \
	}

static const struct build builds[] = {
	{GCC, FOUND},
	{GCC "-DMAGIC=0xfffffff0 -DTEXT_IN_HEADER", FOUND},
	{GCC "-DLARGE_FRAME", FOUND},
	{GCC "&& objcopy --rename-section .gopclntab=.data.rel.ro.gopclntab p", FOUND},
	/* Arguments on the stack, before Go 1.17 */
	{GCC "-DMAGIC=0xfffffffa", {{0}}},
	{GCC "-DMAGIC=0xfffffffb", {{0}}},
	/* Not what Go's code looks like */
	{GCC "-DNO_CHECK", {{0}}},
	{GCC "-DBAD_BYTE", {{0}}},
	{GCC "-DTWO_READS", {{0}}},
	{GCC "-USECTION -DSECTION=.elsewhere", {{0}}},
};

/* Return probes would crash the program: Go moves stacks. */
static const char *no_return_probes(const void *argument)
{
	char directory[] = "/tmp/gnomon-go.XXXXXX", path[64];
	struct tls_hook hooks[TLS_HOOKS_PER_FILE_MAX];
	struct elf_file file;
	int n;

	(void)argument;
	if (!have_compilers())
		return NO_COMPILERS;
	assert_non_null(mkdtemp(directory));
	write_source(directory, "p.S", source);
	assert_true(run_in(directory, GCC));
	snprintf(path, sizeof(path), "%s/p", directory);
	assert_true(elf_file_load(&file, path));
	n = elf_file_find(&file, hooks);
	assert_int_equal(n, 5);
	for (int i = 0; i < n; i++)
		assert_false(hooks[i].at_entry);
	elf_file_free(&file);
	remove_directory(directory);
	return NULL;
}

int main(void)
{
	const struct builds all = {builds, sizeof(builds) / sizeof(builds[0]), "p.S", source,
				   &go_tlslib};
	const struct optional_test tests[] = {
		{"programs", check_builds, &all},
		{"no return probes", no_return_probes, NULL},
	};

	return run_optional(tests, sizeof(tests) / sizeof(tests[0]));
}
