/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tlslib/file.h"

#include <errno.h>
#include <string.h>

#include "util/cleanup.h"

static int search_symbols(struct tlslib_file *file, const struct tlslib_ops *const *table)
{
	for (size_t i = 0; table[i]; i++)
		for (size_t j = 0; table[i]->symbols && table[i]->symbols[j]; j++) {
			if (file->symbol_count == TLSLIB_SYMBOLS_MAX)
				return -E2BIG;
			file->symbols[file->symbol_count++].name = table[i]->symbols[j];
		}
	return elf_find_symbols(&file->image, file->symbols, file->symbol_count);
}

static int search_needles(struct tlslib_file *file, const struct tlslib_ops *const *table)
{
	const struct tlslib_needle *needles[TLSLIB_NEEDLES_MAX];
	size_t count = 0;
	int r;

	for (size_t i = 0; table[i]; i++)
		for (size_t j = 0; table[i]->needles && table[i]->needles[j].bytes.len; j++) {
			if (count == TLSLIB_NEEDLES_MAX)
				return -E2BIG;
			needles[count++] = &table[i]->needles[j];
		}
	/* Only x86-64 code is searched for what refers to them. */
	if (file->image.header.e_machine != EM_X86_64)
		return 0;
	r = scan_needles(&file->scan, &file->image, needles, count);
	return r ? r : scan_xrefs(&file->scan, &file->image);
}

int file_search(struct tlslib_file *file, const struct tlslib_reader *reader,
		const struct tlslib_ops *const *table)
{
	int r;

	memset(file, 0, sizeof(*file));
	r = elf_open(&file->image, reader);
	if (!r)
		r = search_symbols(file, table);
	if (!r)
		r = search_needles(file, table);
	if (r)
		file_done(file);
	return r;
}

void file_done(struct tlslib_file *file)
{
	scan_done(&file->scan);
}

uint64_t file_symbol(const struct tlslib_file *file, const char *name)
{
	for (size_t i = 0; i < file->symbol_count; i++)
		if (strcmp(file->symbols[i].name, name) == 0)
			return file->symbols[i].address;
	return 0;
}

int file_symbol_hook(const struct tlslib_file *file, const char *name, enum tls_function function,
		     struct tls_hook *hook)
{
	uint64_t address = file_symbol(file, name);

	hook->function = function;
	return address ? function_hook(&file->image, address, hook) : -ENOENT;
}

int file_symbol_hooks(const struct tlslib_file *file, const struct named_hook *data,
		      const struct named_hook *ends, struct tls_hook *hooks, size_t cap)
{
	size_t count = 0;

	for (; data->name; data++) {
		int r = -ENOENT;

		if (count < cap)
			r = file_symbol_hook(file, data->name, data->function, &hooks[count++]);
		if (r)
			return r;
	}
	for (; ends->name && count < cap; ends++)
		if (file_symbol_hook(file, ends->name, ends->function, &hooks[count]) == 0)
			count++;
	return (int)count;
}

bool path_is_library(struct span path, struct span name)
{
	struct span file = path;

	for (size_t i = 0; i < path.len; i++)
		if (path.at[i] == '/')
			file = span_skip(path, i + 1);
	if (!span_starts(file, name))
		return false;
	file = span_skip(file, name.len);
	if (file.len && file.at[0] == '-')
		while (file.len && file.at[0] != '.')
			file = span_skip(file, 1);
	return span_starts(file, SPAN_LITERAL(".so"));
}

bool file_has_mark(const struct tlslib_file *file, const struct tlslib_needle *needle)
{
	for (size_t i = 0; i < file->scan.mark_count; i++)
		if (file->scan.marks[i] == needle)
			return true;
	return false;
}

int file_function_of(const struct tlslib_file *file, const struct tlslib_needle *needle,
		     struct function *function)
{
	const struct scan *scan = &file->scan;
	bool found = false;

	if (scan->incomplete)
		return -ENOENT;
	for (size_t i = 0; i < scan->xref_count; i++) {
		struct function f;
		int r;

		if (scan->hits[scan->xrefs[i].hit].needle != needle)
			continue;
		r = function_at(&file->image, scan->xrefs[i].address, &f);
		if (r)
			return r;
		if (found && f.start != function->start)
			return -ENOENT;
		*function = f;
		found = true;
	}
	return found ? 0 : -ENOENT;
}
