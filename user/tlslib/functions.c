/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/functions.h"

#include <errno.h>
#include <string.h>

#include "tlslib/prologue.h"
#include "tlslib/x86_insn.h"
#include "util/cleanup.h"

/* DWARF encodings of pointers (LSB 5.0 core, section 10.5.1) that linkers write into the table. */
#define DW_EH_PE_UDATA4 0x03
#define DW_EH_PE_PCREL4 0x1b
#define DW_EH_PE_DATA4  0x3b
/* A frame description's fields before the code's start: length and the CIE's distance. */
#define FDE_CODE_START 8
/* How far back a prologue is searched. */
#define PROLOGUE_BACK 16384

struct eh_header {
	uint8_t version, frame_encoding, count_encoding, table_encoding;
	int32_t frame;
	uint32_t count;
};

struct eh_entry {
	int32_t start, description; /* relative to the header */
};

static int read_exactly(const struct elf_image *image, void *to, size_t len, uint64_t address)
{
	ssize_t n = elf_read_address(image, to, len, address);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -ENOENT;
}

static uint64_t plus(uint64_t base, int32_t distance)
{
	return base + (uint64_t)(int64_t)distance;
}

/* The last entry of the sorted table that starts at or before `address`. */
static int search_table(const struct elf_image *image, uint64_t base, uint32_t count,
			uint64_t address, struct eh_entry *found)
{
	uint64_t table = base + sizeof(struct eh_header);
	uint32_t low = 0, high = count;
	struct eh_entry entry;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int r = read_exactly(image, &entry, sizeof(entry),
				     table + (uint64_t)middle * sizeof(entry));

		if (r)
			return r;
		if (plus(base, entry.start) <= address) {
			*found = entry;
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low ? 0 : -ENOENT;
}

static int by_unwind_table(const struct elf_image *image, uint64_t address,
			   struct function *function)
{
	struct eh_header header;
	struct eh_entry entry;
	struct {
		int32_t start;
		uint32_t len;
	} code;
	uint64_t base = 0, fde;
	int r;

	for (size_t i = 0; i < image->header.e_phnum; i++)
		if (image->segments[i].p_type == PT_GNU_EH_FRAME)
			base = image->segments[i].p_vaddr;
	r = base ? read_exactly(image, &header, sizeof(header), base) : -ENOENT;
	if (r)
		return r;
	if (header.version != 1 || header.frame_encoding != DW_EH_PE_PCREL4 ||
	    header.count_encoding != DW_EH_PE_UDATA4 || header.table_encoding != DW_EH_PE_DATA4)
		return -ENOENT;
	r = search_table(image, base, header.count, address, &entry);
	if (r)
		return r;
	/* The table may have gaps (Claude Code's binary describes one function in ten): only the
	 * description says where the function ends. */
	fde = plus(base, entry.description);
	r = read_exactly(image, &code, sizeof(code), fde + FDE_CODE_START);
	if (r)
		return r;
	function->start = plus(base, entry.start);
	function->end = function->start + code.len;
	if (plus(fde + FDE_CODE_START, code.start) != function->start || address >= function->end)
		return -ENOENT;
	return 0;
}

/* Do instructions from `from` end exactly where `to` begins? */
static bool leads_to(const uint8_t *code, size_t from, size_t to)
{
	struct x86_insn insn;

	while (from < to && x86_decode(code + from, to - from, &insn) == 0)
		from += insn.len;
	return from == to;
}

/* push rbp; mov rbp, rsp */
static const uint8_t frame_prologue[] = {0x55, 0x48, 0x89, 0xe5};
static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

/* Does the code before a prologue end there, or go on into it? A compiler may delay the prologue past a
 * first check; what then looks like a function's start is its middle, and the target of a jump. */
static bool code_ends_before(const uint8_t *code, size_t start)
{
	const uint8_t *end = code + start;
	bool ends = end[-1] == 0xcc || end[-1] == 0x90 || end[-1] == 0xc3 || end[-2] == 0xeb ||
		    end[-5] == 0xe9 || end[-5] == 0xe8 || (end[-2] == 0x0f && end[-1] == 0x0b);

	/* Padding: nopl 0(rax) and its longer forms, which all end with zeroes. */
	for (int len = 3; len <= 9; len++)
		ends |= end[-len] == 0x0f && end[1 - len] == 0x1f && end[-1] == 0;
	for (size_t at = 0; ends && at + 2 <= start; at++) {
		bool jumps = code[at] == 0xeb || (code[at] & 0xf0) == 0x70;
		/* two's complement of 8 bits */
		int32_t distance = (code[at + 1] ^ 0x80) - 0x80;
		size_t len = 2;

		if (code[at] == 0x0f && (code[at + 1] & 0xf0) == 0x80 && at + 6 <= start) {
			memcpy(&distance, code + at + 2, sizeof(distance));
			jumps = true;
			len = 6;
		}
		if (jumps && distance >= 0 && at + len + (uint32_t)distance == start)
			return false;
	}
	return ends;
}

/* Code built with frame pointers: the nearest prologue before the address, if instructions lead from it
 * to there. */
static int by_prologue(const struct elf_image *image, uint64_t address, struct function *function)
{
	uint8_t code[PROLOGUE_BACK];
	const Elf64_Phdr *p = elf_segment_at(image, address);
	uint64_t room = p ? address - p->p_vaddr : 0;
	size_t len = room < sizeof(code) ? room : sizeof(code), at;
	ssize_t n = len ? elf_read_address(image, code, len, address - len) : 0;

	if (n < 0)
		return (int)n;
	if ((size_t)n != len || len < sizeof(frame_prologue))
		return -ENOENT;
	at = len - sizeof(frame_prologue);
	while (at > 16 && memcmp(code + at, frame_prologue, sizeof(frame_prologue)) != 0)
		at--;
	if (at <= 16 || !leads_to(code, at, len))
		return -ENOENT;
	if (memcmp(code + at - sizeof(endbr64), endbr64, sizeof(endbr64)) == 0)
		at -= sizeof(endbr64);
	if (!code_ends_before(code, at))
		return -ENOENT;
	*function = (struct function){.start = address - len + at};
	return 0;
}

int function_at(const struct elf_image *image, uint64_t address, struct function *function)
{
	int r = by_unwind_table(image, address, function);

	return r == -ENOENT ? by_prologue(image, address, function) : r;
}

static bool at_bytes(const uint8_t *code, size_t len, const uint8_t *bytes)
{
	return len >= 4 && memcmp(code, bytes, 4) == 0;
}

static bool starts_here(const uint8_t *code, size_t len)
{
	if (at_bytes(code, len, endbr64)) {
		code += sizeof(endbr64);
		len -= sizeof(endbr64);
	}
	return at_bytes(code, len, frame_prologue);
}

int function_find_end(const struct elf_image *image, struct function *function)
{
	_cleanup_free_ uint8_t *code = malloc(TLSLIB_FUNCTION_BYTES_MAX);
	struct x86_insn insn;
	size_t at = 0;
	ssize_t n;

	if (function->end)
		return 0;
	if (!code)
		return -ENOMEM;
	n = elf_read_address(image, code, TLSLIB_FUNCTION_BYTES_MAX, function->start);
	if (n < 0)
		return (int)n;
	while (x86_decode(code + at, (size_t)n - at, &insn) == 0) {
		if (at > sizeof(endbr64) &&
		    (code[at] == 0xcc || starts_here(code + at, (size_t)n - at))) {
			function->end = function->start + at;
			return 0;
		}
		at += insn.len;
	}
	return -ENOENT;
}

ssize_t function_read(const struct elf_image *image, const struct function *function, uint8_t *code,
		      size_t cap)
{
	if (function->end && function->end - function->start < cap)
		cap = function->end - function->start;
	return elf_read_address(image, code, cap, function->start);
}

int function_calls(const uint8_t *code, size_t len, uint64_t address, uint64_t target)
{
	for (size_t at = 0; at + 5 <= len && at < TLSLIB_FUNCTION_BYTES_MAX; at++) {
		int32_t distance;

		if (code[at] != 0xe8 && code[at] != 0xe9)
			continue;
		memcpy(&distance, code + at + 1, sizeof(distance));
		if (plus(address + at + 5, distance) == target)
			return (int)at;
	}
	return -ENOENT;
}

int function_hook(const struct elf_image *image, uint64_t start, struct tls_hook *hook)
{
	uint64_t offset = elf_code_offset(image, start);
	uint8_t code[PROLOGUE_BYTES];
	struct prologue prologue;
	ssize_t n;

	if (!offset)
		return -ENOENT;
	n = elf_read_address(image, code, sizeof(code), start);
	if (n < 0)
		return (int)n;
	if (image->header.e_machine == EM_AARCH64) {
		/* Fixed-width code; `bti` and `paciasp` are no obstacle. The caller has a symbol. */
		hook->file_offset = offset;
		hook->at_entry = start % 4 == 0 && n >= 4;
		hook->emulated = false;
		return hook->at_entry ? 0 : -ENOENT;
	}
	if (image->header.e_machine != EM_X86_64 || !prologue_recognise(code, (size_t)n, &prologue))
		return -ENOENT;
	hook->file_offset = offset + prologue.hook_at;
	hook->at_entry = true;
	hook->emulated = prologue.emulated;
	return 0;
}
