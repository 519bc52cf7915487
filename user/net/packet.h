/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/observation.h"

enum packet_transport { TRANSPORT_TCP = 6, TRANSPORT_UDP = 17 };

/* What the flow stages need of one packet. `payload` points into the decoded bytes. */
struct packet {
	struct net_endpoint source, destination;
	enum packet_transport transport;
	bool syn, ack, fin, rst; /* TCP */
	uint32_t sequence;       /* TCP */
	struct span payload;     /* captured transport payload */
	uint32_t payload_len;    /* on the wire; more than payload.len when the capture was cut */
	bool fragment;           /* an IP fragment: the payload is that of this fragment alone */
};

/*
 * Decodes a frame of a pcap link type (DLT_EN10MB with VLAN tags, DLT_LINUX_SLL and SLL2, DLT_NULL,
 * DLT_LOOP, DLT_RAW, DLT_IPV4, DLT_IPV6) down to TCP or UDP: RFC 791, RFC 8200 extension headers,
 * RFC 9293, RFC 768. `wire_len` is the frame's length on the wire. The payload's length comes from
 * the IP header, so that link padding does not count; where that length is 0 or more than there is
 * (segmentation offload, RFC 2675), from wire_len.
 *
 * 0: *out is filled. -ENOMSG: not TCP or UDP over IP (ARP, ICMP ...): nothing wrong; also every
 * fragment but the first, with the addresses and `fragment` filled in. -ENOTSUP: link type not
 * known. -EBADMSG: malformed, or cut before the fixed part of the transport header ends.
 */
int packet_decode(uint32_t link_type, struct span bytes, uint32_t wire_len, struct packet *out);

/* Is it one of the link types that packet_decode knows? */
bool packet_link_known(uint32_t link_type);
