/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/elf_symbols.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"

#define AMBIGUOUS UINT64_MAX

struct query {
	struct elf_symbol *symbols;
	size_t count;
	bool starts[256]; /* with such a byte some wanted name begins */
};

static void match_symbol(const Elf64_Sym *symbol, const char *name, struct query *query)
{
	if (!query->starts[(unsigned char)name[0]] || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC ||
	    symbol->st_shndx == SHN_UNDEF)
		return;
	for (size_t i = 0; i < query->count; i++) {
		struct elf_symbol *s = &query->symbols[i];

		if (strcmp(name, s->name) != 0)
			continue;
		if (s->address && s->address != symbol->st_value) {
			s->address = AMBIGUOUS;
			continue;
		}
		s->address = symbol->st_value;
		s->size = symbol->st_size;
	}
}

static int scan_symbols(const struct elf_image *image, const Elf64_Shdr *table, const char *text,
			uint64_t text_len, struct query *query)
{
	Elf64_Sym window[512];
	uint64_t total = table->sh_size / sizeof(Elf64_Sym);

	for (uint64_t at = 0; at < total; at += ARRAY_SIZE(window)) {
		size_t n = total - at < ARRAY_SIZE(window) ? total - at : ARRAY_SIZE(window);
		int r = elf_read(image, window, n * sizeof(window[0]),
				 table->sh_offset + at * sizeof(window[0]));

		if (r)
			return r;
		for (size_t i = 0; i < n; i++)
			if (window[i].st_name < text_len)
				match_symbol(&window[i], text + window[i].st_name, query);
	}
	return 0;
}

static int scan_table(const struct elf_image *image, const Elf64_Shdr *table, struct query *query)
{
	_cleanup_free_ char *text = NULL;
	Elf64_Shdr strings;
	int r;

	if (table->sh_entsize != sizeof(Elf64_Sym) || table->sh_size > ELF_SYMBOLS_MAX ||
	    table->sh_offset > INT64_MAX / 2)
		return -ENOEXEC;
	r = elf_section(image, table->sh_link, &strings);
	if (r)
		return r;
	if (strings.sh_size == 0 || strings.sh_size > ELF_STRINGS_MAX)
		return -ENOEXEC;
	text = malloc(strings.sh_size);
	if (!text)
		return -ENOMEM;
	r = elf_read(image, text, strings.sh_size, strings.sh_offset);
	if (r)
		return r;
	text[strings.sh_size - 1] = '\0';
	return scan_symbols(image, table, text, strings.sh_size, query);
}

int elf_find_symbols(const struct elf_image *image, struct elf_symbol *symbols, size_t count)
{
	struct query query = {.symbols = symbols, .count = count};
	unsigned int tables = 0;
	Elf64_Shdr section;
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		symbols[i].address = symbols[i].size = 0;
		query.starts[(unsigned char)symbols[i].name[0]] = true;
	}
	/* The gABI allows one table of each type; more would only cost time. */
	for (uint32_t i = 0; i < image->header.e_shnum && !r && tables < 2; i++) {
		r = elf_section(image, i, &section);
		if (r || (section.sh_type != SHT_DYNSYM && section.sh_type != SHT_SYMTAB))
			continue;
		r = scan_table(image, &section, &query);
		tables++;
	}
	for (size_t i = 0; i < count; i++)
		if (symbols[i].address == AMBIGUOUS)
			symbols[i].address = 0;
	return r;
}
