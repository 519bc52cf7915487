/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/x86_insn.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tlslib/prologue.h"

/* One instruction each, as an assembler wrote it. */
static const struct {
	const char *bytes;
	uint8_t len;
} instructions[] = {
	{"\x90", 1},                                      /* nop */
	{"\xc3", 1},                                      /* ret */
	{"\x55", 1},                                      /* push rbp */
	{"\x41\x57", 2},                                  /* push r15 */
	{"\x48\x89\xe5", 3},                              /* mov rbp, rsp */
	{"\xf3\x0f\x1e\xfa", 4},                          /* endbr64 */
	{"\x48\x83\xec\x18", 4},                          /* sub rsp, 0x18 */
	{"\x48\x81\xec\x88\x00\x00\x00", 7},              /* sub rsp, 0x88 */
	{"\x66\x90", 2},                                  /* xchg ax, ax */
	{"\x66\x0f\x1f\x44\x00\x00", 6},                  /* nop word [rax+rax] */
	{"\x66\x2e\x0f\x1f\x84\x00\x00\x00\x00\x00", 10}, /* nop word cs:[rax+rax] */
	{"\x49\x3b\x66\x10", 4},                          /* cmp rsp, [r14+0x10] */
	{"\x4c\x8d\x64\x24\xe8", 5},                      /* lea r12, [rsp-0x18] */
	{"\x48\x8d\x05\x10\x20\x30\x40", 7},              /* lea rax, [rip+...] */
	{"\x64\x48\x8b\x04\x25\x28\x00\x00\x00", 9},      /* mov rax, fs:0x28 */
	{"\xb8\x01\x00\x00\x00", 5},                      /* mov eax, 1 */
	{"\x66\xb8\x01\x00", 4},                          /* mov ax, 1 */
	{"\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10}, /* movabs rax, ... */
	{"\xa1\x01\x02\x03\x04\x05\x06\x07\x08", 9},      /* movabs eax, [...] */
	{"\x48\xc7\x44\x24\x08\x01\x00\x00\x00", 9},      /* mov qword [rsp+8], 1 */
	{"\x66\xc7\x00\x01\x00", 5},                      /* mov word [rax], 1 */
	{"\xf6\x47\x44\x02", 4},                          /* test byte [rdi+0x44], 2 */
	{"\xf7\xd8", 2},                                  /* neg eax */
	{"\xf7\xc1\x00\x01\x00\x00", 6},                  /* test ecx, 0x100 */
	{"\xe8\x00\x00\x00\x00", 5},                      /* call */
	{"\xff\x25\x42\x3f\x08\x00", 6},                  /* jmp [rip+...] */
	{"\x0f\x84\x10\x00\x00\x00", 6},                  /* je */
	{"\x0f\xb6\xc0", 3},                              /* movzx eax, al */
	{"\x0f\xba\xe0\x05", 4},                          /* bt eax, 5 */
	{"\x66\x0f\x3a\x0f\xc1\x08", 6},                  /* palignr xmm0, xmm1, 8 */
	{"\x66\x0f\x38\x00\xc1", 5},                      /* pshufb xmm0, xmm1 */
	{"\xc5\xf8\x77", 3},                              /* vzeroupper */
	{"\xc5\xf9\x6f\x04\x24", 5},                      /* vmovdqa xmm0, [rsp] */
	{"\xc4\xe3\x7d\x39\xc1\x01", 6},                  /* vextracti128 xmm1, ymm0, 1 */
	{"\xc4\xe2\x7d\x58\x05\x01\x02\x03\x04", 9},      /* vpbroadcastd ymm0, [rip+..] */
	{"\x62\xf1\xfe\x48\x6f\x44\x24\x01", 8},          /* vmovdqu64 zmm0, [rsp+64] */
	{"\x62\xf3\x7d\x48\x43\xc1\x11", 7},              /* vshufi32x4 zmm0, ..., 0x11 */
	{"\xc8\x10\x00\x00", 4},                          /* enter 16, 0 */
	{"\xc2\x08\x00", 3},                              /* ret 8 */
	{"\x8b\x05\x01\x02\x03\x04", 6},                  /* mov eax, [rip+...] */
	{"\x8b\x04\x25\x01\x02\x03\x04", 7},              /* mov eax, [abs] */
	{"\x8b\x84\x24\x01\x02\x03\x04", 7},              /* mov eax, [rsp+32 bits] */
	{"\xf0\x48\x0f\xb1\x0f", 5},                      /* lock cmpxchg [rdi], rcx */
	{"\xf3\x48\xa5", 3},                              /* rep movsq */
};

static void lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
		const uint8_t *bytes = (const uint8_t *)instructions[i].bytes;
		struct x86_insn insn = {0};
		int r = x86_decode(bytes, instructions[i].len, &insn);

		if (r || insn.len != instructions[i].len)
			print_message("instruction %zu: %d, %d bytes\n", i, r, insn.len);
		assert_int_equal(r, 0);
		assert_int_equal(insn.len, instructions[i].len);
	}
}

static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++)
		for (uint8_t len = 0; len < instructions[i].len; len++) {
			struct x86_insn insn;
			uint8_t copy[16];

			memcpy(copy, instructions[i].bytes, len);
			assert_int_equal(x86_decode(copy, len, &insn), -ENODATA);
		}
}

static void not_of_this_mode(void **state)
{
	static const char *const bad[] = {
		"\x06",         "\x27",         "\x60",         "\x82\xc0\x01", "\x9a",
		"\xce",         "\xd6",         "\xea",         "\x0f\x04",     "\x40\x40\x90",
		"\x40\x66\x90", "\x0f\x24\xc0", "\x0f\xa6\xc0",
	};
	uint8_t prefixes[16];
	struct x86_insn insn;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t bytes[16] = {0};

		memcpy(bytes, bad[i], strlen(bad[i]));
		assert_int_equal(x86_decode(bytes, sizeof(bytes), &insn), -EBADMSG);
	}
	memset(prefixes, 0x66, sizeof(prefixes));
	prefixes[15] = 0x90; /* one byte too long */
	assert_int_equal(x86_decode(prefixes, sizeof(prefixes), &insn), -ENODATA);
}

static bool recognise(const char *bytes, size_t len, struct prologue *prologue)
{
	uint8_t code[PROLOGUE_BYTES];

	memset(code, 0x90, sizeof(code));
	memcpy(code, bytes, len);
	return prologue_recognise(code, sizeof(code), prologue);
}

static void prologues(void **state)
{
	static const struct {
		const char *bytes;
		uint8_t len, hook_at;
		bool emulated;
	} good[] = {
		{"\x55\x48\x89\xe5", 4, 0, true},
		{"\x41\x57\x41\x56", 4, 0, true},
		{"\xf3\x0f\x1e\xfa\x41\x57", 6, 4, true},
		{"\xf3\x0f\x1e\xfa\x48\x83\xec\x08", 8, 4, false},
		{"\x48\x83\xec\x18\x64\x48", 4, 0, false},
		{"\x48\x8b\x07\xff\x60\x10\xcc\xcc\xcc", 9, 0, false}, /* mov; jmp [rax+16] */
		{"\x31\xd2\xe9\x01\x02\x03\x04\xcc\xcc", 9, 0, false},
		{"\xe9\x01\x02\x03\x04\xcc\xcc", 7, 0, true},
		{"\x49\x3b\x66\x10\x0f\x86\x01\x02\x00\x00", 10, 0, false},
		{"\x0f\x84\x01\x02\x00\x00", 6, 0, true},
		{"\x90", 1, 0, true},
		{"\xff\x75\x08", 3, 0, false}, /* push [rbp+8] is no push of a register */
	};
	static const struct {
		const char *bytes;
		uint8_t len;
	} bad[] = {
		{"\xc3", 1},         {"\xcc\xcc", 2},         {"\x00\x00\x00\x00", 4},
		{"\x5d\xc3", 2},     {"\xc9\xc3", 2},         {"\x0f\x0b", 2},
		{"\x55\x06\x06", 3}, {"\x48\x89\xe5\x60", 4}, {"\xf3\x0f\x1e\xfa\xc3", 5},
		{"\x41\x5f", 2},
	};
	struct prologue prologue;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(recognise(good[i].bytes, good[i].len, &prologue));
		assert_int_equal(prologue.hook_at, good[i].hook_at);
		assert_int_equal(prologue.emulated, good[i].emulated);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(recognise(bad[i].bytes, bad[i].len, &prologue));
	assert_false(prologue_recognise((const uint8_t *)"\x55", 0, &prologue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(not_of_this_mode),
		cmocka_unit_test(prologues),
	};

	return cmocka_run_group_tests_name("x86_insn", tests, NULL, NULL);
}
