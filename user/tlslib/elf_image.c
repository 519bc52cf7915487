/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/elf_image.h"

#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

int elf_read(const struct elf_image *image, void *to, size_t len, uint64_t offset)
{
	const struct tlslib_reader *reader = image->reader;
	ssize_t n;

	if (offset > INT64_MAX - len)
		return -ENOEXEC;
	n = reader->read(reader->ctx, to, len, offset);
	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -ENOEXEC;
}

/* Segments whose ends do not fit in 63 bits would make every sum below suspect. */
static bool segment_is_sane(const Elf64_Phdr *p)
{
	return p->p_filesz <= INT64_MAX && p->p_offset <= INT64_MAX - p->p_filesz &&
	       p->p_vaddr <= UINT64_MAX - p->p_filesz;
}

int elf_open(struct elf_image *image, const struct tlslib_reader *reader)
{
	const Elf64_Ehdr *header = &image->header;
	Elf64_Shdr last;
	int r;

	image->reader = reader;
	r = elf_read(image, &image->header, sizeof(image->header), 0);
	if (r)
		return r;
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > ELF_SEGMENTS_MAX ||
	    header->e_shnum > ELF_SECTIONS_MAX ||
	    (header->e_shnum && header->e_shentsize != sizeof(Elf64_Shdr)))
		return -ENOEXEC;
	r = elf_read(image, image->segments, header->e_phnum * sizeof(Elf64_Phdr), header->e_phoff);
	for (size_t i = 0; i < header->e_phnum && !r; i++)
		r = segment_is_sane(&image->segments[i]) ? 0 : -ENOEXEC;
	/* The section headers usually end the file: it is whole if they are there. */
	if (!r && header->e_shnum)
		r = elf_section(image, header->e_shnum - 1u, &last);
	return r;
}

const Elf64_Phdr *elf_segment_at(const struct elf_image *image, uint64_t address)
{
	for (size_t i = 0; i < image->header.e_phnum; i++) {
		const Elf64_Phdr *p = &image->segments[i];

		if (p->p_type == PT_LOAD && address >= p->p_vaddr &&
		    address - p->p_vaddr < p->p_filesz)
			return p;
	}
	return NULL;
}

ssize_t elf_read_address(const struct elf_image *image, void *to, size_t len, uint64_t address)
{
	const Elf64_Phdr *p = elf_segment_at(image, address);
	int r;

	if (!p)
		return 0;
	if (len > p->p_filesz - (address - p->p_vaddr))
		len = p->p_filesz - (address - p->p_vaddr);
	r = elf_read(image, to, len, address - p->p_vaddr + p->p_offset);
	return r ? r : (ssize_t)len;
}

uint64_t elf_code_offset(const struct elf_image *image, uint64_t address)
{
	const Elf64_Phdr *p = elf_segment_at(image, address);

	return p && p->p_flags & PF_X ? address - p->p_vaddr + p->p_offset : 0;
}

uint64_t elf_code_bytes(const struct elf_image *image)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < image->header.e_phnum; i++)
		if (image->segments[i].p_type == PT_LOAD && image->segments[i].p_flags & PF_X)
			bytes += image->segments[i].p_filesz;
	return bytes;
}

int elf_section(const struct elf_image *image, uint32_t index, Elf64_Shdr *section)
{
	if (index >= image->header.e_shnum || image->header.e_shoff > INT64_MAX / 2)
		return -ENOEXEC;
	return elf_read(image, section, sizeof(*section),
			image->header.e_shoff + index * sizeof(*section));
}

int elf_section_named(const struct elf_image *image, const char *name, Elf64_Shdr *section)
{
	size_t len = strlen(name) + 1;
	Elf64_Shdr names;
	char text[32];
	int r;

	if (!image->header.e_shnum)
		return -ENOENT;
	r = elf_section(image, image->header.e_shstrndx, &names);
	for (uint32_t i = 0; i < image->header.e_shnum && !r; i++) {
		r = elf_section(image, i, section);
		if (r || len > sizeof(text) || section->sh_name >= names.sh_size ||
		    names.sh_size - section->sh_name < len || names.sh_offset > INT64_MAX / 2)
			continue;
		r = elf_read(image, text, len, names.sh_offset + section->sh_name);
		if (!r && memcmp(text, name, len) == 0)
			return 0;
	}
	return r ? r : -ENOENT;
}

/* One note segment: name and description are padded to 4 bytes. */
static size_t find_build_id(const uint8_t *notes, size_t len, uint8_t *id, size_t cap)
{
	size_t at = 0;

	while (len - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		size_t name, description;

		memcpy(&note, notes + at, sizeof(note));
		at += sizeof(note);
		name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
		description = ((size_t)note.n_descsz + 3) & ~(size_t)3;
		if (name > len - at || description > len - at - name)
			break;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp(notes + at, "GNU", 4) == 0 && note.n_descsz <= cap) {
			memcpy(id, notes + at + name, note.n_descsz);
			return note.n_descsz;
		}
		at += name + description;
	}
	return 0;
}

int elf_build_id(const struct elf_image *image, uint8_t *id, size_t cap)
{
	for (size_t i = 0; i < image->header.e_phnum; i++) {
		const Elf64_Phdr *p = &image->segments[i];
		uint8_t notes[ELF_NOTES_MAX];
		size_t len = p->p_filesz < sizeof(notes) ? p->p_filesz : sizeof(notes), n;
		int r;

		if (p->p_type != PT_NOTE)
			continue;
		r = elf_read(image, notes, len, p->p_offset);
		if (r)
			return r == -ENOEXEC ? 0 : r;
		n = find_build_id(notes, len, id, cap);
		if (n)
			return (int)n;
	}
	return 0;
}
