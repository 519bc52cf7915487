/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "source/sources.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "net/packet.h"
#include "source/file.h"
#include "util/cleanup.h"
#include "util/diag.h"

struct pcap_state {
	pcap_t *pcap;
	int ended; /* what next() returns from now on, 0 while there is more */
	struct source_stats stats;
};

static void pcap_source_close(void *state)
{
	struct pcap_state *s = state;

	if (!s)
		return;
	if (s->pcap)
		pcap_close(s->pcap);
	free(s);
}

static void cleanup_state(struct pcap_state **s)
{
	pcap_source_close(*s);
}

static int set_filter(struct pcap_state *s, const struct source_config *config, struct diag *diag)
{
	struct bpf_program program;
	int r = 0;

	if (!config->filter || !*config->filter)
		return 0;
	if (pcap_compile(s->pcap, &program, config->filter, 1, PCAP_NETMASK_UNKNOWN)) {
		diag_add(diag, config->path, 0, 0, "filter \"%s\": %s", config->filter,
			 pcap_geterr(s->pcap));
		return -EINVAL;
	}
	if (pcap_setfilter(s->pcap, &program)) {
		diag_add(diag, config->path, 0, 0, "filter \"%s\": %s", config->filter,
			 pcap_geterr(s->pcap));
		r = -EINVAL;
	}
	pcap_freecode(&program);
	return r;
}

static int pcap_source_open(void **state, const struct source_config *config, struct diag *diag)
{
	_cleanup_(cleanup_state) struct pcap_state *s = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	char reason[PCAP_ERRBUF_SIZE] = "";
	int link_type, r;

	if (!config->path)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	file = source_file_open(config->path);
	if (!file) {
		r = -errno;
		diag_add(diag, config->path, 0, 0, "%s", strerror(-r));
		return r;
	}
	s->pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO,
							   reason);
	if (!s->pcap) {
		diag_add(diag, config->path, 0, 0, "not a readable capture file: %s", reason);
		return -EBADMSG;
	}
	TAKE_PTR(file); /* pcap_close closes it */

	link_type = pcap_datalink(s->pcap);
	if (!packet_link_known((uint32_t)link_type)) {
		const char *name = pcap_datalink_val_to_name(link_type);

		diag_add(diag, config->path, 0, 0, "link type %s (%d) is not supported",
			 name ? name : "unknown", link_type);
		return -ENOTSUP;
	}
	r = set_filter(s, config, diag);
	if (r)
		return r;
	*state = TAKE_PTR(s);
	return 0;
}

/* libpcap tells a file that was cut short only by its message. */
static int broken(struct pcap_state *s)
{
	if (strncmp(pcap_geterr(s->pcap), "truncated", strlen("truncated")) != 0)
		return -EBADMSG;
	s->stats.lost[LOSS_TRUNCATED]++;
	return -EPIPE;
}

static int pcap_source_next(void *state, struct observation *obs, int timeout_ms)
{
	struct pcap_state *s = state;
	struct pcap_pkthdr *header;
	const u_char *bytes;
	int r;

	(void)timeout_ms; /* a file never lets wait; a pipe blocks in read */
	if (s->ended)
		return s->ended;
	errno = 0;
	r = pcap_next_ex(s->pcap, &header, &bytes);
	if (r == PCAP_ERROR_BREAK) {
		s->ended = -ENODATA;
		return s->ended;
	}
	if (r != 1 && errno == EINTR) {
		/* The read that was cut off may have taken part of a packet along. */
		s->stats.lost[LOSS_TRUNCATED]++;
		s->ended = -EPIPE;
		return 0;
	}
	if (r != 1) {
		s->ended = broken(s);
		return s->ended;
	}

	s->stats.observations++;
	*obs = (struct observation){
		.kind = OBS_PACKET,
		/* tv_usec holds nanoseconds at this precision */
		.time_ns = (uint64_t)header->ts.tv_sec * 1000000000 + (uint64_t)header->ts.tv_usec,
		.packet =
			{
				.link_type = (uint32_t)pcap_datalink(s->pcap),
				.wire_len = header->len,
				.bytes = {(const char *)bytes, header->caplen},
			},
	};
	return 1;
}

static int pcap_source_steer(void *state, const struct steering *steering)
{
	(void)state;
	(void)steering;
	return 0;
}

static void pcap_source_stats(void *state, struct source_stats *stats)
{
	const struct pcap_state *s = state;

	*stats = s->stats;
}

const struct source_ops pcap_source = {
	.name = "pcap",
	.open = pcap_source_open,
	.next = pcap_source_next,
	.steer = pcap_source_steer,
	.stats = pcap_source_stats,
	.close = pcap_source_close,
};
