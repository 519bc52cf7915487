/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "gnomon/limits.h"
#include "gnomon/observation.h"

/*
 * The Community ID of a flow (github.com/corelight/community-id-spec, version 1, seed 0): the key
 * by which Zeek, Suricata and Elastic join their records with ours. `protocol` is the IP protocol
 * number, 6 or 17. The same for both directions. `out` is empty when the addresses are unknown or
 * of different families, or for another protocol.
 */
void community_id(char out[COMMUNITY_ID_MAX], const struct net_endpoint *source,
		  const struct net_endpoint *destination, uint8_t protocol);
