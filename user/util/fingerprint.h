/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "gnomon/span.h"

/* Hex digits of a fingerprint, and the NUL: 64 bits, enough to tell a fleet's keys apart and too few to be of use
 * for anything else. */
#define FINGERPRINT_HEX_BYTES 17

/* What is fingerprinted; the same text gives different fingerprints for each. */
enum fingerprint_kind {
	FINGERPRINT_KEY,
	FINGERPRINT_ACCOUNT,
	FINGERPRINT_SESSION,
	FINGERPRINT_KINDS
};

struct diag;

/*
 * A secret that all sensors of a fleet share, so that one key has one fingerprint on all of them, and nobody
 * without it can try keys against a fingerprint. Kept as a derived key per kind.
 */
struct fleet_salt {
	unsigned char key[FINGERPRINT_KINDS][32];
};

/* Takes the bytes of a secret: at least FLEET_SALT_MIN. -EINVAL when they are fewer, -ENOMEM. */
int fleet_salt_init(struct fleet_salt *salt, struct span secret);
/* Reads it from a regular file that only its owner may read, who is root or this user; one line end at its end does
 * not count. -errno with the reason in `diag`. */
int fleet_salt_read(struct fleet_salt *salt, const char *path, struct diag *diag);

/* The first 64 bits of HMAC-SHA-256 (RFC 2104), in lower-case hex. `salt` NULL or an empty text: "". */
void fingerprint(const struct fleet_salt *salt, enum fingerprint_kind kind, struct span text,
		 char hex[static FINGERPRINT_HEX_BYTES]);
