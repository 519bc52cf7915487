/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/tls_hello.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/host_name.h"
#include "util/bytes.h"
#include "util/cleanup.h"

enum {
	RECORD_HEADER_BYTES = 5,
	RECORD_HANDSHAKE = 22,
	RECORD_BYTES_MAX = 16384, /* RFC 8446 section 5.1 */
	HANDSHAKE_HEADER_BYTES = 4,
	CLIENT_HELLO = 1,
	SERVER_HELLO = 2,
	RANDOM_BYTES = 32,
	SESSION_ID_MAX = 32,
	/* Most ClientHellos fit; the first allocation, so that a flow that claims 16 KiB and sends
	 * nothing costs little. */
	MESSAGE_BYTES_FIRST = 2048,
};

enum {
	EXT_SERVER_NAME = 0,
	EXT_SIGNATURE_ALGORITHMS = 13,
	EXT_ALPN = 16,
	EXT_SUPPORTED_VERSIONS = 43,
	EXT_ENCRYPTED_CLIENT_HELLO = 0xfe0d, /* RFC 9849 */
};

struct tls_hello_parser {
	int failed;  /* -errno, final */
	char wanted; /* type of message */
	char header[RECORD_HEADER_BYTES];
	size_t header_have;
	size_t record_left;
	char *message; /* the handshake message with its header */
	size_t have, cap;
};

struct tls_hello_parser *tls_hello_new(void)
{
	return calloc(1, sizeof(struct tls_hello_parser));
}

void tls_hello_free(struct tls_hello_parser *parser)
{
	if (!parser)
		return;
	free(parser->message);
	free(parser);
}

/* Reads from the front of a span. Past its end every read gives nothing and sets `bad`. */
struct reader {
	struct span rest;
	bool bad;
};

static struct span read_bytes(struct reader *reader, size_t n)
{
	struct span bytes;

	if (reader->bad || n > reader->rest.len) {
		reader->bad = true;
		return (struct span){0};
	}
	bytes = span_of(reader->rest.at, n);
	reader->rest = span_of(reader->rest.at + n, reader->rest.len - n);
	return bytes;
}

static uint8_t read_u8(struct reader *reader)
{
	struct span bytes = read_bytes(reader, 1);

	return bytes.len ? (uint8_t)bytes.at[0] : 0;
}

static uint16_t read_u16(struct reader *reader)
{
	struct span bytes = read_bytes(reader, 2);

	return bytes.len ? get_be16(bytes.at) : 0;
}

/* RFC 8446 section 3.4: a vector is its length and that many bytes. */
static struct reader read_vector8(struct reader *reader)
{
	return (struct reader){.rest = read_bytes(reader, read_u8(reader))};
}

static struct reader read_vector16(struct reader *reader)
{
	return (struct reader){.rest = read_bytes(reader, read_u16(reader))};
}

/* RFC 8701: sixteen values 0x?a?a with equal bytes, put in by clients to keep servers tolerant. */
static bool is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* The parts of a ClientHello that the facts are drawn from; spans of the message. */
struct hello_parts {
	uint16_t legacy_version;
	struct span ciphers;    /* two bytes each */
	struct span extensions; /* type, length, content; checked to be whole */
	struct span server_names, alpn, versions, signatures; /* contents of extensions */
	bool has_server_name, ech;
};

static void note_extension(struct hello_parts *parts, uint16_t type, struct span content)
{
	switch (type) {
	case EXT_SERVER_NAME:
		parts->has_server_name = true;
		parts->server_names = content;
		break;
	case EXT_SIGNATURE_ALGORITHMS:
		parts->signatures = content;
		break;
	case EXT_ALPN:
		parts->alpn = content;
		break;
	case EXT_SUPPORTED_VERSIONS:
		parts->versions = content;
		break;
	case EXT_ENCRYPTED_CLIENT_HELLO:
		parts->ech = true;
		break;
	}
}

/* RFC 8446 section 4.1.2. Before TLS 1.3 the extensions may be missing altogether. */
static int parse_parts(struct span body, struct hello_parts *parts)
{
	struct reader r = {.rest = body};
	struct reader list;

	*parts = (struct hello_parts){.legacy_version = read_u16(&r)};
	read_bytes(&r, RANDOM_BYTES);
	if (read_vector8(&r).rest.len > SESSION_ID_MAX)
		return -EPROTO;
	parts->ciphers = read_vector16(&r).rest;
	read_vector8(&r); /* compression methods */
	if (r.bad || parts->legacy_version >> 8 != 3 || parts->ciphers.len % 2)
		return -EPROTO;
	if (r.rest.len == 0)
		return 0;

	list = read_vector16(&r);
	if (r.bad || r.rest.len)
		return -EPROTO;
	parts->extensions = list.rest;
	while (list.rest.len) {
		uint16_t type = read_u16(&list);
		struct span content = read_vector16(&list).rest;

		if (list.bad)
			return -EPROTO;
		note_extension(parts, type, content);
	}
	return 0;
}

/* RFC 6066 section 3: the list may hold one name of each type; only type 0 is defined. */
static void take_server_name(const struct hello_parts *parts, struct tls_hello *hello)
{
	struct reader r = {.rest = parts->server_names};
	struct reader list = read_vector16(&r);

	while (list.rest.len) {
		uint8_t type = read_u8(&list);
		struct span name = read_vector16(&list).rest;

		if (list.bad)
			return;
		if (type == 0) {
			host_name_copy(hello->server_name, name);
			return;
		}
	}
}

static bool printable(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] <= 0x20 || s.at[i] >= 0x7f)
			return false;
	return s.len > 0;
}

/* RFC 7301 section 3.1. *first is the very first name, as JA4 wants it. */
static void take_alpn(const struct hello_parts *parts, struct tls_hello *hello, struct span *first)
{
	struct reader r = {.rest = parts->alpn};
	struct reader list = read_vector16(&r);
	size_t count = 0;

	while (list.rest.len) {
		struct span name = read_vector8(&list).rest;

		if (list.bad)
			return;
		if (count++ == 0)
			*first = name;
		if (!hello->alpn[0] && printable(name) && name.len < sizeof(hello->alpn))
			span_copy(hello->alpn, sizeof(hello->alpn), name);
	}
	hello->alpn_only = count == 1;
}

/* RFC 8446 section 4.2.1. */
static uint16_t highest_version(const struct hello_parts *parts)
{
	struct reader r = {.rest = parts->versions};
	struct reader list = read_vector8(&r);
	uint16_t highest = 0;

	while (list.rest.len >= 2) {
		uint16_t version = read_u16(&list);

		if (!is_grease(version) && version > highest)
			highest = version;
	}
	return highest ? highest : parts->legacy_version;
}

/* JA4: github.com/FoxIO-LLC/ja4, technical_details/JA4.md. */

enum { JA4_HASH_CHARS = 12 };

/* At most all of the message in numbers of two bytes. */
struct number_list {
	uint16_t at[TLS_HELLO_MAX / 2];
	size_t count;
};

static void list_add(struct number_list *list, uint16_t value)
{
	if (!is_grease(value) && list->count < ARRAY_SIZE(list->at))
		list->at[list->count++] = value;
}

static int compare_numbers(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void list_sort(struct number_list *list)
{
	qsort(list->at, list->count, sizeof(list->at[0]), compare_numbers);
}

/* Hashes "002f,0035" ..., after `lead` if there is any number at all. */
static bool hash_numbers(EVP_MD_CTX *hash, const char *lead, const struct number_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		char text[8];
		int n = snprintf(text, sizeof(text), "%s%04x", i ? "," : lead, list->at[i]);

		if (EVP_DigestUpdate(hash, text, (size_t)n) != 1)
			return false;
	}
	return true;
}

/* Writes the 12 characters of one hash: of `list`, and `tail` unless NULL. All zeros for an empty
 * list, says the specification. */
static bool ja4_hash(char *to, const struct number_list *list, const struct number_list *tail)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *hash;
	bool ok;

	if (list->count == 0) {
		memcpy(to, "000000000000", JA4_HASH_CHARS + 1);
		return true;
	}
	hash = EVP_MD_CTX_new();
	ok = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
	     hash_numbers(hash, "", list) && (!tail || hash_numbers(hash, "_", tail)) &&
	     EVP_DigestFinal_ex(hash, digest, NULL) == 1;
	EVP_MD_CTX_free(hash);
	for (size_t i = 0; ok && i < JA4_HASH_CHARS / 2; i++)
		snprintf(to + 2 * i, 3, "%02x", digest[i]);
	return ok;
}

static const char *ja4_version(uint16_t version)
{
	switch (version) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	default:
		return "00";
	}
}

static bool is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* First and last character of the name, or of its hexadecimal form when either is not
 * alphanumeric. */
static void ja4_alpn(char to[3], struct span name)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t first, last;

	memcpy(to, "00", 3);
	if (name.len == 0)
		return;
	first = (uint8_t)name.at[0];
	last = (uint8_t)name.at[name.len - 1];
	if (is_alnum(first) && is_alnum(last)) {
		to[0] = (char)first;
		to[1] = (char)last;
	} else {
		to[0] = hex[first >> 4];
		to[1] = hex[last & 15];
	}
}

/* Fills hello->ja4; leaves it empty if the hash cannot be computed. */
static void take_ja4(const struct hello_parts *parts, struct span alpn, struct tls_hello *hello)
{
	struct number_list list = {.count = 0}, signatures = {.count = 0};
	struct reader r = {.rest = parts->signatures};
	struct reader inner = read_vector16(&r);
	size_t ciphers, extensions = 0;
	char b[JA4_HASH_CHARS + 1], c[JA4_HASH_CHARS + 1], alpn_chars[3];

	while (inner.rest.len >= 2)
		list_add(&signatures, read_u16(&inner));

	for (r = (struct reader){.rest = parts->ciphers}; r.rest.len >= 2;)
		list_add(&list, read_u16(&r));
	ciphers = list.count;
	list_sort(&list);
	if (!ja4_hash(b, &list, NULL))
		return;

	list.count = 0;
	for (r = (struct reader){.rest = parts->extensions}; r.rest.len;) {
		uint16_t type = read_u16(&r);

		read_vector16(&r);
		if (!is_grease(type))
			extensions++;
		if (type != EXT_SERVER_NAME && type != EXT_ALPN)
			list_add(&list, type);
	}
	list_sort(&list);
	if (!ja4_hash(c, &list, &signatures))
		return;

	ja4_alpn(alpn_chars, alpn);
	snprintf(hello->ja4, sizeof(hello->ja4), "t%s%c%02zu%02zu%s_%s_%s",
		 ja4_version(hello->version), parts->has_server_name ? 'd' : 'i',
		 ciphers < 99 ? ciphers : 99, extensions < 99 ? extensions : 99, alpn_chars, b, c);
}

static int parse_hello(struct span message, struct tls_hello *hello)
{
	struct tls_hello found = {0};
	struct hello_parts parts;
	struct span alpn = {0};

	if (parse_parts(span_skip(message, HANDSHAKE_HEADER_BYTES), &parts))
		return -EPROTO;
	found.version = highest_version(&parts);
	found.ech = parts.ech;
	take_server_name(&parts, &found);
	take_alpn(&parts, &found, &alpn);
	take_ja4(&parts, alpn, &found);
	*hello = found;
	return 1;
}

/* Checks the record header as far as it has come: what is no TLS should be known by its first
 * byte. */
static bool record_plausible(struct tls_hello_parser *parser)
{
	const char *h = parser->header;

	if (parser->header_have >= 1 && h[0] != RECORD_HANDSHAKE)
		return false;
	if (parser->header_have >= 2 && h[1] != 3)
		return false;
	if (parser->header_have >= 3 && (uint8_t)h[2] > 4)
		return false;
	if (parser->header_have < RECORD_HEADER_BYTES)
		return true;
	parser->record_left = get_be16(h + 3);
	return parser->record_left > 0 && parser->record_left <= RECORD_BYTES_MAX;
}

/* The message's whole length with its header; 0 while it is not known. */
static size_t message_len(const struct tls_hello_parser *parser)
{
	if (parser->have < HANDSHAKE_HEADER_BYTES)
		return 0;
	return HANDSHAKE_HEADER_BYTES + get_be24(parser->message + 1);
}

static int message_append(struct tls_hello_parser *parser, struct span bytes)
{
	size_t cap = parser->cap ? parser->cap : MESSAGE_BYTES_FIRST;

	while (cap < parser->have + bytes.len)
		cap *= 2;
	if (cap != parser->cap) {
		char *message = realloc(parser->message, cap);

		if (!message)
			return -ENOMEM;
		parser->message = message;
		parser->cap = cap;
	}
	memcpy(parser->message + parser->have, bytes.at, bytes.len);
	parser->have += bytes.len;
	return 0;
}

/* Takes what it can of a record's content: the handshake header byte by byte up to its end, so that
 * nothing beyond the ClientHello is ever kept. Returns the count, or -errno. */
static ssize_t take_content(struct tls_hello_parser *parser, struct span bytes)
{
	size_t whole = message_len(parser);
	size_t wanted = (whole ? whole : HANDSHAKE_HEADER_BYTES) - parser->have;
	int r;

	if (bytes.len > parser->record_left)
		bytes.len = parser->record_left;
	if (bytes.len > wanted)
		bytes.len = wanted;
	r = message_append(parser, bytes);
	if (r)
		return r;
	parser->record_left -= bytes.len;
	if (parser->record_left == 0)
		parser->header_have = 0;
	if (parser->message[0] != parser->wanted || message_len(parser) > TLS_HELLO_MAX)
		return -EPROTO;
	return (ssize_t)bytes.len;
}

static bool is_whole(const struct tls_hello_parser *parser)
{
	size_t whole = message_len(parser);

	return whole && parser->have == whole;
}

static int feed(struct tls_hello_parser *parser, struct span bytes)
{
	while (bytes.len && !is_whole(parser)) {
		ssize_t n = 1;

		if (parser->record_left) {
			n = take_content(parser, bytes);
			if (n < 0)
				return (int)n;
		} else {
			parser->header[parser->header_have++] = bytes.at[0];
			if (!record_plausible(parser))
				return -EPROTO;
		}
		bytes = span_skip(bytes, (size_t)n);
	}
	return 0;
}

/* Feeds until the wanted message is whole: 1 then, 0 before, -errno for good. */
static int feed_until(struct tls_hello_parser *parser, char wanted, struct span bytes)
{
	if (!parser->failed) {
		parser->wanted = wanted;
		parser->failed = feed(parser, bytes);
	}
	return parser->failed ? parser->failed : is_whole(parser);
}

int tls_hello_feed(struct tls_hello_parser *parser, struct span bytes, struct tls_hello *hello)
{
	int r = feed_until(parser, CLIENT_HELLO, bytes);

	if (r == 1)
		r = parse_hello(span_of(parser->message, parser->have), hello);
	if (r < 0)
		parser->failed = r;
	return r;
}

/* RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3. */
static int parse_server_hello(struct span message, struct tls_server_hello *hello)
{
	struct reader r = {.rest = span_skip(message, HANDSHAKE_HEADER_BYTES)};
	struct tls_server_hello found = {.version = read_u16(&r)};
	struct reader list;

	read_bytes(&r, RANDOM_BYTES);
	if (read_vector8(&r).rest.len > SESSION_ID_MAX || found.version >> 8 != 3)
		return -EPROTO;
	read_u16(&r); /* cipher suite */
	read_u8(&r);  /* compression method */
	list = r.rest.len ? read_vector16(&r) : (struct reader){0};
	while (list.rest.len) {
		uint16_t type = read_u16(&list);
		struct reader content = read_vector16(&list);

		if (type == EXT_SUPPORTED_VERSIONS) {
			found.version = read_u16(&content);
		} else if (type == EXT_ALPN) {
			struct reader names = read_vector16(&content);
			struct span name = read_vector8(&names).rest;

			if (printable(name) && name.len < sizeof(found.alpn))
				span_copy(found.alpn, sizeof(found.alpn), name);
		}
		if (list.bad || content.bad)
			return -EPROTO;
	}
	if (r.bad || r.rest.len || list.bad)
		return -EPROTO;
	*hello = found;
	return 1;
}

int tls_server_hello_feed(struct tls_hello_parser *parser, struct span bytes,
			  struct tls_server_hello *hello)
{
	int r = feed_until(parser, SERVER_HELLO, bytes);

	if (r == 1)
		r = parse_server_hello(span_of(parser->message, parser->have), hello);
	if (r < 0)
		parser->failed = r;
	return r;
}

const char *tls_version_text(uint16_t version)
{
	switch (version) {
	case 0x0300:
		return "3.0";
	case 0x0301:
		return "1.0";
	case 0x0302:
		return "1.1";
	case 0x0303:
		return "1.2";
	case 0x0304:
		return "1.3";
	default:
		return NULL;
	}
}
