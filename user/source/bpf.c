/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "gnomon.skel.h"
#include "gnomon/abi.h"
#include "gnomon/limits.h"
#include "source/bpf_load.h"
#include "source/discover.h"
#include "source/halves.h"
#include "source/iteration.h"
#include "source/ring.h"
#include "source/samples.h"
#include "source/sources.h"
#include "util/cleanup.h"
#include "util/diag.h"

/*
 * The live source: records of the ring buffer become observations. The record stays in the ring while it is
 * lent, so nothing is copied but a few numbers.
 */

#define LINK_TYPE_RAW 12 /* DLT_RAW: starts at the IP header */
#define NS_PER_S      1000000000ULL
#define LOSS_POLL_NS  NS_PER_S

struct bpf_source {
	struct gnomon *skel;
	struct discovery *discovery;
	struct halves *halves;
	bool discovering;
	struct hooks_report hooks;
	struct ring ring;
	struct samples samples;
	struct iteration found;   /* sockets that were open before */
	unsigned int found_walks; /* begun */
	uint64_t record_ns;       /* of the latest record, CLOCK_BOOTTIME */
	struct process_identity who;
	uint64_t realtime_offset_ns; /* CLOCK_REALTIME minus CLOCK_BOOTTIME */
	uint64_t polled_ns;
	int cpus;
	uint64_t *per_cpu;
	uint64_t lost[KLOSS_COUNT], told[KLOSS_COUNT];
	struct process_loss by_process; /* one that is being told of */
	bool losses_grew;               /* there may be more of them */
	uint64_t observations, malformed;
};

/* The kernel's counters are the first of loss_kind. */
static_assert((int)KLOSS_RING == LOSS_RING && (int)KLOSS_FAULT == LOSS_FAULT &&
		      (int)KLOSS_TABLE == LOSS_TABLE &&
		      (int)KLOSS_STREAM_BUDGET == LOSS_STREAM_BUDGET &&
		      (int)KLOSS_SHARE == LOSS_SHARE,
	      "kernel_loss and loss_kind must agree");

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void set_who(struct bpf_source *s, const struct record_who *who)
{
	s->who = (struct process_identity){
		.pid = who->pid,
		.uid = who->uid,
		.gid = who->gid,
		.start_ns = who->start_ns,
		.cgroup_id = who->cgroup_id,
	};
	memcpy(s->who.comm, who->comm, sizeof(s->who.comm) - 1);
}

static void bpf_close(void *state)
{
	struct bpf_source *s = state;

	if (!s)
		return;
	iteration_done(&s->found);
	samples_done(&s->samples);
	discovery_free(s->discovery);
	halves_free(s->halves);
	ring_close(&s->ring);
	gnomon__destroy(s->skel);
	free(s->per_cpu);
	free(s);
}

/* Its process had ended before the file could be opened: the next one that maps it is told again. */
static void tell_again(void *ctx, const struct file_key *key)
{
	struct bpf_source *s = ctx;

	bpf_map_delete_elem(bpf_map__fd(s->skel->maps.files_seen), key);
}

static void half_dropped(void *ctx, const struct stream_id *half)
{
	struct bpf_source *s = ctx;
	struct stream_key key = {.pid = half->pid, .handle = half->handle};

	bpf_map_delete_elem(bpf_map__fd(s->skel->maps.streams), &key);
}

static int bpf_open(void **state, const struct source_config *config, struct diag *diag)
{
	struct bpf_source *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->ring.epoll_fd = -1;
	samples_init(&s->samples, -1, 0);
	iteration_init(&s->found, sizeof(struct record_socket));
	s->skel = bpf_load(&s->hooks, diag);
	if (!s->skel) {
		bpf_close(s);
		return -EPERM;
	}
	r = ring_open(&s->ring, bpf_map__fd(s->skel->maps.records), RING_BYTES);
	s->cpus = libbpf_num_possible_cpus();
	if (!r && s->cpus > 0)
		s->per_cpu = calloc((size_t)s->cpus, sizeof(*s->per_cpu));
	s->halves = halves_new(half_dropped, s);
	s->discovery = discovery_new(&(struct discovery_config){
		.skel = s->skel,
		.report = &s->hooks,
		.directory = config->state_directory,
		.health_ns = config->health_ns ? config->health_ns : HEALTH_INTERVAL_S * NS_PER_S,
		.per_process = config->ai_only,
		.gone = tell_again,
		.ctx = s,
	});
	if (r || !s->per_cpu || !s->discovery || !s->halves) {
		diag_add(diag, NULL, 0, 0, "the ring buffer cannot be mapped");
		bpf_close(s);
		return r ? r : -ENOMEM;
	}
	if (s->skel->links.socket_bytes && config->interim_ns)
		samples_init(&s->samples, bpf_link__fd(s->skel->links.socket_bytes),
			     config->interim_ns / SOCKET_SAMPLES_PER_INTERVAL);
	discovery_scan_libraries(s->discovery);
	*state = s;
	return 0;
}

static void poll_losses(struct bpf_source *s)
{
	s->realtime_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
	for (uint32_t kind = 0; kind < KLOSS_COUNT; kind++) {
		uint64_t sum = 0;

		if (bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.losses), &kind, s->per_cpu))
			continue;
		for (int i = 0; i < s->cpus; i++)
			sum += s->per_cpu[i];
		s->losses_grew |= sum != s->lost[kind];
		s->lost[kind] = sum;
	}
}

static bool take_process_loss(struct bpf_source *s)
{
	int map = bpf_map__fd(s->skel->maps.process_losses);
	uint32_t pid;

	/* what is counted between the two calls is in the sum, and nobody's */
	return bpf_map_get_next_key(map, NULL, &pid) == 0 &&
	       bpf_map_lookup_elem(map, &pid, &s->by_process) == 0 &&
	       bpf_map_delete_elem(map, &pid) == 0;
}

/* Whose the losses were. */
static bool next_process_loss(struct bpf_source *s, uint64_t now, struct observation *obs)
{
	while (s->losses_grew) {
		for (int kind = 0; kind < KLOSS_COUNT; kind++) {
			uint64_t count = s->by_process.lost[kind];

			if (!count)
				continue;
			s->by_process.lost[kind] = 0;
			set_who(s, &s->by_process.who);
			*obs = (struct observation){
				.kind = OBS_LOSS,
				.time_ns = now + s->realtime_offset_ns,
				.who = &s->who,
				.loss = {.kind = (enum loss_kind)kind,
					 .count = count,
					 .part = true},
			};
			return true;
		}
		s->losses_grew = take_process_loss(s);
	}
	return false;
}

/* One untold loss, if there is one. */
static bool next_loss(struct bpf_source *s, struct observation *obs)
{
	uint64_t now = clock_ns(CLOCK_BOOTTIME);

	if (now - s->polled_ns >= LOSS_POLL_NS) {
		poll_losses(s);
		s->polled_ns = now;
	}
	for (int kind = 0; kind < KLOSS_COUNT; kind++) {
		if (s->lost[kind] == s->told[kind])
			continue;
		*obs = (struct observation){
			.kind = OBS_LOSS,
			.time_ns = now + s->realtime_offset_ns,
			.loss = {.kind = (enum loss_kind)kind,
				 .count = s->lost[kind] - s->told[kind]},
		};
		s->told[kind] = s->lost[kind];
		return true;
	}
	return next_process_loss(s, now, obs);
}

static struct stream_id stream_of(const struct record_header *header,
				  const struct record_stream *stream)
{
	return (struct stream_id){header->who.pid, stream->handle, stream->generation};
}

static bool read_segment(struct bpf_source *s, const struct record_segment *r, uint32_t len,
			 struct observation *obs)
{
	if (len < sizeof(*r) || r->header.len > len - sizeof(*r) || r->dir >= DIR_COUNT)
		return false;
	obs->kind = OBS_SEGMENT;
	obs->segment = (struct observed_segment){
		.stream = stream_of(&r->header, &r->stream),
		.cookie = r->cookie,
		.offset = r->offset,
		.omitted = r->omitted,
		.dir = (enum stream_dir)r->dir,
		.midway = r->header.who.start_ns < discovery_armed_ns(s->discovery),
		.bytes = span_of((const char *)r->bytes, r->header.len),
	};
	return true;
}

static bool read_join(struct bpf_source *s, const struct record_join *r, uint32_t len,
		      struct observation *obs)
{
	struct stream_id half;

	if (len < sizeof(*r) || r->dir >= DIR_COUNT)
		return false;
	half = stream_of(&r->header, &r->half);
	obs->kind = OBS_SEGMENT;
	obs->segment = (struct observed_segment){
		.stream = stream_of(&r->header, &r->stream),
		.cookie = r->cookie,
		.offset = r->offset,
		.omitted = r->bytes,
		.dir = (enum stream_dir)r->dir,
		.midway = r->header.who.start_ns < discovery_armed_ns(s->discovery),
	};
	halves_join(s->halves, &half, &obs->segment);
	return true;
}

static struct net_endpoint endpoint_of(uint16_t family, const uint8_t *bytes, uint16_t port)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct net_endpoint e = {.port = port};

	if (family == AF_INET) {
		e.address.family = 4;
		memcpy(e.address.bytes, bytes, 4);
	} else if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		/* an IPv4 connection of a dual-stack socket (RFC 4291 section 2.5.5.2) */
		e.address.family = 4;
		memcpy(e.address.bytes, bytes + 12, 4);
	} else {
		e.address.family = 6;
		memcpy(e.address.bytes, bytes, 16);
	}
	return e;
}

static bool read_socket(const struct record_socket *r, uint32_t len, struct observation *obs)
{
	if (len < sizeof(*r))
		return false;
	obs->kind = OBS_SOCKET;
	obs->socket = (struct observed_socket){
		.cookie = r->cookie,
		.state = (enum socket_state)r->state,
		.role = (enum socket_role)r->role,
		.local = endpoint_of(r->family, r->local, r->local_port),
		.remote = endpoint_of(r->family, r->remote, r->remote_port),
		.bytes_sent = r->bytes_sent,
		.bytes_received = r->bytes_received,
	};
	return true;
}

static bool read_packet(const struct record_packet *r, uint32_t len, struct observation *obs)
{
	if (len < sizeof(*r) || r->header.len > len - sizeof(*r) || r->dir >= DIR_COUNT)
		return false;
	obs->kind = OBS_PACKET;
	obs->packet = (struct observed_packet){
		.cookie = r->cookie,
		.link_type = LINK_TYPE_RAW,
		.wire_len = r->wire_len,
		.dir = (enum stream_dir)r->dir,
		.resumed = r->flags & PACKET_RESUMED,
		.bytes = span_of((const char *)r->bytes, r->header.len),
	};
	return true;
}

static bool read_stream_end(const struct record_stream_end *r, uint32_t len,
			    struct observation *obs)
{
	if (len < sizeof(*r))
		return false;
	obs->kind = OBS_STREAM_END;
	obs->stream_end = (struct observed_stream_end){
		.stream = stream_of(&r->header, &r->stream),
		.total = {r->total[DIR_OUT], r->total[DIR_IN]},
	};
	return true;
}

static bool read_link(const struct record_link *r, uint32_t len, struct observation *obs)
{
	if (len < sizeof(*r))
		return false;
	obs->kind = OBS_LINK;
	obs->link = (struct observed_link){
		.stream = stream_of(&r->header, &r->stream),
		.cookie = r->cookie,
		.kind = (enum link_kind)r->kind,
	};
	return true;
}

static bool read_process(struct bpf_source *s, const struct record_header *header, uint32_t len,
			 struct observation *obs)
{
	const struct record_exec *r = (const void *)header;

	obs->kind = OBS_PROCESS;
	if (header->type == RECORD_EXIT) {
		halves_exit(s->halves, header->who.pid);
		discovery_ended(s->discovery, header->who.pid);
		obs->process = (struct observed_process){.change = PROCESS_EXIT};
		return true;
	}
	if (len < sizeof(*r) || header->len > sizeof(r->filename))
		return false;
	if (r->new_file)
		discovery_process(s->discovery, header->who.pid, &r->file);
	obs->process = (struct observed_process){
		.change = PROCESS_EXEC,
		.parent_pid = r->parent_pid,
		.filename = span_of((const char *)r->filename, header->len),
	};
	return true;
}

static bool read_record(struct bpf_source *s, const void *record, uint32_t len,
			struct observation *obs)
{
	const struct record_header *header = record;

	if (len < sizeof(*header))
		return false;
	set_who(s, &header->who);
	obs->who = header->who.pid ? &s->who : NULL;
	obs->time_ns = header->time_ns + s->realtime_offset_ns;
	s->record_ns = header->time_ns;

	switch (header->type) {
	case RECORD_SEGMENT:
		return read_segment(s, record, len, obs);
	case RECORD_JOIN:
		return read_join(s, record, len, obs);
	case RECORD_STREAM_END:
		return read_stream_end(record, len, obs);
	case RECORD_LINK:
		return read_link(record, len, obs);
	case RECORD_SOCKET:
		return read_socket(record, len, obs);
	case RECORD_PACKET:
		return read_packet(record, len, obs);
	case RECORD_EXEC:
	case RECORD_EXIT:
		return read_process(s, header, len, obs);
	default:
		return false;
	}
}

/* A new executable mapping is for discovery alone. */
static bool note_mapping(struct bpf_source *s, const void *record, uint32_t len)
{
	const struct record_mapped *r = record;

	if (len < sizeof(*r) || r->header.type != RECORD_MAPPED)
		return false;
	discovery_process(s->discovery, r->header.who.pid, &r->file);
	return true;
}

/* Of a half stream nothing is told before it is joined. */
static bool hold_half(struct bpf_source *s, const void *record, uint32_t len)
{
	const struct record_segment *r = record;
	struct observation held;

	if (len < sizeof(*r) || r->header.type != RECORD_SEGMENT || !r->half ||
	    !read_segment(s, r, len, &held))
		return false;
	halves_hold(s->halves, &held.segment);
	return true;
}

/* The byte counts of one open socket, when they are due. */
static bool next_sample(struct bpf_source *s, uint64_t now, struct observation *obs)
{
	const struct socket_sample *sample = samples_next(&s->samples, now);

	if (!sample)
		return false;
	*obs = (struct observation){
		.kind = OBS_SOCKET,
		.time_ns = now + s->realtime_offset_ns,
		.socket = {.cookie = sample->cookie,
			   .state = SOCKET_SAMPLED,
			   .role = SOCKET_CONNECTED,
			   .bytes_sent = sample->bytes_sent,
			   .bytes_received = sample->bytes_received},
	};
	return true;
}

/* A socket that was open before the source was. All of them come before the first record of the ring, which may
 * tell of one's end. */
static bool next_found(struct bpf_source *s, struct observation *obs)
{
	const struct bpf_link *const walks[] = {s->skel->links.found_listeners,
						s->skel->links.found_connections};

	for (;;) {
		const struct record_socket *record = iteration_next(&s->found);

		if (record)
			return read_record(s, record, sizeof(*record), obs);
		if (s->found_walks == ARRAY_SIZE(walks) || !walks[s->found_walks])
			return false;
		iteration_start(&s->found, bpf_link__fd(walks[s->found_walks++]));
	}
}

static int bpf_next(void *state, struct observation *obs, int timeout_ms)
{
	struct bpf_source *s = state;
	const void *record;
	uint32_t len;
	int r;

	if (!s->discovering) {
		/* not before: until then the report is the opener's to read at leisure */
		s->discovering = true;
		discovery_start(s->discovery);
	}
	if (next_found(s, obs))
		return 1;
	for (;;) {
		if (next_sample(s, s->record_ns, obs))
			return 1;
		record = ring_next(&s->ring, &len);
		if (record) {
			if (note_mapping(s, record, len) || hold_half(s, record, len))
				continue;
			s->observations++;
			if (read_record(s, record, len, obs))
				return 1;
			s->malformed++;
			continue;
		}
		if (next_loss(s, obs))
			return 1;
		s->record_ns = clock_ns(CLOCK_BOOTTIME);
		if (timeout_ms == 0)
			return 0;
		r = ring_wait(&s->ring, timeout_ms);
		if (r <= 0)
			return r;
		timeout_ms = 0;
	}
}

/* A stream whose process has ended, with what the kernel half keeps for it elsewhere. */
static void forget_stream(struct bpf_source *s, const struct stream_key *key)
{
	int streams = bpf_map__fd(s->skel->maps.streams);
	struct stream stream;

	bpf_map_delete_elem(bpf_map__fd(s->skel->maps.verdicts), key);
	if (bpf_map_lookup_elem(streams, key, &stream))
		return;
	if (stream.reader) {
		struct go_read_key reader = {.pid = key->pid, .goroutine = stream.reader};

		bpf_map_delete_elem(bpf_map__fd(s->skel->maps.go_reads), &reader);
	}
	for (int dir = 0; dir < DIR_COUNT; dir++) {
		struct stream_key half = {.pid = key->pid, .handle = stream.halves[dir]};

		if (half.handle)
			bpf_map_delete_elem(streams, &half);
	}
	bpf_map_delete_elem(streams, key);
}

static int steer_socket(struct bpf_source *s, const struct steering *steering)
{
	struct socket_verdict verdict = {
		.budget = steering->budget,
		.action = (uint32_t)steering->action,
		.epoch = s->skel->bss->verdict_epoch,
	};
	int verdicts = bpf_map__fd(s->skel->maps.socket_verdicts);
	int r;

	if (steering->action == STEER_FORGET)
		r = bpf_map_delete_elem(verdicts, &steering->cookie);
	else
		r = bpf_map_update_elem(verdicts, &steering->cookie, &verdict, BPF_ANY);
	return r ? -errno : 0;
}

static int bpf_steer(void *state, const struct steering *steering)
{
	struct bpf_source *s = state;
	struct stream_key key = {.pid = steering->stream.pid, .handle = steering->stream.handle};
	struct stream_verdict verdict = {
		.generation = steering->stream.generation,
		.budget = steering->budget,
		.action = (uint32_t)steering->action,
		.epoch = s->skel->bss->verdict_epoch,
	};
	int verdicts = bpf_map__fd(s->skel->maps.verdicts);

	if (steering->action == STEER_ARM)
		return discovery_arm(s->discovery, steering->stream.pid);
	if (steering->cookie)
		return steer_socket(s, steering);
	if (steering->action == STEER_FORGET) {
		forget_stream(s, &key);
		return 0;
	}
	return bpf_map_update_elem(verdicts, &key, &verdict, BPF_ANY) ? -errno : 0;
}

static void bpf_stats(void *state, struct source_stats *stats)
{
	struct bpf_source *s = state;

	poll_losses(s);
	*stats = (struct source_stats){.observations = s->observations};
	for (int kind = 0; kind < KLOSS_COUNT; kind++)
		stats->lost[kind] = s->lost[kind];
	stats->lost[LOSS_PARSE] = s->malformed;
}

const struct hooks_report *bpf_source_hooks(const void *state)
{
	return &((const struct bpf_source *)state)->hooks;
}

void bpf_source_rejudge(void *state)
{
	struct bpf_source *s = state;

	s->skel->bss->verdict_epoch++;
}

const struct source_ops bpf_source = {
	.name = "bpf",
	.open = bpf_open,
	.next = bpf_next,
	.steer = bpf_steer,
	.stats = bpf_stats,
	.close = bpf_close,
};
