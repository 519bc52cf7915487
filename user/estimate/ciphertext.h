/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gnomon/span.h"

/*
 * How many tokens of output a connection may have carried of which only sizes and times are seen. Wide: one
 * service needs 15 to 450 bytes for a token, by whether it hides reasoning, compresses, and pads
 * (user/estimate/README.md).
 */

/* What was seen since the last estimate. Zeroed is nothing. */
struct ciphertext {
	uint64_t bytes;   /* of payload in packets from the server */
	uint64_t last_ns; /* when the last packet passed, either way; 0: none */
	uint64_t
		active_ns; /* that the server took from what it was sent, or from what it sent, to the next it sent */
	uint32_t spaced; /* packets of its that came by themselves, as a model's words do */
};

struct ciphertext_range {
	int64_t low, high; /* low 0: there may be none */
};

/* A packet with payload; times do not go back. */
void ciphertext_packet(struct ciphertext *seen, bool from_server, uint64_t time_ns,
		       uint32_t payload_bytes);
/* Starts anew; the time of the last packet stays. */
void ciphertext_restart(struct ciphertext *seen);

/* Does what the service is known to speak answer in tokens? */
bool ciphertext_family(struct span family);
/*
 * The range for what came since the last estimate. `service` is the catalogue's id. False: no estimate, since
 * nothing but a handshake was received.
 */
struct ciphertext_totals {
	uint64_t received; /* bytes of transport payload from the server */
	uint64_t time_ns;  /* that passed */
	bool handshake;    /* the first bytes are TLS's own */
};
bool ciphertext_estimate(const struct ciphertext *seen, struct span service,
			 const struct ciphertext_totals *totals, struct ciphertext_range *range);
