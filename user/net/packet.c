/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "net/packet.h"

#include <errno.h>
#include <pcap/dlt.h>
#include <string.h>

#include "gnomon/limits.h"
#include "util/bytes.h"
#include "util/cleanup.h"

enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_VLAN = 0x8100,     /* IEEE 802.1Q */
	ETHERTYPE_QINQ = 0x88a8,     /* IEEE 802.1ad */
	ETHERTYPE_QINQ_OLD = 0x9100, /* before 802.1ad had a number */
	VLAN_TAG_BYTES = 4,
};

enum {
	IPV4_HEADER_BYTES = 20,
	IPV4_MORE_FRAGMENTS = 0x2000,
	IPV4_OFFSET_MASK = 0x1fff,
	IPV6_HEADER_BYTES = 40,
	IPV6_OFFSET_MASK = 0xfff8,
	IPV6_MORE_FRAGMENTS = 1,
	TCP_HEADER_BYTES = 20,
	UDP_HEADER_BYTES = 8,
};

/* RFC 8200 section 4 and the IANA registry of IPv6 extension header types. */
enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTHENTICATION = 51,
	NEXT_DESTINATION = 60,
	NEXT_MOBILITY = 135,
	NEXT_HIP = 139,
	NEXT_SHIM6 = 140,
};

/* What is left of a frame: the bytes that were captured, and how many there were on the wire. The
 * second is never less than the first. */
struct rest {
	struct span bytes;
	uint32_t wire_len;
};

static void rest_skip(struct rest *rest, uint32_t n)
{
	rest->bytes = span_skip(rest->bytes, n);
	rest->wire_len -= n < rest->wire_len ? n : rest->wire_len;
}

/* Nothing beyond `wire_len` belongs to this layer: it is link padding, or another fragment. */
static void rest_limit(struct rest *rest, uint32_t wire_len)
{
	rest->wire_len = wire_len;
	if (rest->bytes.len > wire_len)
		rest->bytes.len = wire_len;
}

static uint8_t byte_at(struct span s, size_t i)
{
	return (uint8_t)s.at[i];
}

static int decode_tcp(struct rest rest, struct packet *out)
{
	struct span b = rest.bytes;
	uint32_t header_len;
	uint8_t flags;

	if (b.len < TCP_HEADER_BYTES)
		return -EBADMSG;
	header_len = (uint32_t)(byte_at(b, 12) >> 4) * 4;
	if (header_len < TCP_HEADER_BYTES || header_len > rest.wire_len)
		return -EBADMSG;

	out->transport = TRANSPORT_TCP;
	out->source.port = get_be16(b.at);
	out->destination.port = get_be16(b.at + 2);
	out->sequence = get_be32(b.at + 4);
	flags = byte_at(b, 13);
	out->fin = flags & 0x01;
	out->syn = flags & 0x02;
	out->rst = flags & 0x04;
	out->ack = flags & 0x10;
	/* A short capture may end among the options: no payload then, but its length is known. */
	rest_skip(&rest, header_len);
	out->payload = rest.bytes;
	out->payload_len = rest.wire_len;
	return 0;
}

static int decode_udp(struct rest rest, struct packet *out)
{
	struct span b = rest.bytes;
	uint16_t length;

	if (b.len < UDP_HEADER_BYTES)
		return -EBADMSG;
	length = get_be16(b.at + 4);
	/* 0 is a jumbogram's (RFC 2675 section 4); a first fragment says the whole datagram's. */
	if (length && length < UDP_HEADER_BYTES)
		return -EBADMSG;
	if (length && length < rest.wire_len)
		rest_limit(&rest, length);

	out->transport = TRANSPORT_UDP;
	out->source.port = get_be16(b.at);
	out->destination.port = get_be16(b.at + 2);
	rest_skip(&rest, UDP_HEADER_BYTES);
	out->payload = rest.bytes;
	out->payload_len = rest.wire_len;
	return 0;
}

static int decode_transport(uint8_t protocol, struct rest rest, struct packet *out)
{
	switch (protocol) {
	case TRANSPORT_TCP:
		return decode_tcp(rest, out);
	case TRANSPORT_UDP:
		return decode_udp(rest, out);
	default:
		return -ENOMSG;
	}
}

static int decode_ipv4(struct rest rest, struct packet *out)
{
	struct span b = rest.bytes;
	uint32_t header_len, total_len;
	uint16_t fragment;

	if (b.len < IPV4_HEADER_BYTES)
		return -EBADMSG;
	header_len = (uint32_t)(byte_at(b, 0) & 0x0f) * 4;
	if (header_len < IPV4_HEADER_BYTES || header_len > b.len)
		return -EBADMSG;
	total_len = get_be16(b.at + 2);
	if (total_len && total_len < header_len)
		return -EBADMSG;
	if (total_len && total_len < rest.wire_len)
		rest_limit(&rest, total_len);

	out->source.address.family = out->destination.address.family = 4;
	memcpy(out->source.address.bytes, b.at + 12, 4);
	memcpy(out->destination.address.bytes, b.at + 16, 4);
	fragment = get_be16(b.at + 6);
	out->fragment = fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK);
	if (fragment & IPV4_OFFSET_MASK)
		return -ENOMSG;
	rest_skip(&rest, header_len);
	return decode_transport(byte_at(b, 9), rest, out);
}

/*
 * Steps over one extension header. 1: stepped, *next is the following header's type. 0: *next is no
 * extension header. -ENOMSG: a fragment that is not the first. -EBADMSG: cut.
 */
static int skip_extension(uint8_t *next, struct rest *rest, struct packet *out)
{
	uint32_t len;
	uint16_t fragment = 0;

	switch (*next) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_DESTINATION:
	case NEXT_MOBILITY:
	case NEXT_HIP:
	case NEXT_SHIM6:
	case NEXT_FRAGMENT:
	case NEXT_AUTHENTICATION:
		break;
	default:
		return 0;
	}
	if (rest->bytes.len < 8)
		return -EBADMSG;
	len = (byte_at(rest->bytes, 1) + 1u) * 8;
	if (*next == NEXT_AUTHENTICATION) /* RFC 4302 section 2.2: in words of four, less two */
		len = (byte_at(rest->bytes, 1) + 2u) * 4;
	if (*next == NEXT_FRAGMENT) {
		len = 8;
		fragment = get_be16(rest->bytes.at + 2);
		/* RFC 6946: an atomic fragment is whole. */
		out->fragment |= (fragment & (IPV6_OFFSET_MASK | IPV6_MORE_FRAGMENTS)) != 0;
	}
	if (rest->bytes.len < len)
		return -EBADMSG;
	*next = byte_at(rest->bytes, 0);
	rest_skip(rest, len);
	return fragment & IPV6_OFFSET_MASK ? -ENOMSG : 1;
}

static int decode_ipv6(struct rest rest, struct packet *out)
{
	struct span b = rest.bytes;
	uint32_t payload_len;
	uint8_t next;

	if (b.len < IPV6_HEADER_BYTES)
		return -EBADMSG;
	payload_len = get_be16(b.at + 4);
	if (payload_len && IPV6_HEADER_BYTES + payload_len < rest.wire_len)
		rest_limit(&rest, IPV6_HEADER_BYTES + payload_len);

	out->source.address.family = out->destination.address.family = 6;
	memcpy(out->source.address.bytes, b.at + 8, 16);
	memcpy(out->destination.address.bytes, b.at + 24, 16);
	next = byte_at(b, 6);
	rest_skip(&rest, IPV6_HEADER_BYTES);
	for (int i = 0; i <= IPV6_EXTENSIONS_MAX; i++) {
		int r = skip_extension(&next, &rest, out);

		if (r < 0)
			return r;
		if (r == 0)
			return decode_transport(next, rest, out);
	}
	return -EBADMSG;
}

static int decode_ip(struct rest rest, struct packet *out)
{
	if (rest.bytes.len == 0)
		return -EBADMSG;
	switch (byte_at(rest.bytes, 0) >> 4) {
	case 4:
		return decode_ipv4(rest, out);
	case 6:
		return decode_ipv6(rest, out);
	default:
		return -EBADMSG;
	}
}

static int decode_ethertype(uint16_t type, struct rest rest, struct packet *out)
{
	for (int tags = 0;; tags++) {
		switch (type) {
		case ETHERTYPE_IPV4:
		case ETHERTYPE_IPV6:
			return decode_ip(rest, out);
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
			break;
		default:
			return -ENOMSG;
		}
		if (tags == VLAN_TAGS_MAX || rest.bytes.len < VLAN_TAG_BYTES)
			return -EBADMSG;
		type = get_be16(rest.bytes.at + 2);
		rest_skip(&rest, VLAN_TAG_BYTES);
	}
}

/* The address families that the BSDs give to IPv4 and IPv6, in the byte order of the writer. */
static int decode_family(uint32_t family, struct rest rest, struct packet *out)
{
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* macOS */
		return decode_ip(rest, out);
	default:
		return -ENOMSG;
	}
}

static const struct link {
	uint32_t type;
	uint8_t header_len, protocol_at;
	enum { LINK_ETHERTYPE, LINK_FAMILY, LINK_IP } protocol;
} links[] = {
	{DLT_EN10MB, 14, 12, LINK_ETHERTYPE},
	{DLT_LINUX_SLL, 16, 14, LINK_ETHERTYPE},
	{DLT_LINUX_SLL2, 20, 0, LINK_ETHERTYPE},
	{DLT_NULL, 4, 0, LINK_FAMILY},
	{DLT_LOOP, 4, 0, LINK_FAMILY},
	{DLT_RAW, 0, 0, LINK_IP},
	{DLT_IPV4, 0, 0, LINK_IP},
	{DLT_IPV6, 0, 0, LINK_IP},
};

static const struct link *find_link(uint32_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (links[i].type == type)
			return &links[i];
	return NULL;
}

bool packet_link_known(uint32_t link_type)
{
	return find_link(link_type) != NULL;
}

int packet_decode(uint32_t link_type, struct span bytes, uint32_t wire_len, struct packet *out)
{
	const struct link *link = find_link(link_type);
	struct packet packet = {0};
	struct rest rest = {bytes, wire_len};
	const char *protocol;
	int r;

	if (!link)
		return -ENOTSUP;
	/* A file may claim less on the wire than it holds. */
	if (rest.wire_len < bytes.len)
		rest.wire_len = (uint32_t)bytes.len;
	if (bytes.len == 0 || bytes.len < link->header_len)
		return -EBADMSG;
	protocol = bytes.at + link->protocol_at;
	rest_skip(&rest, link->header_len);

	if (link->protocol == LINK_ETHERTYPE)
		r = decode_ethertype(get_be16(protocol), rest, &packet);
	else if (link->protocol == LINK_FAMILY)
		r = decode_family(get_be32(protocol), rest, &packet);
	else
		r = decode_ip(rest, &packet);
	if (r == 0 || (r == -ENOMSG && packet.fragment))
		*out = packet;
	return r;
}
