/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "tlslib/file.h"
#include "tlslib/rows.h"
#include "tlslib/x86_insn.h"
#include "util/cleanup.h"

/*
 * Go's crypto/tls, in every Go program that speaks TLS. The runtime's table of functions (.gopclntab,
 * src/debug/gosym/pclntab.go and src/runtime/symtab.go) survives -ldflags "-s -w", and names methods.
 * Layout since Go 1.18, on 64-bit machines:
 *
 *   0  magic fffffff0 (1.18) or fffffff1 (1.20), two zeroes, minimum instruction size, pointer size
 *   8  number of functions, number of files, start of the code; 32: offset of the names; ...
 *  64  offset of the function table: per function its code's offset and its description's, 4 bytes each,
 *      in order of code; a description begins with the code's offset and the name's
 *
 * Programs of older versions pass arguments on the stack and are left alone: their table has another magic.
 * Go moves stacks, so a return probe would crash the program; every RET of Read is a hook instead.
 */

#define GO_MAGIC_1_18 0xfffffff0
#define GO_MAGIC_1_20 0xfffffff1
/* What is read at a time. */
#define GO_WINDOW_BYTES 65536

struct go_header {
	uint32_t magic;
	uint8_t zeroes[2], instruction_size, pointer_size;
	uint64_t function_count, file_count, text, names, units, files, pcs, functions;
};

struct go_entry {
	uint32_t code, description; /* offsets */
};

struct go_table {
	const struct elf_image *image;
	uint64_t offset, size; /* of the table in the file */
	struct go_header header;
	uint64_t text; /* address that code offsets count from */
};

static const struct wanted {
	struct span name; /* NUL on both sides */
	enum tls_function function;
} wanted[] = {
	{SPAN_LITERAL("\0crypto/tls.(*Conn).Read\0"), TLS_GO_READ},
	{SPAN_LITERAL("\0crypto/tls.(*Conn).Write\0"), TLS_GO_WRITE},
	{SPAN_LITERAL("\0crypto/tls.(*Conn).Close\0"), TLS_GO_CLOSE},
};

struct go_function {
	uint64_t name;  /* offset among the names */
	uint32_t code;  /* offset */
	uint32_t bytes; /* up to the next function */
	unsigned int seen;
};

/* A part of the table, read as one goes forward. */
struct go_window {
	uint64_t start;
	size_t len;
	uint8_t bytes[GO_WINDOW_BYTES];
};

static int table_open(struct go_table *table, const struct elf_image *image)
{
	const struct go_header *h = &table->header;
	Elf64_Shdr section;
	int r;

	table->image = image;
	r = elf_section_named(image, ".gopclntab", &section);
	if (r == -ENOENT)
		r = elf_section_named(image, ".data.rel.ro.gopclntab", &section);
	if (r)
		return r;
	table->offset = section.sh_offset;
	table->size = section.sh_size;
	if (table->size < sizeof(*h) || table->offset > INT64_MAX / 2 ||
	    table->size > INT64_MAX / 2)
		return -ENOENT;
	r = elf_read(image, &table->header, sizeof(*h), table->offset);
	if (r)
		return r;
	if ((h->magic != GO_MAGIC_1_18 && h->magic != GO_MAGIC_1_20) || h->pointer_size != 8 ||
	    h->instruction_size != 1 || h->function_count == 0 ||
	    h->function_count > GO_FUNCTIONS_MAX || h->functions >= table->size ||
	    h->names >= h->units || h->units > table->size ||
	    h->units - h->names > GO_NAMES_BYTES_MAX)
		return -ENOENT;
	table->text = h->text;
	if (table->text)
		return 0;
	/* Go 1.26 leaves it to the loader. Whether the guess is right shows in the code. */
	r = elf_section_named(image, ".text", &section);
	table->text = section.sh_addr;
	return r;
}

/* The bytes at `at` of the table; NULL: not that many, *error says why. */
static const uint8_t *window_at(const struct go_table *table, struct go_window *window, uint64_t at,
				size_t len, int *error)
{
	if (at > table->size || len > table->size - at) {
		*error = -ENOENT;
		return NULL;
	}
	if (at < window->start || at + len > window->start + window->len) {
		uint64_t left = table->size - at;

		window->start = at;
		window->len = left < sizeof(window->bytes) ? left : sizeof(window->bytes);
		*error = elf_read(table->image, window->bytes, window->len, table->offset + at);
		if (*error) {
			window->len = 0;
			return NULL;
		}
	}
	return window->bytes + (at - window->start);
}

/* Where the wanted names are. A name that is not there, or twice, leaves the function unknown. */
static int find_names(const struct go_table *table, struct go_window *window,
		      struct go_function *functions)
{
	uint64_t at = table->header.names, end = table->header.units;
	const size_t overlap = 64;
	int r = 0;

	while (at < end) {
		size_t len = end - at < GO_WINDOW_BYTES ? end - at : GO_WINDOW_BYTES;
		const uint8_t *text = window_at(table, window, at, len, &r);

		if (!text)
			return r;
		for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
			const uint8_t *hit = memmem(text, len, wanted[i].name.at,
						    wanted[i].name.len);

			if (hit)
				functions[i].name = at + (uint64_t)(hit - text) + 1 -
						    table->header.names;
		}
		if (len == end - at)
			break;
		at += len - overlap;
	}
	return 0;
}

static void note_function(struct go_function *functions, uint32_t name, uint32_t code,
			  uint32_t next)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (!functions[i].name || functions[i].name != name || next <= code)
			continue;
		functions[i].code = code;
		functions[i].bytes = next - code;
		functions[i].seen++;
	}
}

static int find_functions(const struct go_table *table, struct go_window windows[2],
			  struct go_function *functions)
{
	uint64_t base = table->header.functions;
	int r = 0;

	for (uint64_t i = 0; i < table->header.function_count; i++) {
		/* This entry, and where the next one's code begins; after the last one: its end. */
		const uint8_t *bytes = window_at(table, &windows[0],
						 base + i * sizeof(struct go_entry),
						 sizeof(struct go_entry) + 4, &r);
		struct go_entry entry;
		uint32_t next, code, name;

		if (!bytes)
			return r;
		memcpy(&entry, bytes, sizeof(entry));
		memcpy(&next, bytes + sizeof(entry), sizeof(next));
		bytes = window_at(table, &windows[1], base + entry.description, 8, &r);
		if (!bytes)
			return r;
		memcpy(&code, bytes, sizeof(code));
		memcpy(&name, bytes + 4, sizeof(name));
		if (code == entry.code)
			note_function(functions, name, code, next);
	}
	return 0;
}

/* Bytes of the jump of the stack check at `code`; 0: there is none. */
static size_t jump_bytes(const uint8_t *code)
{
	if (code[0] == 0x76)
		return 2;
	return code[0] == 0x0f && code[1] == 0x86 ? 6 : 0;
}

/* Go's check for enough stack begins each function that calls others: cmp rsp, [r14+16], for large frames
 * lea r12, [rsp-n]; cmp r12, [r14+16]; then jbe. Returns its bytes, 0 when it is not there. A function that is
 * short of stack, or told to make way, begins again: only behind the check is each call seen once. */
static size_t stack_check_bytes(const uint8_t *code, size_t len)
{
	static const uint8_t small[] = {0x49, 0x3b, 0x66, 0x10}, large[] = {0x4d, 0x3b, 0x66, 0x10};
	size_t at = 0;

	if (len < 24)
		return 0;
	if (memcmp(code, small, sizeof(small)) == 0)
		at = sizeof(small);
	else if (memcmp(code, "\x4c\x8d\x64\x24", 4) == 0 &&
		 memcmp(code + 5, large, sizeof(large)) == 0)
		at = 5 + sizeof(large);
	else if (memcmp(code, "\x4c\x8d\xa4\x24", 4) == 0 &&
		 memcmp(code + 8, large, sizeof(large)) == 0)
		at = 8 + sizeof(large);
	if (!at || !jump_bytes(code + at))
		return 0;
	return at + jump_bytes(code + at);
}

struct hook_list {
	struct tls_hook *hooks;
	size_t count, cap;
};

static int add_hook(struct hook_list *list, enum tls_function function, uint64_t offset)
{
	if (list->count == list->cap)
		return -ENOENT;
	list->hooks[list->count++] = (struct tls_hook){.function = function, .file_offset = offset};
	return 0;
}

/* Walks the whole function: it must consist of instructions up to its end. */
static int add_returns(struct hook_list *list, const uint8_t *code, size_t len, uint64_t offset)
{
	struct x86_insn insn;
	int r = 0;

	for (size_t at = 0; at < len && !r; at += insn.len) {
		r = x86_decode(code + at, len - at, &insn);
		if (r)
			return -ENOENT;
		if (insn.map == X86_MAP_ONE && (insn.opcode == 0xc3 || insn.opcode == 0xc2))
			r = add_hook(list, TLS_GO_READ_RETURN, offset + at);
	}
	return r;
}

static int add_function(const struct go_table *table, const struct go_function *function,
			enum tls_function role, struct hook_list *list)
{
	uint64_t address = table->text + function->code;
	uint64_t offset = elf_code_offset(table->image, address);
	_cleanup_free_ uint8_t *code = NULL;
	size_t body;
	ssize_t n;
	int r;

	if (!offset || function->bytes > TLSLIB_FUNCTION_BYTES_MAX)
		return -ENOENT;
	code = malloc(function->bytes);
	if (!code)
		return -ENOMEM;
	n = elf_read_address(table->image, code, function->bytes, address);
	if (n < 0)
		return (int)n;
	body = stack_check_bytes(code, (size_t)n);
	if ((size_t)n != function->bytes || !body)
		return -ENOENT;
	r = add_hook(list, role, offset + body);
	/* since Go 1.21 it is push rbp, which the kernel emulates */
	if (!r)
		list->hooks[list->count - 1].emulated = code[body] == 0x55;
	if (!r && role == TLS_GO_READ)
		r = add_returns(list, code, (size_t)n, offset);
	return r;
}

static int go_find(struct tlslib_file *file, struct tls_hook *hooks, size_t cap)
{
	_cleanup_free_ struct go_window *windows = NULL;
	struct go_function functions[ARRAY_SIZE(wanted)] = {0};
	struct hook_list list = {.hooks = hooks, .cap = cap};
	struct go_table table;
	int r;

	if (file->image.header.e_machine != EM_X86_64)
		return -ENOENT;
	r = table_open(&table, &file->image);
	if (r)
		return r;
	windows = calloc(2, sizeof(*windows));
	if (!windows)
		return -ENOMEM;
	r = find_names(&table, &windows[0], functions);
	if (!r && (!functions[0].name || !functions[1].name))
		r = -ENOENT;
	if (!r)
		r = find_functions(&table, windows, functions);
	for (size_t i = 0; i < ARRAY_SIZE(wanted) && !r; i++) {
		/* Close is a convenience, the others are not. */
		if (functions[i].seen == 0 && wanted[i].function == TLS_GO_CLOSE)
			continue;
		r = functions[i].seen == 1
			    ? add_function(&table, &functions[i], wanted[i].function, &list)
			    : -ENOENT;
	}
	return r ? r : (int)list.count;
}

const struct tlslib_ops go_tlslib = {
	.name = "go",
	.find = go_find,
};
