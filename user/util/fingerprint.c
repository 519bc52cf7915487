/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "util/fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gnomon/limits.h"
#include "util/cleanup.h"
#include "util/diag.h"

static bool hmac(const void *key, size_t key_len, struct span text, unsigned char sum[static 32])
{
	unsigned int len = 32;

	return HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)text.at, text.len, sum,
		    &len);
}

int fleet_salt_init(struct fleet_salt *salt, struct span secret)
{
	static const struct span kinds[FINGERPRINT_KINDS] = {
		[FINGERPRINT_KEY] = SPAN_LITERAL("gnomon key"),
		[FINGERPRINT_ACCOUNT] = SPAN_LITERAL("gnomon account"),
		[FINGERPRINT_SESSION] = SPAN_LITERAL("gnomon session"),
	};

	if (secret.len < FLEET_SALT_MIN)
		return -EINVAL;
	for (int kind = 0; kind < FINGERPRINT_KINDS; kind++)
		if (!hmac(secret.at, secret.len, kinds[kind], salt->key[kind]))
			return -ENOMEM;
	return 0;
}

/* What of the file's state makes it no secret; NULL: nothing. */
static const char *unsafe(const struct stat *state)
{
	if (!S_ISREG(state->st_mode))
		return "is no regular file";
	if (state->st_uid != 0 && state->st_uid != geteuid())
		return "belongs to another user";
	if (state->st_mode & (S_IRWXG | S_IRWXO))
		return "may be read or written by others than its owner: chmod 600";
	if (state->st_size > FLEET_SALT_MAX)
		return "is too long for a salt";
	return NULL;
}

/* -1: it could not be read, as errno says. */
static ssize_t read_all(int fd, char *to, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, to + len, cap - len);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

int fleet_salt_read(struct fleet_salt *salt, const char *path, struct diag *diag)
{
	/* the file that is looked at is the one that is read; a FIFO does not block */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char secret[FLEET_SALT_MAX + 1];
	const char *reason;
	struct stat state;
	ssize_t len;
	int r;

	if (fd < 0 || fstat(fd, &state) < 0) {
		r = -errno;
		diag_add(diag, path, 0, 0, "%s", strerror(-r));
		return r;
	}
	reason = unsafe(&state);
	if (reason) {
		diag_add(diag, path, 0, 0, "%s", reason);
		return -EPERM;
	}
	len = read_all(fd, secret, sizeof(secret) - 1);
	if (len < 0) {
		r = -errno;
		diag_add(diag, path, 0, 0, "%s", strerror(-r));
		return r;
	}
	if (len && secret[len - 1] == '\n')
		len--;
	r = fleet_salt_init(salt, span_of(secret, (size_t)len));
	OPENSSL_cleanse(secret, sizeof(secret));
	if (r == -EINVAL)
		diag_add(diag, path, 0, 0, "a salt has at least %d bytes", FLEET_SALT_MIN);
	return r;
}

void fingerprint(const struct fleet_salt *salt, enum fingerprint_kind kind, struct span text,
		 char hex[static FINGERPRINT_HEX_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[32];

	hex[0] = '\0';
	if (!salt || !text.len || !hmac(salt->key[kind], sizeof(salt->key[kind]), text, sum))
		return;
	for (size_t i = 0; i < (FINGERPRINT_HEX_BYTES - 1) / 2; i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[FINGERPRINT_HEX_BYTES - 1] = '\0';
}
