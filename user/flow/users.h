/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * Names of users and groups, from files in the form of passwd(5) and group(5). Not through NSS: a
 * sensor must not wait for a directory server, nor load its modules. The first USERS_CACHED_MAX entries
 * of each file are known.
 */
struct users;

/* The files need not exist yet. NULL when out of memory. */
struct users *users_new(const char *passwd_path, const char *group_path);
void users_free(struct users *users);

/*
 * The name, or NULL when the id is not known. `now_ns` is any clock that does not go back: both files
 * are looked at once a second of it and read again when they have changed. A name is valid until a call
 * of either function with a later now_ns.
 */
const char *users_name(struct users *users, uint32_t uid, uint64_t now_ns);
const char *users_group(struct users *users, uint32_t gid, uint64_t now_ns);
