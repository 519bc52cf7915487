/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <pcap/dlt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* First byte: the link type; second: how much more was on the wire, in units of 16; then the
 * frame. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t links[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL,
					 DLT_LOOP,   DLT_RAW,       DLT_IPV4,       DLT_IPV6};
	struct packet packet, cut;
	struct span frame;
	uint32_t wire_len;
	int r;

	if (size < 2)
		return 0;
	frame = span_of((const char *)data + 2, size - 2);
	wire_len = (uint32_t)frame.len + data[1] * 16u;
	r = packet_decode(links[data[0] % 8], frame, wire_len, &packet);
	if (r)
		return 0;

	/* The payload lies in the frame, and is never longer than on the wire. */
	if (packet.payload.len && (packet.payload.at < frame.at ||
				   packet.payload.at + packet.payload.len > frame.at + frame.len))
		abort();
	if (packet.payload.len > packet.payload_len || packet.payload_len > wire_len)
		abort();
	/* A shorter capture of the same frame says the same of it, or nothing. */
	r = packet_decode(links[data[0] % 8], span_of(frame.at, frame.len / 2), wire_len, &cut);
	if (r == 0 && (cut.payload_len != packet.payload_len || cut.sequence != packet.sequence ||
		       memcmp(&cut.source, &packet.source, sizeof(cut.source)) != 0))
		abort();
	return 0;
}
