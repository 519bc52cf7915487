/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdio.h>

#include "gnomon/tlslib.h"

/*
 * What was found in a file, so that the next process that maps it, and the next run of the sensor, costs a few
 * reads. Whether there is nothing in it is remembered too; errors are not. What is remembered is never believed
 * about code: a hook is given out only where the file still has the bytes that it had there when it was found.
 */

struct tlslib_cache;

/* What tells one state of a file from another (fstat(2)). Whoever writes a file changes its ctime. */
struct tlslib_identity {
	uint64_t device, inode, size_bytes;
	int64_t modified_ns, changed_ns;
	/* Whose files may stand for each other, when build id and size are equal: copies of a runtime in
	 * several containers. Not 0, and different for parties that do not trust each other (the owner
	 * in the host's numbering plus one, say): a build id is the file's own claim, and a false one
	 * must not hide the true file's functions. 0: this file stands for itself alone. */
	uint64_t trust;
};

/* Room for `max` files; the one used longest ago gives way. NULL: no memory. */
struct tlslib_cache *tlslib_cache_new(size_t max);
void tlslib_cache_free(struct tlslib_cache *cache);

/* tlslib_find(), from memory where the file is known. Same results and errors. `*searched` (may be NULL): the file
 * had to be searched. */
int tlslib_cache_find(struct tlslib_cache *cache, const struct tlslib_reader *reader,
		      const struct tlslib_identity *identity, struct tls_hook *hooks, size_t cap,
		      bool *searched);

/* Has anything been learnt since the last write or read? */
bool tlslib_cache_changed(const struct tlslib_cache *cache);
/* Writes everything. `stamp` names the searchers that found it (at most 64 bytes): those of another build may know
 * better. -EIO: the stream refused. */
int tlslib_cache_write(struct tlslib_cache *cache, struct span stamp, FILE *to);
/* Takes what was written, in place of what is there. -EBADMSG: damaged, or of another build; -ENOMEM; the cache is
 * empty then. */
int tlslib_cache_read(struct tlslib_cache *cache, struct span stamp, struct span bytes);
