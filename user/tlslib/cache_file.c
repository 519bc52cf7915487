/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tlslib/cache_internal.h"
#include "util/cleanup.h"
#include "util/hash.h"

/*
 * The cache as a file, in this machine's byte order: a head, then each entry with its hooks behind it, the one used
 * longest ago first. The head's sum is over all that follows it. A file that is damaged in any way is worth
 * nothing: everything in it can be found again.
 */

#define MAGIC "gnomon-tlslib-1"

struct file_head {
	char magic[16];
	uint8_t stamp[ELF_BUILD_ID_MAX];
	uint64_t sum;
};

struct file_entry {
	struct cache_key key;
	int64_t result;
};

struct file_hook {
	char library[16];
	uint64_t file_offset;
	uint32_t function;
	uint8_t at_entry, emulated;
	uint8_t start[TLSLIB_START_BYTES];
	uint8_t reserved[2];
};

static_assert(sizeof(struct file_head) == 88 && sizeof(struct file_entry) == 128 &&
		      sizeof(struct file_hook) == 48,
	      "nothing in the file is padding");

static struct file_head head_of(struct span stamp, struct span body)
{
	struct file_head head = {.magic = MAGIC};

	memcpy(head.stamp, stamp.at,
	       stamp.len < sizeof(head.stamp) ? stamp.len : sizeof(head.stamp));
	head.sum = hash_fnv1a(HASH_START, body);
	return head;
}

static void write_entry(const struct cache_entry *entry, FILE *to)
{
	struct file_entry e = {.key = entry->key, .result = entry->result};

	fwrite(&e, sizeof(e), 1, to);
	for (int i = 0; i < entry->result; i++) {
		const struct tls_hook *hook = &entry->hooks[i].hook;
		struct file_hook h = {.file_offset = hook->file_offset,
				      .function = hook->function,
				      .at_entry = hook->at_entry,
				      .emulated = hook->emulated};

		span_copy(h.library, sizeof(h.library), span_str(hook->library->name));
		memcpy(h.start, entry->hooks[i].start, sizeof(h.start));
		fwrite(&h, sizeof(h), 1, to);
	}
}

int tlslib_cache_write(struct tlslib_cache *cache, struct span stamp, FILE *to)
{
	_cleanup_free_ char *body = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&body, &len);
	struct file_head head;
	bool failed;

	if (!memory)
		return -ENOMEM;
	for (struct table_link *link = cache->table.oldest; link; link = link->newer)
		write_entry(table_entry(link, const struct cache_entry, link), memory);
	failed = ferror(memory);
	if (fclose(memory) || failed)
		return -ENOMEM;
	head = head_of(stamp, span_of(body, len));
	if (fwrite(&head, sizeof(head), 1, to) != 1 || (len && fwrite(body, len, 1, to) != 1) ||
	    fflush(to))
		return -EIO;
	cache->changed = false;
	return 0;
}

static bool take(struct span *from, void *to, size_t len)
{
	if (from->len < len)
		return false;
	memcpy(to, from->at, len);
	*from = span_skip(*from, len);
	return true;
}

static const struct tlslib_ops *library_named(const char name[static 16])
{
	for (size_t i = 0; tlslib_table[i]; i++)
		if (strncmp(tlslib_table[i]->name, name, 16) == 0)
			return tlslib_table[i];
	return NULL;
}

static bool read_hook(struct span *from, struct known_hook *known)
{
	struct file_hook h;

	if (!take(from, &h, sizeof(h)) || h.function >= TLS_FUNCTION_COUNT || h.at_entry > 1 ||
	    h.emulated > 1)
		return false;
	known->hook = (struct tls_hook){.function = (enum tls_function)h.function,
					.library = library_named(h.library),
					.file_offset = h.file_offset,
					.at_entry = h.at_entry,
					.emulated = h.emulated};
	memcpy(known->start, h.start, sizeof(known->start));
	return known->hook.library != NULL;
}

static int read_entry(struct tlslib_cache *cache, struct span *from)
{
	_cleanup_free_ struct cache_entry *entry = NULL;
	struct file_entry e;

	if (!take(from, &e, sizeof(e)) || e.key.build_id_len > ELF_BUILD_ID_MAX ||
	    (e.result != -ENOENT && (e.result < 1 || e.result > TLS_HOOKS_PER_FILE_MAX)))
		return -EBADMSG;
	entry = cache_entry_new(e.result > 0 ? (int)e.result : 0);
	if (!entry)
		return -ENOMEM;
	entry->key = e.key;
	entry->result = (int)e.result;
	for (int i = 0; i < entry->result; i++)
		if (!read_hook(from, &entry->hooks[i]))
			return -EBADMSG;
	cache_add(cache, TAKE_PTR(entry));
	return 0;
}

int tlslib_cache_read(struct tlslib_cache *cache, struct span stamp, struct span bytes)
{
	struct file_head head, wanted;
	int r = 0;

	cache_clear(cache);
	cache->changed = false;
	if (!take(&bytes, &head, sizeof(head)))
		return -EBADMSG;
	wanted = head_of(stamp, bytes);
	if (memcmp(&head, &wanted, sizeof(head)) != 0)
		return -EBADMSG;
	while (bytes.len && !r)
		r = read_entry(cache, &bytes);
	if (r)
		cache_clear(cache);
	return r;
}
