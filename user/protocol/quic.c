/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/quic.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "util/bytes.h"
#include "util/cleanup.h"

/*
 * A datagram holds one or more packets; a long header tells its packet's length. Of an Initial the packet
 * number and four bits of the first byte are masked with a block of AES over a sample of the ciphertext; the rest is
 * AES-128-GCM with the header as associated data. Both keys come from the destination connection id of the
 * client's first Initial, by HKDF with a salt of the version.
 */

enum {
	CID_MAX = 20, /* RFC 9000 section 17.2 */
	SAMPLE_BYTES = 16,
	TAG_BYTES = 16,
	KEY_BYTES = 16,
	IV_BYTES = 12,
	SECRET_BYTES = 32,
	HANDSHAKE_HEADER = 4,
	CLIENT_HELLO = 1,
};

enum frame_type {
	FRAME_PADDING = 0,
	FRAME_PING = 1,
	FRAME_ACK = 2,
	FRAME_ACK_ECN = 3,
	FRAME_CRYPTO = 6,
};

struct version {
	uint32_t number;
	unsigned char salt[20];
	const char *key, *iv, *hp;
	uint8_t initial; /* the packet type */
};

static const struct version versions[] = {
	/* RFC 9001 section 5.2 */
	{1,
	 {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
	  0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
	 "quic key",
	 "quic iv",
	 "quic hp",
	 0},
	/* RFC 9369 sections 3.2 and 3.3 */
	{0x6b3343cf,
	 {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
	  0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
	 "quicv2 key",
	 "quicv2 iv",
	 "quicv2 hp",
	 1},
};

struct keys {
	unsigned char key[KEY_BYTES], iv[IV_BYTES], hp[KEY_BYTES];
};

struct range {
	uint32_t begin, end;
};

struct quic_initials {
	bool keyed, done;
	int failed;
	struct keys keys;
	EVP_CIPHER_CTX *cipher;
	struct tls_hello hello;
	/* What has come of the handshake, as sorted ranges that do not touch. */
	struct range ranges[QUIC_CRYPTO_RANGES_MAX];
	size_t range_count;
	char crypto[TLS_HELLO_MAX];
};

/* One long-header packet of a datagram. */
struct long_packet {
	const struct version *version;
	struct span dcid;
	struct span whole; /* header and payload */
	size_t number_at;  /* of the packet number in it */
	bool initial;
};

struct quic_initials *quic_initials_new(void)
{
	struct quic_initials *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->cipher = EVP_CIPHER_CTX_new();
	if (!q->cipher) {
		free(q);
		return NULL;
	}
	return q;
}

void quic_initials_free(struct quic_initials *q)
{
	if (!q)
		return;
	EVP_CIPHER_CTX_free(q->cipher);
	free(q);
}

static const struct version *version_of(uint32_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if (versions[i].number == number)
			return &versions[i];
	return NULL;
}

/* RFC 9000 section 16. False: it goes beyond the span. */
static bool take_varint(struct span *from, uint64_t *value)
{
	size_t len;

	if (!from->len)
		return false;
	len = (size_t)1 << ((unsigned char)from->at[0] >> 6);
	if (from->len < len)
		return false;
	*value = (unsigned char)from->at[0] & 0x3f;
	for (size_t i = 1; i < len; i++)
		*value = *value << 8 | (unsigned char)from->at[i];
	*from = span_skip(*from, len);
	return true;
}

static bool take_cid(struct span *from, struct span *cid)
{
	size_t len = from->len ? (unsigned char)from->at[0] : CID_MAX + 1;

	if (len > CID_MAX || from->len < 1 + len)
		return false;
	*cid = span_of(from->at + 1, len);
	*from = span_skip(*from, 1 + len);
	return true;
}

/* RFC 9000 sections 17.2.2 to 17.2.4. False: no packet with a known length. */
static bool take_packet(struct span *datagram, struct long_packet *packet)
{
	struct span rest = *datagram, scid;
	uint64_t length, token;
	uint8_t type;

	if (rest.len < 5 || !((unsigned char)rest.at[0] & 0x80))
		return false;
	packet->version = version_of(get_be32(rest.at + 1));
	if (!packet->version)
		return false;
	type = (unsigned char)rest.at[0] >> 4 & 3;
	packet->initial = type == packet->version->initial;
	rest = span_skip(rest, 5);
	if (!take_cid(&rest, &packet->dcid) || !take_cid(&rest, &scid))
		return false;
	/* a Retry has neither length nor anything behind it */
	if (type == (packet->version->initial + 3) % 4)
		return false;
	if (packet->initial) {
		if (!take_varint(&rest, &token) || token > rest.len)
			return false;
		rest = span_skip(rest, (size_t)token);
	}
	if (!take_varint(&rest, &length) || length > rest.len)
		return false;
	packet->number_at = (size_t)(rest.at - datagram->at);
	packet->whole = span_of(datagram->at, packet->number_at + (size_t)length);
	*datagram = span_skip(rest, (size_t)length);
	return true;
}

bool quic_starts(struct span datagram)
{
	struct long_packet packet;

	return take_packet(&datagram, &packet);
}

/* HKDF-Expand-Label (RFC 8446 section 7.1) of at most one block of SHA-256, without a context. */
static bool expand(const unsigned char secret[static SECRET_BYTES], const char *label,
		   unsigned char *to, size_t len)
{
	unsigned char info[64], block[SECRET_BYTES];
	size_t label_len = strlen(label), n = 0;

	info[n++] = 0;
	info[n++] = (unsigned char)len;
	info[n++] = (unsigned char)(6 + label_len);
	memcpy(info + n, "tls13 ", 6);
	n += 6;
	memcpy(info + n, label, label_len);
	n += label_len;
	info[n++] = 0; /* no context */
	info[n++] = 1; /* the first block */
	if (!HMAC(EVP_sha256(), secret, SECRET_BYTES, info, n, block, NULL))
		return false;
	memcpy(to, block, len);
	return true;
}

static bool derive(struct keys *keys, const struct long_packet *packet)
{
	const struct version *v = packet->version;
	unsigned char initial[SECRET_BYTES], client[SECRET_BYTES];

	return HMAC(EVP_sha256(), v->salt, sizeof(v->salt), (const void *)packet->dcid.at,
		    packet->dcid.len, initial, NULL) &&
	       expand(initial, "client in", client, sizeof(client)) &&
	       expand(client, v->key, keys->key, sizeof(keys->key)) &&
	       expand(client, v->iv, keys->iv, sizeof(keys->iv)) &&
	       expand(client, v->hp, keys->hp, sizeof(keys->hp));
}

/* RFC 9001 section 5.4. Takes the mask off the header's copy; the packet number's length, 0: failed. */
static size_t unmask(struct quic_initials *q, const struct keys *keys,
		     const struct long_packet *packet, unsigned char *header)
{
	unsigned char mask[SAMPLE_BYTES];
	size_t number_len;
	int n;

	if (!EVP_EncryptInit_ex(q->cipher, EVP_aes_128_ecb(), NULL, keys->hp, NULL) ||
	    !EVP_EncryptUpdate(q->cipher, mask, &n,
			       (const void *)(packet->whole.at + packet->number_at + 4),
			       SAMPLE_BYTES))
		return 0;
	header[0] ^= mask[0] & 0x0f;
	number_len = (header[0] & 3) + 1;
	for (size_t i = 0; i < number_len; i++)
		header[packet->number_at + i] ^= mask[1 + i];
	return number_len;
}

/* Opens a packet into `plain`, which has room for it. The length, or -1: not with these keys. */
static int open_packet(struct quic_initials *q, const struct keys *keys,
		       const struct long_packet *packet, unsigned char *plain)
{
	unsigned char header[QUIC_DATAGRAM_MAX], nonce[IV_BYTES];
	size_t number_len, header_len, sealed_len;
	const char *sealed;
	int n, tail;

	if (packet->whole.len > sizeof(header) ||
	    packet->whole.len - packet->number_at < 4 + SAMPLE_BYTES)
		return -1;
	memcpy(header, packet->whole.at, packet->number_at + 4);
	number_len = unmask(q, keys, packet, header);
	if (!number_len)
		return -1;
	header_len = packet->number_at + number_len;
	sealed = packet->whole.at + header_len;
	sealed_len = packet->whole.len - header_len - TAG_BYTES;
	memcpy(nonce, keys->iv, sizeof(nonce));
	for (size_t i = 0; i < number_len; i++)
		nonce[IV_BYTES - number_len + i] ^= header[packet->number_at + i];
	if (!EVP_DecryptInit_ex(q->cipher, EVP_aes_128_gcm(), NULL, keys->key, nonce) ||
	    !EVP_DecryptUpdate(q->cipher, NULL, &n, header, (int)header_len) ||
	    !EVP_DecryptUpdate(q->cipher, plain, &n, (const void *)sealed, (int)sealed_len) ||
	    !EVP_CIPHER_CTX_ctrl(q->cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES,
				 (void *)(uintptr_t)(sealed + sealed_len)) ||
	    EVP_DecryptFinal_ex(q->cipher, plain + n, &tail) <= 0)
		return -1;
	return n;
}

/* Notes that [begin, end) has come, merging what touches. False: too many pieces. */
static bool note_range(struct quic_initials *q, uint32_t begin, uint32_t end)
{
	size_t i = 0, last;

	while (i < q->range_count && q->ranges[i].end < begin)
		i++;
	for (last = i; last < q->range_count && q->ranges[last].begin <= end; last++) {
		if (q->ranges[last].begin < begin)
			begin = q->ranges[last].begin;
		if (q->ranges[last].end > end)
			end = q->ranges[last].end;
	}
	if (last == i) {
		if (q->range_count == QUIC_CRYPTO_RANGES_MAX)
			return false;
		memmove(&q->ranges[i + 1], &q->ranges[i],
			(q->range_count - i) * sizeof(*q->ranges));
		q->range_count++;
	} else {
		memmove(&q->ranges[i + 1], &q->ranges[last],
			(q->range_count - last) * sizeof(*q->ranges));
		q->range_count -= last - i - 1;
	}
	q->ranges[i] = (struct range){begin, end};
	return true;
}

static bool take_crypto(struct quic_initials *q, struct span *frames)
{
	uint64_t offset, len;

	if (!take_varint(frames, &offset) || !take_varint(frames, &len) || len > frames->len ||
	    offset > sizeof(q->crypto) || len > sizeof(q->crypto) - offset)
		return false;
	if (len && !note_range(q, (uint32_t)offset, (uint32_t)(offset + len)))
		return false;
	memcpy(q->crypto + offset, frames->at, (size_t)len);
	*frames = span_skip(*frames, (size_t)len);
	return true;
}

static bool skip_varints(struct span *frames, uint64_t count)
{
	uint64_t value;

	for (uint64_t i = 0; i < count; i++)
		if (!take_varint(frames, &value))
			return false;
	return true;
}

/* RFC 9000 section 19.3 */
static bool take_ack(struct span *frames, bool ecn)
{
	uint64_t ranges;

	/* the largest acknowledged and the delay before the count of ranges, the first range behind it */
	if (!skip_varints(frames, 2) || !take_varint(frames, &ranges) || !skip_varints(frames, 1))
		return false;
	/* each range has two numbers of a byte at least */
	if (ranges > frames->len)
		return false;
	return skip_varints(frames, 2 * ranges + (ecn ? 3 : 0));
}

/* The frames that an Initial may hold (RFC 9000 section 12.4); a close ends the reading. */
static bool take_frames(struct quic_initials *q, struct span frames)
{
	while (frames.len) {
		char type = frames.at[0];

		frames = span_skip(frames, 1);
		if (type == FRAME_PADDING || type == FRAME_PING)
			continue;
		if (type == FRAME_CRYPTO) {
			if (!take_crypto(q, &frames))
				return false;
		} else if (type == FRAME_ACK || type == FRAME_ACK_ECN) {
			if (!take_ack(&frames, type == FRAME_ACK_ECN))
				return false;
		} else {
			return false;
		}
	}
	return true;
}

static void parser_cleanup(struct tls_hello_parser **parser)
{
	tls_hello_free(*parser);
}

/* The handshake parser wants records: the message is given one of its own. */
static int read_hello(struct quic_initials *q)
{
	_cleanup_(parser_cleanup) struct tls_hello_parser *parser = NULL;
	char record[5] = {22, 3, 1};
	uint32_t len;
	int r;

	if (!q->range_count || q->ranges[0].begin || q->ranges[0].end < HANDSHAKE_HEADER)
		return 0;
	len = HANDSHAKE_HEADER + get_be24(q->crypto + 1);
	if (q->crypto[0] != CLIENT_HELLO || len > sizeof(q->crypto))
		return -EPROTO;
	if (q->ranges[0].end < len)
		return 0;
	parser = tls_hello_new();
	if (!parser)
		return -ENOMEM;
	put_be16(record + 3, (uint16_t)len);
	r = tls_hello_feed(parser, span_of(record, sizeof(record)), &q->hello);
	if (r == 0)
		r = tls_hello_feed(parser, span_of(q->crypto, len), &q->hello);
	if (r <= 0)
		return r ? r : -EPROTO;
	/* "q" where TCP has "t" */
	if (q->hello.ja4[0])
		q->hello.ja4[0] = 'q';
	return 1;
}

static int take_initial(struct quic_initials *q, const struct long_packet *packet)
{
	unsigned char plain[QUIC_DATAGRAM_MAX];
	struct keys keys;
	int n = -1;

	if (packet->whole.len > sizeof(plain))
		return 0;
	if (q->keyed)
		n = open_packet(q, &q->keys, packet, plain);
	/* the first one, or one after a Retry, which gives new keys (RFC 9001 section 5.2) */
	if (n < 0) {
		if (!derive(&keys, packet))
			return -ENOMEM;
		n = open_packet(q, &keys, packet, plain);
		if (n < 0)
			return 0; /* anybody's, or damaged: it proves nothing */
		q->keys = keys;
		q->keyed = true;
	}
	if (!take_frames(q, span_of((const char *)plain, (size_t)n)))
		return -EPROTO;
	return read_hello(q);
}

/* Firefox fills its datagrams up with zeroes behind the packets, and hands several to the kernel as one, which cuts
 * them behind where they are seen (UDP_SEGMENT). No packet begins with a zero. */
static bool take_next(struct span *datagrams, struct long_packet *packet)
{
	size_t zeroes = 0;

	while (zeroes < datagrams->len && datagrams->at[zeroes] == '\0')
		zeroes++;
	*datagrams = span_skip(*datagrams, zeroes);
	return take_packet(datagrams, packet);
}

int quic_initials_feed(struct quic_initials *q, struct span datagram, struct tls_hello *hello)
{
	struct long_packet packet;
	int r = q->done ? 1 : q->failed;

	while (r == 0 && take_next(&datagram, &packet))
		if (packet.initial)
			r = take_initial(q, &packet);
	if (r < 0)
		q->failed = r;
	if (r > 0) {
		q->done = true;
		*hello = q->hello;
	}
	return r;
}
