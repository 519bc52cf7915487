/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/elf_symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"

struct image {
	const struct tlslib_reader *reader;
	Elf64_Ehdr header;
	Elf64_Phdr segments[ELF_SEGMENTS_MAX];
};

struct query {
	const char *const *names;
	uint64_t *offsets;
	size_t count;
};

/* All of `len` or an error: a short read means that the headers promise more than the file has. */
static int read_all(const struct tlslib_reader *reader, void *to, size_t len, uint64_t offset)
{
	ssize_t n = reader->read(reader->ctx, to, len, offset);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -ENOEXEC;
}

static int image_open(struct image *image, const struct tlslib_reader *reader)
{
	const Elf64_Ehdr *header = &image->header;
	int r;

	image->reader = reader;
	r = read_all(reader, &image->header, sizeof(image->header), 0);
	if (r)
		return r;
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > ELF_SEGMENTS_MAX ||
	    header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shnum > ELF_SECTIONS_MAX)
		return -ENOEXEC;
	return read_all(reader, image->segments, header->e_phnum * sizeof(Elf64_Phdr),
			header->e_phoff);
}

/* Address to file offset by the executable segments; 0: in none. */
static uint64_t file_offset(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->header.e_phnum; i++) {
		const Elf64_Phdr *p = &image->segments[i];

		if (p->p_type == PT_LOAD && p->p_flags & PF_X && address >= p->p_vaddr &&
		    address - p->p_vaddr < p->p_filesz)
			return address - p->p_vaddr + p->p_offset;
	}
	return 0;
}

static int find_dynsym(const struct image *image, Elf64_Shdr *symbols, Elf64_Shdr *strings)
{
	const Elf64_Ehdr *header = &image->header;
	int r;

	for (size_t i = 0; i < header->e_shnum; i++) {
		r = read_all(image->reader, symbols, sizeof(*symbols),
			     header->e_shoff + i * sizeof(*symbols));
		if (r)
			return r;
		if (symbols->sh_type != SHT_DYNSYM)
			continue;
		if (symbols->sh_link >= header->e_shnum || symbols->sh_entsize != sizeof(Elf64_Sym))
			return -ENOEXEC;
		return read_all(image->reader, strings, sizeof(*strings),
				header->e_shoff + symbols->sh_link * sizeof(*strings));
	}
	return -ENOEXEC;
}

static void match_symbol(const struct image *image, const Elf64_Sym *symbol, const char *name,
			 const struct query *query)
{
	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF)
		return;
	for (size_t i = 0; i < query->count; i++)
		if (strcmp(name, query->names[i]) == 0)
			query->offsets[i] = file_offset(image, symbol->st_value);
}

static int scan_symbols(const struct image *image, const Elf64_Shdr *symbols, const char *text,
			uint64_t text_len, const struct query *query)
{
	Elf64_Sym window[256];
	uint64_t total = symbols->sh_size / sizeof(Elf64_Sym);
	int r;

	for (uint64_t at = 0; at < total; at += ARRAY_SIZE(window)) {
		size_t n = total - at < ARRAY_SIZE(window) ? total - at : ARRAY_SIZE(window);

		r = read_all(image->reader, window, n * sizeof(window[0]),
			     symbols->sh_offset + at * sizeof(window[0]));
		if (r)
			return r;
		for (size_t i = 0; i < n; i++)
			if (window[i].st_name < text_len)
				match_symbol(image, &window[i], text + window[i].st_name, query);
	}
	return 0;
}

int elf_find_functions(const struct tlslib_reader *reader, const char *const *names,
		       uint64_t *offsets, size_t count)
{
	_cleanup_free_ char *text = NULL;
	Elf64_Shdr symbols, strings;
	struct image image;
	int r, found = 0;

	memset(offsets, 0, count * sizeof(*offsets));
	r = image_open(&image, reader);
	if (!r)
		r = find_dynsym(&image, &symbols, &strings);
	if (r)
		return r;
	if (strings.sh_size == 0 || strings.sh_size > ELF_STRINGS_MAX ||
	    symbols.sh_size > ELF_SYMBOLS_MAX)
		return -ENOEXEC;
	text = malloc(strings.sh_size);
	if (!text)
		return -ENOMEM;
	r = read_all(reader, text, strings.sh_size, strings.sh_offset);
	if (r)
		return r;
	text[strings.sh_size - 1] = '\0';
	r = scan_symbols(&image, &symbols, text, strings.sh_size,
			 &(struct query){names, offsets, count});
	if (r)
		return r;
	for (size_t i = 0; i < count; i++)
		found += offsets[i] != 0;
	return found;
}
