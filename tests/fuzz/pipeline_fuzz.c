/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every stage at once: the input is a list of observations, and each event that comes out must be one
 * line of JSON within the cap. A byte chooses what happens next, the bytes behind it are its data.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "catalog/agents.h"
#include "catalog/catalog.h"
#include "pipeline/pipeline.h"
#include "policy/policy.h"
#include "sink/format/ecs.h"
#include "util/diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct catalog *catalog;
static struct agents *agents;
static struct policy *policy;

struct input {
	const uint8_t *at, *end;
};

static uint8_t take(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static struct span take_bytes(struct input *in)
{
	size_t len = take(in) * (take(in) % 8 + 1u);
	const char *at = (const char *)in->at;

	if (len > (size_t)(in->end - in->at))
		len = (size_t)(in->end - in->at);
	in->at += len;
	return span_of(at, len);
}

static void on_event(void *ctx, const struct event *event)
{
	char line[EVENT_LINE_MAX + 1];
	struct json_object *parsed;
	ssize_t n = ecs_format.render(event, ++*(uint64_t *)ctx, line, EVENT_LINE_MAX);

	if (n <= 0 || n > EVENT_LINE_MAX || line[n - 1] != '\n' ||
	    memchr(line, '\n', (size_t)n - 1))
		abort();
	line[n] = '\0';
	parsed = json_tokener_parse(line);
	if (!parsed)
		abort();
	json_object_put(parsed);
}

static void set_rules(void)
{
	struct diag diag = {0};

	if (catalog)
		return;
	catalog = catalog_new();
	policy = policy_new();
	agents = agents_new();
	if (catalog_add_builtin(catalog, &diag) || catalog_seal(catalog) ||
	    agents_add_builtin(agents, &diag) || policy_add_builtin(policy, &diag) ||
	    policy_seal(policy, &diag))
		abort();
}

static void feed_stream(struct pipeline *p, struct input *in, struct observation *obs,
			uint64_t *offsets)
{
	uint8_t which = take(in);
	struct observed_segment *s = &obs->segment;

	obs->kind = OBS_SEGMENT;
	*s = (struct observed_segment){.stream = {10 + which % 2, 0x1000, 1},
				       .cookie = which % 2 + 1u};
	s->dir = which & 2 ? DIR_IN : DIR_OUT;
	s->bytes = take_bytes(in);
	s->omitted = which & 4 ? take(in) : 0;
	offsets += (which % 2) * 2 + s->dir;
	s->offset = *offsets + (which & 8 ? take(in) : 0);
	*offsets = s->offset + s->bytes.len + s->omitted;
	pipeline_feed(p, obs);
}

static void feed_one(struct pipeline *p, struct input *in, uint64_t *time, uint64_t *offsets)
{
	struct process_identity who = {.pid = 10 + take(in) % 2, .start_ns = 5, .comm = "fuzz"};
	struct observation obs = {.time_ns = *time += 1000000, .who = &who};
	uint8_t kind = take(in) % 8, which;

	switch (kind) {
	case 0:
		which = take(in);
		obs.kind = OBS_PACKET;
		obs.packet = (struct observed_packet){
			.cookie = which % 3,
			.link_type = 12,
			.dir = which & 4 ? DIR_IN : DIR_OUT,
			.resumed = which & 8,
		};
		obs.packet.bytes = take_bytes(in);
		obs.packet.wire_len = (uint32_t)obs.packet.bytes.len;
		break;
	case 1:
		obs.kind = OBS_SOCKET;
		obs.socket = (struct observed_socket){
			.cookie = take(in) % 3,
			.state = (enum socket_state)(take(in) % 4),
			.role = (enum socket_role)(take(in) % 2),
			.local = {.address = {4, {10, 0, 0, 1}}, .port = 40000},
			.remote = {.address = {4, {10, 0, 0, 2}}, .port = 443},
			.bytes_sent = take(in) * 100u,
		};
		break;
	case 2:
		obs.kind = OBS_STREAM_END;
		obs.stream_end.stream = (struct stream_id){who.pid, 0x1000, 1};
		break;
	case 3:
		obs.kind = OBS_PROCESS;
		obs.process.change = take(in) % 2 ? PROCESS_EXIT : PROCESS_EXEC;
		obs.process.filename = take_bytes(in);
		break;
	case 4:
		pipeline_tick(p, *time += take(in) * 10000000000u);
		return;
	default:
		feed_stream(p, in, &obs, offsets);
		return;
	}
	pipeline_feed(p, &obs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, data + size};
	uint64_t time = 1767225600000000000, offsets[4] = {0}, sequence = 0;
	struct pipeline_config config;
	struct pipeline *p;

	set_rules();
	config = (struct pipeline_config){
		.all = true,
		.catalog = catalog,
		.policy = policy,
		.agents = agents,
		.unseen_reason = "capture",
		.deliver = on_event,
		.ctx = &sequence,
	};
	p = pipeline_new(&config);
	while (in.at < in.end)
		feed_one(p, &in, &time, offsets);
	pipeline_finish(p);
	pipeline_status(p, "sensor-status", NULL);
	pipeline_free(p);
	return 0;
}
