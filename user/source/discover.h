/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

struct attachments;
struct discovery;

/*
 * Finds the files that hold TLS functions: libraries by their names at start, then, in a thread of its own,
 * whatever running and new processes map. A scan of a large executable takes half a second, which the
 * pipeline must not wait for.
 */

/* `gone(ctx, key)` is called in the thread for a file that could not be looked at because its process had ended:
 * the kernel half should tell it again. What is found is kept in `directory` for the next run; NULL: it is not.
 * NULL when out of memory. */
struct file_key;
struct discovery *discovery_new(struct attachments *attachments, const char *directory,
				void (*gone)(void *ctx, const struct file_key *key), void *ctx);
/* Ends the thread and waits for it. */
void discovery_free(struct discovery *discovery);
/* Hooks every TLS library of the system's library directories, so that a program started later is seen from
 * its first byte, and those that running processes have mapped, in this thread. */
void discovery_scan_libraries(struct discovery *discovery);
/* Starts the thread, which looks through everything that runs. -errno. */
int discovery_start(struct discovery *discovery);
/* A process has mapped a new file: has it looked at. */
void discovery_process(struct discovery *discovery, uint32_t pid, const struct file_key *key);
