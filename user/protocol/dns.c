/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "protocol/dns.h"

#include <errno.h>

#include "util/bytes.h"

enum {
	HEADER_BYTES = 12,
	QUESTION_BYTES = 4, /* type and class */
	RECORD_BYTES = 10,  /* type, class, TTL, length of the data */
	LABEL_MAX = 63,
	FLAG_RESPONSE = 0x8000,
	FLAG_TRUNCATED = 0x0200,
	RCODE = 0xf,
	CLASS_IN = 1,
	TYPE_A = 1,
	TYPE_CNAME = 5,
	TYPE_AAAA = 28,
	TYPE_HTTPS = 65,
	PARAMETER_ECH = 5, /* RFC 9849 section 4 */
};

struct reading {
	struct span message;
	size_t at;
};

static bool has(const struct reading *r, size_t len)
{
	return r->message.len - r->at >= len;
}

/* A letter, digit, hyphen or underscore, in lower case; 0: no name that we would report has it. */
static char name_char(char c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ? c : 0;
}

/* RFC 1035 section 4.1.4. Pointers lead back only, so that they end. A name with other bytes than a host's
 * comes out empty. False: malformed. */
static bool take_name(struct reading *r, char name[static HOST_NAME_MAX_BYTES])
{
	size_t at = r->at, used = 0, floor = r->at;
	unsigned int pointers = 0;
	bool odd = false;

	for (;;) {
		unsigned char len;

		if (at >= r->message.len)
			return false;
		len = (unsigned char)r->message.at[at];
		if (len > LABEL_MAX) {
			if (len < 0xc0 || at + 2 > r->message.len || ++pointers > DNS_POINTERS_MAX)
				return false;
			if (pointers == 1)
				r->at = at + 2;
			at = get_be16(r->message.at + at) & 0x3fff;
			if (at >= floor)
				return false;
			floor = at;
			continue;
		}
		at++;
		if (len == 0)
			break;
		if (len > r->message.len - at || used + len + 1 >= HOST_NAME_MAX_BYTES)
			return false;
		if (used)
			name[used++] = '.';
		for (size_t i = 0; i < len; i++) {
			char c = name_char(r->message.at[at + i]);

			odd |= !c;
			name[used++] = c;
		}
		at += len;
	}
	if (!pointers)
		r->at = at;
	name[odd ? 0 : used] = '\0';
	return true;
}

/* RFC 9460 section 2.2: priority, target, parameters. */
static bool has_ech(struct reading data)
{
	char target[HOST_NAME_MAX_BYTES];

	if (!has(&data, 2))
		return false;
	data.at += 2;
	if (!take_name(&data, target))
		return false;
	while (has(&data, 4)) {
		uint16_t key = get_be16(data.message.at + data.at);
		uint16_t len = get_be16(data.message.at + data.at + 2);

		if (key == PARAMETER_ECH)
			return true;
		data.at += 4;
		if (!has(&data, len))
			return false;
		data.at += len;
	}
	return false;
}

struct record {
	char owner[HOST_NAME_MAX_BYTES];
	uint16_t type, class, len;
	uint32_t ttl_s;
	struct reading data; /* ends with the record */
};

static bool take_record(struct reading *r, struct record *record)
{
	const char *at;

	if (!take_name(r, record->owner) || !has(r, RECORD_BYTES))
		return false;
	at = r->message.at + r->at;
	record->type = get_be16(at);
	record->class = get_be16(at + 2);
	record->ttl_s = get_be32(at + 4);
	record->len = get_be16(at + 8);
	r->at += RECORD_BYTES;
	if (!has(r, record->len))
		return false;
	record->data = *r;
	record->data.message.len = r->at + record->len;
	r->at += record->len;
	return true;
}

/* Fills what the record says of an address. False: nothing. */
static bool read_address(const struct record *record, struct dns_answer *answer)
{
	const char *at = record->data.message.at + record->data.at;

	answer->address = (struct net_address){0};
	answer->ech = false;
	if (record->type == TYPE_A && record->len == 4) {
		answer->address.family = 4;
		memcpy(answer->address.bytes, at, 4);
		return true;
	}
	if (record->type == TYPE_AAAA && record->len == 16) {
		answer->address.family = 6;
		memcpy(answer->address.bytes, at, 16);
		return true;
	}
	answer->ech = record->type == TYPE_HTTPS && has_ech(record->data);
	return answer->ech;
}

/* The header and the question; *records: how many answers follow. */
static int take_question(struct reading *r, char name[static HOST_NAME_MAX_BYTES],
			 unsigned int *records)
{
	uint16_t flags;

	if (r->message.len < HEADER_BYTES)
		return -EBADMSG;
	flags = get_be16(r->message.at + 2);
	/* what fits into a cut one is left out of it, to be asked for again over TCP */
	if (!(flags & FLAG_RESPONSE) || flags & (FLAG_TRUNCATED | RCODE) ||
	    get_be16(r->message.at + 4) != 1)
		return -ENOMSG;
	*records = get_be16(r->message.at + 6);
	r->at = HEADER_BYTES;
	if (!take_name(r, name) || !has(r, QUESTION_BYTES))
		return -EBADMSG;
	r->at += QUESTION_BYTES;
	return name[0] ? 0 : -ENOMSG;
}

int dns_read(struct span message, void (*tell)(void *ctx, const struct dns_answer *answer),
	     void *ctx)
{
	struct reading r = {.message = message};
	struct dns_answer answer = {.ttl_s = UINT32_MAX};
	char alias[HOST_NAME_MAX_BYTES];
	struct record record;
	unsigned int records;
	int told = 0, result = take_question(&r, answer.name, &records);

	if (result)
		return result;
	memcpy(alias, answer.name, sizeof(alias));
	if (records > DNS_RECORDS_MAX)
		records = DNS_RECORDS_MAX;
	/* resolvers give the chain in order (RFC 1034 section 4.3.2) */
	for (unsigned int i = 0; i < records; i++) {
		uint32_t chain_ttl_s = answer.ttl_s;

		if (!take_record(&r, &record))
			return -EBADMSG;
		if (record.class != CLASS_IN || strcmp(record.owner, alias) != 0)
			continue;
		if (record.ttl_s < answer.ttl_s)
			answer.ttl_s = record.ttl_s;
		if (record.type == TYPE_CNAME) {
			if (!take_name(&record.data, alias))
				return -EBADMSG;
			continue;
		}
		if (read_address(&record, &answer)) {
			tell(ctx, &answer);
			told++;
		}
		answer.ttl_s = chain_ttl_s;
	}
	return told;
}
