/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "gnomon/source.h"

/* This host, through the kernel half. */
extern const struct source_ops bpf_source;

/*
 * Capture files in the pcap and pcapng formats, read by libpcap. Packets come without an identity.
 * A packet of which less was captured than was on the wire is delivered as it is, with its
 * wire_len; a file that ends in the middle of a packet counts once in lost[LOSS_TRUNCATED]. A
 * pcapng file of interfaces with different link types or snapshot lengths breaks where the second
 * one begins (-EBADMSG): libpcap knows one of each in a file.
 */
extern const struct source_ops pcap_source;

/* Observations from a text (script.h has its language), for tests: all of it is read and checked
 * when it is opened. Takes no filter. */
extern const struct source_ops script_source;

/* Does the file begin as a script does? False for "-", which cannot be looked at twice, and for
 * what cannot be read. */
bool script_source_detect(const char *path);
