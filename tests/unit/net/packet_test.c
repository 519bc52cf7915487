/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "net/packet.h"

#include <errno.h>
#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/bytes.h"

/* A frame that is put together from the front. */
struct frame {
	char bytes[512];
	size_t len;
};

static void add(struct frame *f, const char *bytes, size_t len)
{
	assert_true(f->len + len <= sizeof(f->bytes));
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

#define ADD(f, s) add(f, s, sizeof(s) - 1)

#define MACS           "\x02\0\0\0\0\1\x02\0\0\0\0\2"
#define IPV4_ADDRESSES "\xc0\0\2\1\xcb\0\x71\7"
#define IPV6_ADDRESSES                                                                             \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
/* 40000 -> 443, sequence 0x01020304, flags PSH|ACK, header of 20 bytes */
#define TCP    "\x9c\x40\x01\xbb\1\2\3\4\0\0\0\0\x50\x18\xff\xff\0\0\0\0"
#define UDP_53 "\x9c\x40\0\x35\0\x0d\0\0" /* 8 and 5 bytes */

static struct frame ipv4(uint8_t protocol, uint16_t total, uint16_t fragment)
{
	struct frame f = {.bytes = "\x45\0", .len = 20};

	put_be16(f.bytes + 2, total);
	put_be16(f.bytes + 6, fragment);
	f.bytes[8] = 64;
	f.bytes[9] = (char)protocol;
	memcpy(f.bytes + 12, IPV4_ADDRESSES, 8);
	return f;
}

static struct frame ipv6(uint8_t next, uint16_t payload)
{
	struct frame f = {.bytes = "\x60", .len = 40};

	put_be16(f.bytes + 4, payload);
	f.bytes[6] = (char)next;
	f.bytes[7] = 64;
	memcpy(f.bytes + 8, IPV6_ADDRESSES, 32);
	return f;
}

static int decode(uint32_t link, const struct frame *f, uint32_t wire_len, struct packet *out)
{
	/* an exact copy, so that the sanitizer sees a byte too many */
	char *copy = malloc(f->len);
	size_t at;
	int r;

	memcpy(copy, f->bytes, f->len);
	r = packet_decode(link, span_of(copy, f->len), wire_len, out);
	if (r == 0 && out->payload.len) {
		at = (size_t)(out->payload.at - copy);
		assert_true(at <= f->len && out->payload.len <= f->len - at);
		out->payload.at = f->bytes + at;
	}
	free(copy);
	return r;
}

static void assert_tcp_hello(const struct packet *p)
{
	static const uint8_t client[] = {192, 0, 2, 1}, server[] = {203, 0, 113, 7};

	assert_int_equal(p->transport, TRANSPORT_TCP);
	assert_int_equal(p->source.address.family, 4);
	assert_memory_equal(p->source.address.bytes, client, 4);
	assert_memory_equal(p->destination.address.bytes, server, 4);
	assert_int_equal(p->source.port, 40000);
	assert_int_equal(p->destination.port, 443);
	assert_int_equal(p->sequence, 0x01020304);
	assert_true(p->ack && !p->syn && !p->fin && !p->rst && !p->fragment);
	assert_int_equal(p->payload.len, 5);
	assert_memory_equal(p->payload.at, "hello", 5);
	assert_int_equal(p->payload_len, 5);
}

static void every_link_type(void **state)
{
	static const struct {
		uint32_t link;
		const char *header;
		size_t len;
	} cases[] = {
#define CASE(link, header) {link, header, sizeof(header) - 1}
		CASE(DLT_RAW, ""),
		CASE(DLT_IPV4, ""),
		CASE(DLT_EN10MB, MACS "\x08\0"),
		CASE(DLT_EN10MB, MACS "\x81\0\0\7\x08\0"),
		CASE(DLT_EN10MB, MACS "\x88\xa8\0\7\x81\0\0\x08\x08\0"),
		CASE(DLT_EN10MB, MACS "\x91\0\0\7\x81\0\0\x08\x08\0"),
		CASE(DLT_EN10MB, MACS "\x88\xa8\0\1\x88\xa8\0\2\x88\xa8\0\3\x81\0\0\4\x08\0"),
		CASE(DLT_LINUX_SLL, "\0\4\0\1\0\6\2\0\0\0\0\1\0\0\x08\0"),
		CASE(DLT_LINUX_SLL2, "\x08\0\0\0\0\0\0\2\0\1\4\6\2\0\0\0\0\1\0\0"),
		CASE(DLT_NULL, "\0\0\0\2"),
		CASE(DLT_NULL, "\2\0\0\0"),
		CASE(DLT_LOOP, "\0\0\0\2"),
#undef CASE
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame inner = ipv4(6, 45, 0), f = {.len = 0};
		struct packet p;

		ADD(&inner, TCP "hello");
		add(&f, cases[i].header, cases[i].len);
		add(&f, inner.bytes, inner.len);
		assert_true(packet_link_known(cases[i].link));
		assert_int_equal(decode(cases[i].link, &f, (uint32_t)f.len, &p), 0);
		assert_tcp_hello(&p);
		/* and every shorter capture is either refused, or has the same with less payload */
		for (size_t cut = 0; cut < f.len; cut++) {
			struct frame less = f;
			int r;

			less.len = cut;
			r = decode(cases[i].link, &less, (uint32_t)f.len, &p);
			if (cut < f.len - 5) {
				assert_int_equal(r, -EBADMSG);
			} else {
				assert_int_equal(r, 0);
				assert_int_equal(p.payload.len, 5 - (f.len - cut));
				assert_int_equal(p.payload_len, 5);
			}
		}
	}
}

static void not_for_us(void **state)
{
	struct frame arp = {.len = 0}, icmp = ipv4(1, 28, 0), tags = {.len = 0}, f;
	struct packet p = {.sequence = 7};

	(void)state;
	ADD(&arp, MACS "\x08\x06\0\1\x08\0\6\4\0\1");
	assert_int_equal(decode(DLT_EN10MB, &arp, 24, &p), -ENOMSG);
	ADD(&icmp, "\x08\0\0\0\0\0\0\0");
	assert_int_equal(decode(DLT_RAW, &icmp, 28, &p), -ENOMSG);
	f = ipv6(59, 0);
	assert_int_equal(decode(DLT_RAW, &f, 40, &p), -ENOMSG);
	assert_false(packet_link_known(DLT_IEEE802_11));
	assert_int_equal(decode(DLT_IEEE802_11, &icmp, 28, &p), -ENOTSUP);
	assert_int_equal(packet_decode(DLT_RAW, (struct span){0}, 0, &p), -EBADMSG);
	ADD(&tags, MACS "\x81\0\0\1\x81\0\0\1\x81\0\0\1\x81\0\0\1\x81\0\0\1\x08\0");
	add(&tags, icmp.bytes, icmp.len);
	assert_int_equal(decode(DLT_EN10MB, &tags, (uint32_t)tags.len, &p), -EBADMSG);
	assert_int_equal(p.sequence, 7); /* untouched by failures */
}

static void padding_is_no_payload(void **state)
{
	struct frame f = {.len = 0}, inner = ipv4(6, 40, 0);
	struct packet p;

	(void)state;
	ADD(&inner, TCP);
	ADD(&f, MACS "\x08\0");
	add(&f, inner.bytes, inner.len);
	ADD(&f, "\0\0\0\0\0\0"); /* to the 60 bytes of Ethernet */
	assert_int_equal(decode(DLT_EN10MB, &f, 60, &p), 0);
	assert_int_equal(p.payload.len, 0);
	assert_int_equal(p.payload_len, 0);
}

static void offloaded_lengths(void **state)
{
	static const uint16_t totals[] = {0, 1400, 65535};
	struct packet p;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct frame f = ipv4(6, totals[i], 0);

		ADD(&f, TCP "hello");
		/* 0 and 65535 do not fit into 1000 on the wire, nor does 1400 */
		assert_int_equal(decode(DLT_RAW, &f, 1000, &p), 0);
		assert_int_equal(p.payload_len, 960);
		assert_int_equal(p.payload.len, 5);
		f = ipv6(6, totals[i]);
		ADD(&f, TCP "hello");
		assert_int_equal(decode(DLT_RAW, &f, 1000, &p), 0);
		assert_int_equal(p.payload_len, 940);
	}
}

static void ipv4_options(void **state)
{
	struct frame f = ipv4(6, 49, 0);
	struct packet p;

	(void)state;
	f.bytes[0] = 0x46;
	ADD(&f, "\x94\4\0\0" TCP "hello");
	assert_int_equal(decode(DLT_RAW, &f, 49, &p), 0);
	assert_tcp_hello(&p);
	f.bytes[0] = 0x44; /* a header of 16 bytes */
	assert_int_equal(decode(DLT_RAW, &f, 49, &p), -EBADMSG);
	f.bytes[0] = 0x4f; /* of 60, more than there is */
	assert_int_equal(decode(DLT_RAW, &f, 49, &p), -EBADMSG);
	f.bytes[0] = 0x46;
	put_be16(f.bytes + 2, 20); /* the whole less than the header */
	assert_int_equal(decode(DLT_RAW, &f, 49, &p), -EBADMSG);
	f.bytes[0] = 0x56;
	assert_int_equal(decode(DLT_RAW, &f, 49, &p), -EBADMSG);
}

static void ipv6_extensions(void **state)
{
	struct frame f = ipv6(0, 8 + 16 + 12 + 8 + 20 + 5), many;
	struct packet p;

	(void)state;
	ADD(&f, "\x2b\0\5\2\0\0\1\0");                 /* hop by hop, then routing */
	ADD(&f, "\x33\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0"); /* routing of 16, then AH */
	ADD(&f, "\x2c\1\0\0\0\0\0\1\0\0\0\1");         /* AH of 12, then fragment */
	ADD(&f, "\6\0\0\0\0\0\0\1" TCP "hello");       /* atomic fragment */
	assert_int_equal(decode(DLT_RAW, &f, (uint32_t)f.len, &p), 0);
	assert_int_equal(p.source.address.family, 6);
	assert_memory_equal(p.destination.address.bytes, &IPV6_ADDRESSES[16], 16);
	assert_int_equal(p.destination.port, 443);
	assert_false(p.fragment);
	assert_int_equal(p.payload_len, 5);
	assert_memory_equal(p.payload.at, "hello", 5);
	for (size_t cut = 1; cut < f.len - 5; cut++) {
		struct frame less = f;

		less.len = cut;
		assert_int_equal(decode(DLT_RAW, &less, (uint32_t)f.len, &p), -EBADMSG);
	}

	many = ipv6(60, 0);
	for (int i = 0; i < 20; i++)
		ADD(&many, "\x3c\0\0\0\0\0\0\0");
	ADD(&many, TCP);
	assert_int_equal(decode(DLT_RAW, &many, (uint32_t)many.len, &p), -EBADMSG);
}

static void fragments(void **state)
{
	struct frame first = ipv4(6, 45, 0x2000), later = ipv4(6, 45, 0x2005), v6 = ipv6(44, 33);
	struct packet p;

	(void)state;
	ADD(&first, TCP "hello");
	ADD(&later, TCP "hello");
	assert_int_equal(decode(DLT_RAW, &first, 45, &p), 0);
	assert_true(p.fragment);
	assert_int_equal(p.destination.port, 443);
	assert_int_equal(p.payload_len, 5);

	p = (struct packet){0};
	assert_int_equal(decode(DLT_RAW, &later, 45, &p), -ENOMSG);
	assert_true(p.fragment);
	assert_memory_equal(p.source.address.bytes, "\xc0\0\2\1", 4);
	assert_int_equal(p.destination.port, 0);

	ADD(&v6, "\x06\0\0\1\0\0\0\1" TCP "hello");
	assert_int_equal(decode(DLT_RAW, &v6, (uint32_t)v6.len, &p), 0);
	assert_true(p.fragment);
	assert_int_equal(p.destination.port, 443);
	v6.bytes[42] = 1; /* fragment offset 32 */
	assert_int_equal(decode(DLT_RAW, &v6, (uint32_t)v6.len, &p), -ENOMSG);
	assert_true(p.fragment);
	assert_int_equal(p.source.address.family, 6);
}

static void tcp_flags_and_header(void **state)
{
	struct frame f = ipv4(6, 44, 0);
	struct packet p;

	(void)state;
	ADD(&f, TCP "\2\4\5\xb4");
	f.bytes[20 + 12] = 0x60;
	f.bytes[20 + 13] = 0x02;
	assert_int_equal(decode(DLT_RAW, &f, 44, &p), 0);
	assert_true(p.syn && !p.ack && !p.fin && !p.rst);
	assert_int_equal(p.payload_len, 0);
	f.bytes[20 + 13] = 0x05;
	assert_int_equal(decode(DLT_RAW, &f, 44, &p), 0);
	assert_true(!p.syn && !p.ack && p.fin && p.rst);
	/* the options were not captured, the ports were */
	f.len = 40;
	assert_int_equal(decode(DLT_RAW, &f, 44, &p), 0);
	assert_int_equal(p.payload.len, 0);
	assert_int_equal(p.destination.port, 443);
	f.bytes[20 + 12] = 0x40; /* 16 bytes */
	assert_int_equal(decode(DLT_RAW, &f, 44, &p), -EBADMSG);
	f.bytes[20 + 12] = (char)0xf0; /* 60, more than the packet has */
	assert_int_equal(decode(DLT_RAW, &f, 44, &p), -EBADMSG);
}

static void udp(void **state)
{
	struct frame f = ipv4(17, 33, 0);
	struct packet p;

	(void)state;
	ADD(&f, UDP_53 "query");
	assert_int_equal(decode(DLT_RAW, &f, 33, &p), 0);
	assert_int_equal(p.transport, TRANSPORT_UDP);
	assert_int_equal(p.destination.port, 53);
	assert_int_equal(p.payload_len, 5);
	assert_memory_equal(p.payload.at, "query", 5);
	put_be16(f.bytes + 24, 10); /* less than IP says */
	assert_int_equal(decode(DLT_RAW, &f, 33, &p), 0);
	assert_int_equal(p.payload_len, 2);
	assert_int_equal(p.payload.len, 2);
	put_be16(f.bytes + 24, 2000); /* a datagram that goes on in fragments */
	assert_int_equal(decode(DLT_RAW, &f, 33, &p), 0);
	assert_int_equal(p.payload_len, 5);
	put_be16(f.bytes + 24, 0);
	assert_int_equal(decode(DLT_RAW, &f, 33, &p), 0);
	assert_int_equal(p.payload_len, 5);
	put_be16(f.bytes + 24, 7);
	assert_int_equal(decode(DLT_RAW, &f, 33, &p), -EBADMSG);
}

static void less_on_the_wire_than_captured(void **state)
{
	struct frame f = ipv4(6, 45, 0);
	struct packet p;

	(void)state;
	ADD(&f, TCP "hello");
	assert_int_equal(decode(DLT_RAW, &f, 3, &p), 0);
	assert_tcp_hello(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_link_type),
		cmocka_unit_test(not_for_us),
		cmocka_unit_test(padding_is_no_payload),
		cmocka_unit_test(offloaded_lengths),
		cmocka_unit_test(ipv4_options),
		cmocka_unit_test(ipv6_extensions),
		cmocka_unit_test(fragments),
		cmocka_unit_test(tcp_flags_and_header),
		cmocka_unit_test(udp),
		cmocka_unit_test(less_on_the_wire_than_captured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
