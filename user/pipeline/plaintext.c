/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "pipeline/internal.h"
#include "protocol/http1.h"
#include "protocol/http2.h"
#include "protocol/tunnel.h"
#include "util/cleanup.h"

/* Protocols that a plaintext stream may speak, most likely first. */
static const struct protocol_ops *const protocols[] = {
	&http1_protocol,
	&http2_protocol,
};

struct stream_key_user {
	uint64_t pid, handle, generation;
};

int plaintext_init(struct pipeline *p)
{
	return table_init(&p->streams, STREAMS_MAX);
}

static struct stream_key_user key_of(const struct stream_id *id)
{
	return (struct stream_key_user){id->pid, id->handle, id->generation};
}

static bool same_stream(const struct table_link *link, const void *key)
{
	struct stream_key_user own = key_of(&table_entry(link, const struct stream, link)->id);

	return memcmp(&own, key, sizeof(own)) == 0;
}

static struct stream *stream_find(struct pipeline *p, const struct stream_id *id)
{
	struct stream_key_user key = key_of(id);
	struct table_link *link = table_find(
		&p->streams, table_hash(&p->streams, &key, sizeof(key)), same_stream, &key);

	return link ? table_entry(link, struct stream, link) : NULL;
}

/* What is open on it is told; the stream goes. */
static void stream_drop(struct stream *s)
{
	if (s->protocol) {
		s->protocol->done(s->state);
		free(s->state);
	}
	exchange_free_all(s);
	proxied_free(s);
	table_remove(&s->pipeline->streams, &s->link);
	s->pipeline->streams_by_pid[s->id.pid % STREAM_PIDS]--;
	free(s);
}

struct stream *stream_open(struct pipeline *p, const struct stream_id *id,
			   const struct process_identity *who)
{
	struct stream_key_user key = key_of(id);
	struct stream *s = stream_find(p, id);

	if (s) {
		table_touch(&p->streams, &s->link);
		return s;
	}
	if (table_full(&p->streams)) {
		pipeline_lost(p, LOSS_STATE, 1);
		stream_drop(table_entry(p->streams.oldest, struct stream, link));
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		pipeline_lost(p, LOSS_STATE, 1);
		return NULL;
	}
	s->pipeline = p;
	s->id = *id;
	s->steered = STEER_FOLLOW;
	if (who)
		s->who = *who;
	table_add(&p->streams, &s->link, table_hash(&p->streams, &key, sizeof(key)));
	p->streams_by_pid[id->pid % STREAM_PIDS]++;
	return s;
}

/* The budget is a window: it is renewed as the stream is read, so that a long answer is followed to its
 * end while one stream can never have more than a window in the ring. */
void stream_steer(struct stream *s, enum steer_action action)
{
	struct pipeline *p = s->pipeline;
	struct steering steering = {.stream = s->id, .action = action};

	if (action == s->steered &&
	    (action != STEER_FOLLOW || s->copied - s->budget_from < STREAM_BUDGET_BYTES / 2))
		return;
	s->steered = action;
	s->budget_from = s->copied;
	steering.budget = s->copied + STREAM_BUDGET_BYTES;
	if (s->flow) {
		steering.cookie = s->flow->cookie;
		if (!steering.cookie)
			return; /* a capture has nobody to steer */
		wire_of(s->flow)->steered = true;
	}
	/* a refused verdict leaves the stream followed: costly, not wrong */
	if (p->config.source && p->config.source->steer)
		p->config.source->steer(p->config.source_state, &steering);
}

static void stream_feed(struct stream *s, enum stream_dir dir, struct span bytes)
{
	if (s->protocol->feed(s->state, dir, bytes) == -EPROTO && s->steered != STEER_IGNORE) {
		/* no HTTP any more: an upgrade, or malformed; nothing more is wanted of it */
		if (!s->handed_over)
			pipeline_lost(s->pipeline, LOSS_PARSE, 1);
		stream_steer(s, STEER_IGNORE);
	}
}

static void stream_decide(struct stream *s, const struct protocol_ops *protocol, bool is_client)
{
	s->state = calloc(1, protocol->state_bytes);
	if (!s->state) {
		pipeline_lost(s->pipeline, LOSS_STATE, 1);
		return;
	}
	s->protocol = protocol;
	s->is_client = is_client;
	protocol->init(s->state, is_client, &exchange_listener, s);
	for (int dir = 0; dir < DIR_COUNT; dir++)
		if (s->first_len[dir])
			stream_feed(s, (enum stream_dir)dir,
				    span_of(s->first[dir], s->first_len[dir]));
}

/* Unknown, and worth no more looks. */
static void stream_give_up(struct stream *s)
{
	struct flow *flow = flows_find_cookie(s->pipeline->flows, s->cookie);

	if (flow)
		wire_of(flow)->unseen_reason = "unknown-protocol";
	stream_steer(s, STEER_IGNORE);
}

static void stream_pass(struct stream *s, enum stream_dir dir, struct span bytes);

/* What was held begins with a question to a proxy. */
static void stream_ask(struct stream *s, enum stream_dir dir)
{
	char held[sizeof(s->first[dir])];
	size_t n = s->first_len[dir];

	memcpy(held, s->first[dir], n);
	s->first_len[dir] = 0;
	if (proxied_begin(s, dir))
		stream_pass(s, dir, span_of(held, n));
}

/* First bytes: holds them until a protocol says yes or all say no. Returns how many it kept. */
static size_t stream_guess(struct stream *s, enum stream_dir dir, struct span bytes)
{
	size_t room = sizeof(s->first[dir]) - s->first_len[dir];
	size_t n = bytes.len < room ? bytes.len : room;
	enum protocol_guess asks = PROTOCOL_NO;
	bool maybe;

	memcpy(s->first[dir] + s->first_len[dir], bytes.at, n);
	s->first_len[dir] += n;
	if (!s->proxied)
		asks = tunnel_guess(span_of(s->first[dir], s->first_len[dir]));
	if (asks == PROTOCOL_YES) {
		stream_ask(s, dir);
		return n;
	}
	maybe = asks == PROTOCOL_MAYBE;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		bool is_client = true;

		switch (protocols[i]->guess(span_of(s->first[dir], s->first_len[dir]), dir,
					    &is_client)) {
		case PROTOCOL_YES:
			stream_decide(s, protocols[i], is_client);
			return n;
		case PROTOCOL_MAYBE:
			maybe = true;
			break;
		case PROTOCOL_NO:
			break;
		}
	}
	if (maybe && s->first_len[dir] < sizeof(s->first[dir]))
		return n;
	if (s->joined_midway && ++s->tries < STREAM_TRIES_MAX)
		s->first_len[dir] = 0; /* the next segment may start a message */
	else
		stream_give_up(s);
	return bytes.len;
}

void stream_gap(struct stream *s, enum stream_dir dir, uint64_t bytes)
{
	if (s->protocol)
		s->protocol->gap(s->state, dir, bytes);
	else
		s->joined_midway = true;
}

static void stream_pass(struct stream *s, enum stream_dir dir, struct span bytes)
{
	bool asked = s->proxied != NULL;

	if (asked)
		bytes = proxied_take(s, dir, bytes);
	if (!s->protocol && s->steered != STEER_IGNORE && bytes.len)
		bytes = span_skip(bytes, stream_guess(s, dir, bytes));
	if (s->protocol && bytes.len)
		stream_feed(s, dir, bytes);
	else if (s->proxied && !asked && bytes.len)
		stream_pass(s, dir, bytes);
}

void stream_take(struct stream *s, enum stream_dir dir, struct span bytes)
{
	s->copied += bytes.len;
	stream_pass(s, dir, bytes);
}

void plaintext_segment(struct pipeline *p, const struct observation *obs)
{
	const struct observed_segment *segment = &obs->segment;
	struct stream *s = stream_open(p, &segment->stream, obs->who);
	enum stream_dir dir = segment->dir;

	if (!s)
		return;
	if (segment->cookie)
		s->cookie = segment->cookie;
	if (segment->midway && !s->protocol)
		s->joined_midway = true;
	if (segment->offset > s->next_offset[dir])
		stream_gap(s, dir, segment->offset - s->next_offset[dir]);
	stream_take(s, dir, segment->bytes);
	if (s->protocol) {
		if (segment->omitted)
			stream_gap(s, dir, segment->omitted);
		if (s->steered == STEER_FOLLOW)
			stream_steer(s, STEER_FOLLOW);
	}
	s->next_offset[dir] = segment->offset + segment->bytes.len + segment->omitted;
}

void stream_note(const struct stream *s)
{
	struct flow *flow = s->flow ? s->flow : flows_find_cookie(s->pipeline->flows, s->cookie);

	if (!flow)
		return;
	wire_of(flow)->fetched |= s->fetched;
	wire_of(flow)->asked |= s->asked;
}

void plaintext_link(struct pipeline *p, const struct observation *obs)
{
	struct stream *s = stream_open(p, &obs->link.stream, obs->who);

	if (!s)
		return;
	s->cookie = obs->link.cookie;
	s->kind = obs->link.kind;
	proxied_linked(s);
	stream_note(s);
}

void plaintext_end(struct pipeline *p, const struct stream_id *id)
{
	struct stream *s = stream_find(p, id);

	if (s)
		stream_drop(s);
}

void plaintext_process_exit(struct pipeline *p, const struct process_identity *who)
{
	struct table_link *link = p->streams.oldest;

	if (!p->streams_by_pid[who->pid % STREAM_PIDS])
		return; /* as nearly all processes that end */
	while (link) {
		struct stream *s = table_entry(link, struct stream, link);
		struct steering steering = {.stream = s->id, .action = STEER_FORGET};

		link = link->newer;
		if (s->id.pid != who->pid)
			continue;
		if (p->config.source && p->config.source->steer)
			p->config.source->steer(p->config.source_state, &steering);
		stream_drop(s);
	}
}

void plaintext_rematch(struct pipeline *p)
{
	for (struct table_link *link = p->streams.oldest; link; link = link->newer) {
		struct stream *s = table_entry(link, struct stream, link);

		/* verdicts on sockets lapse too, and without one the kernel follows nothing */
		if (s->flow)
			s->steered = STEER_COUNT;
		for (struct exchange *e = s->exchanges; e; e = e->next)
			if (!catalog_lookup(p->config.catalog, span_str(e->host), span_str(e->path),
					    &e->match))
				e->match.service = NULL;
		/* the kernel's verdicts have lapsed: what was ignored gets another look */
		if (s->steered == STEER_IGNORE && !s->protocol) {
			s->joined_midway = true;
			s->first_len[DIR_OUT] = s->first_len[DIR_IN] = 0;
			s->tries = 0;
		}
		s->steered = STEER_FOLLOW;
	}
}

void plaintext_finish(struct pipeline *p)
{
	while (p->streams.oldest)
		stream_drop(table_entry(p->streams.oldest, struct stream, link));
}

void plaintext_done(struct pipeline *p)
{
	plaintext_finish(p);
	table_done(&p->streams);
}
