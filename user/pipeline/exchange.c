/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>

#include "api/exchange.h"
#include "pipeline/internal.h"
#include "protocol/tunnel.h"
#include "util/authority.h"
#include "util/cleanup.h"

/*
 * The listener of a stream's protocol. Requests that no API family claims are not kept at all; those that
 * one claims become an llm-request event when their response has ended.
 */

static struct exchange *exchange_find(struct stream *s, uint32_t number)
{
	struct exchange *e = s->exchanges;

	while (e && e->number != number)
		e = e->next;
	return e;
}

static void exchange_free(struct stream *s, struct exchange *e)
{
	relay_ended(s->pipeline, &s->who, e->relayed);
	api_exchange_free(e->api);
	free(e);
}

void exchange_free_all(struct stream *s)
{
	while (s->exchanges) {
		struct exchange *e = s->exchanges;

		s->exchanges = e->next;
		exchange_free(s, e);
	}
	s->exchange_count = 0;
}

static void copy_host(char *to, size_t cap, struct span host)
{
	span_copy(to, cap, host);
	for (; *to; to++)
		*to = ascii_lower(*to);
}

/* A call worth full attention, or ordinary traffic of a host that is no AI service: then only the start of
 * each message is worth a copy, in case a call follows on the same connection. */
static void steer_by(struct stream *s, bool claimed, bool known)
{
	if (claimed || known || s->exchanges)
		stream_steer(s, STEER_FOLLOW);
	else
		stream_steer(s, STEER_HEADS);
}

/* The name in the handshake: for requests whose own is compressed beyond what was seen. */
static struct span server_name_of(const struct stream *s)
{
	const struct flow *flow = flows_find_cookie(s->pipeline->flows, s->cookie);

	return span_str(flow ? wire_of(flow)->hello.server_name : NULL);
}

/* A request in absolute form is a proxy's to send on (RFC 9112 section 3.2.2). */
static void note_forward(struct stream *s, struct span target)
{
	static const struct span scheme = SPAN_LITERAL("http://");
	struct tunnel_target to = {.how = "http_forward", .port = 80};
	struct span authority = span_skip(target, scheme.len);

	if (!s->is_client || !s->flow || !span_starts(target, scheme))
		return;
	for (size_t i = 0; i < authority.len; i++)
		if (authority.at[i] == '/' || authority.at[i] == '?')
			authority.len = i;
	if (tunnel_target_authority(&to, authority) || tunnel_target_host(&to, authority))
		wire_proxied(s->pipeline, s->flow, &to, NULL);
}

/* Only the path tells that this host serves AI: it is the connection's, whether or not an API family
 * claims the request. */
static void name_by_url(struct stream *s, struct span host, const struct catalog_match *match)
{
	struct flow *flow = s->flow ? s->flow : flows_find_cookie(s->pipeline->flows, s->cookie);
	struct span name = span_str(flow ? wire_of(flow)->hello.server_name : NULL);

	/* a link that the thread's next send gave must agree with the handshake */
	if (flow && (s->kind != LINK_THREAD || !name.len || span_eq_nocase(name, host)))
		wire_of(flow)->match = *match;
}

/* Pages and pictures are fetched by methods without a body; a WebSocket begins by one and is none of these. */
static void note_method(struct stream *s, const struct http_head *head)
{
	static const struct span fetches[] = {SPAN_LITERAL("GET"), SPAN_LITERAL("HEAD"),
					      SPAN_LITERAL("OPTIONS")};
	bool fetch = false;

	for (size_t i = 0; i < ARRAY_SIZE(fetches); i++)
		fetch |= span_eq(head->method, fetches[i]);
	if (http_header_get(head, SPAN_LITERAL("upgrade")).len)
		fetch = false;
	s->fetched |= fetch;
	s->asked |= !fetch || s->joined_midway;
	stream_note(s);
}

static void on_request(void *ctx, uint32_t number, const struct http_head *head)
{
	struct stream *s = ctx;
	struct pipeline *p = s->pipeline;
	struct span asked = authority_host(http_header_get(head, SPAN_LITERAL("host")));
	struct span host = asked.len ? asked : server_name_of(s);
	struct catalog_match match = {0};
	struct api_exchange *api;
	struct exchange *e;
	bool known;

	if (s->is_client)
		note_method(s, head);
	s->handed_over |= span_eq(head->method, SPAN_LITERAL("CONNECT"));
	known = catalog_lookup(p->config.catalog, host, head->target, &match);
	if (known && match.place == CATALOG_URL_PREFIX && !match.shared)
		name_by_url(s, host, &match);
	api = api_exchange_new_within(head, match.service, &p->codings);
	if (!s->is_client && !server_wanted(s))
		/* that this process serves is told; that it was called, for what it calls itself */
		stream_steer(s, STEER_HEADS);
	else
		steer_by(s, api != NULL, known);
	if (!api)
		return;
	e = s->exchange_count < EXCHANGES_PER_STREAM_MAX ? calloc(1, sizeof(*e)) : NULL;
	if (!e) {
		api_exchange_free(api);
		pipeline_lost(p, LOSS_STATE, 1);
		return;
	}
	note_forward(s, head->target);
	e->number = number;
	e->api = api;
	e->match = match;
	e->started_ns = p->now_ns;
	e->host_asked = asked.len > 0;
	api_key_facts(head, p->config.salt, &e->key);
	agent_find(p, &s->who, head, &e->agent);
	span_copy(e->method, sizeof(e->method), head->method);
	span_copy(e->version, sizeof(e->version), head->version);
	copy_host(e->host, sizeof(e->host), host);
	url_path_template(head->target, e->path, sizeof(e->path));
	span_copy(e->user_agent, sizeof(e->user_agent),
		  http_header_get(head, SPAN_LITERAL("user-agent")));
	if (!s->is_client)
		e->relayed = relay_call(s);
	e->next = s->exchanges;
	s->exchanges = e;
	s->exchange_count++;
}

static void on_response(void *ctx, uint32_t number, const struct http_head *head)
{
	struct stream *s = ctx;
	struct exchange *e = exchange_find(s, number);

	s->handed_over |= head->status == 101;
	if (!e)
		return;
	e->status = head->status;
	api_key_response(head, s->pipeline->config.salt, &e->key);
	api_exchange_response(e->api, head);
}

static void on_body(void *ctx, uint32_t number, enum stream_dir message, struct span bytes)
{
	struct exchange *e = exchange_find(ctx, number);

	if (e)
		api_exchange_body(e->api, message, bytes);
}

static void on_body_gap(void *ctx, uint32_t number, enum stream_dir message, uint64_t bytes)
{
	struct exchange *e = exchange_find(ctx, number);

	if (e)
		api_exchange_gap(e->api, message, bytes);
}

static void on_bytes(void *ctx, uint32_t number, enum stream_dir message, uint64_t bytes)
{
	struct exchange *e = exchange_find(ctx, number);

	if (e)
		e->bytes[message] += bytes;
}

static void on_message_begin(void *ctx, uint32_t number, enum stream_dir message, bool compressed)
{
	struct stream *s = ctx;
	struct exchange *e = exchange_find(s, number);

	if (!e) {
		stream_steer(s, STEER_IGNORE); /* a socket that nobody claims: nothing to come */
		return;
	}
	if (message == DIR_OUT && !api_exchange_asked(e->api))
		e->started_ns = s->pipeline->now_ns;
	api_exchange_message_begin(e->api, message, compressed);
}

static void conclude(struct stream *s, struct exchange *e, enum exchange_end how);

/* Each call on a WebSocket is one by itself. */
static void on_message_end(void *ctx, uint32_t number, enum stream_dir message)
{
	struct stream *s = ctx;
	struct exchange *e = exchange_find(s, number);

	if (!e || !api_exchange_message_end(e->api, message))
		return;
	conclude(s, e, EXCHANGE_COMPLETE);
	api_exchange_again(e->api);
	e->bytes[DIR_OUT] = e->bytes[DIR_IN] = 0;
}

static void on_request_end(void *ctx, uint32_t number)
{
	struct stream *s = ctx;
	struct exchange *e = exchange_find(s, number);

	if (e && e->relayed)
		relay_called(s, e);
}

static void set_usage(struct event *event, const struct token_usage *usage)
{
	static const char *const names[] = {
		[USAGE_NONE] = "none",
		[USAGE_REPORTED] = "reported",
		[USAGE_ESTIMATED_TEXT] = "estimated_text",
		[USAGE_ESTIMATED_CIPHERTEXT] = "estimated_ciphertext",
	};
	const struct {
		enum field field;
		token_count count;
	} counts[] = {
		{F_GEN_AI_INPUT_TOKENS, usage->input},
		{F_GEN_AI_OUTPUT_TOKENS, usage->output},
		{F_GEN_AI_CACHE_READ_TOKENS, usage->cache_read},
		{F_GEN_AI_CACHE_CREATION_TOKENS, usage->cache_creation},
		{F_GEN_AI_REASONING_TOKENS, usage->reasoning},
	};

	const struct {
		enum field field;
		token_count count;
	} bounds[] = {
		{F_USAGE_INPUT_LOW, usage->input_low},
		{F_USAGE_INPUT_HIGH, usage->input_high},
		{F_USAGE_OUTPUT_LOW, usage->output_low},
		{F_USAGE_OUTPUT_HIGH, usage->output_high},
	};
	bool estimated = usage->source == USAGE_ESTIMATED_TEXT ||
			 usage->source == USAGE_ESTIMATED_CIPHERTEXT;

	event_set_text(event, F_USAGE_SOURCE, names[usage->source]);
	for (size_t i = 0; estimated && i < sizeof(bounds) / sizeof(bounds[0]); i++)
		if (bounds[i].count != TOKENS_UNKNOWN)
			event_set_int(event, bounds[i].field, bounds[i].count);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i].count != TOKENS_UNKNOWN)
			event_set_int(event, counts[i].field, counts[i].count);
}

static void set_facts(struct event *event, const struct llm_facts *facts)
{
	event_set_text(event, F_GEN_AI_OPERATION_NAME, facts->operation);
	event_set_text(event, F_GEN_AI_REQUEST_MODEL, facts->request_model);
	event_set_text(event, F_GEN_AI_RESPONSE_MODEL, facts->response_model);
	if (facts->stream != TRI_UNKNOWN)
		event_set_bool(event, F_GEN_AI_REQUEST_STREAM, facts->stream == TRI_TRUE);
	if (facts->max_tokens != TOKENS_UNKNOWN)
		event_set_int(event, F_GEN_AI_REQUEST_MAX_TOKENS, facts->max_tokens);
	if (facts->finish_reason[0])
		event_append(event, F_GEN_AI_FINISH_REASONS, span_str(facts->finish_reason));
	event_set_text(event, F_ERROR_TYPE, facts->error_type);
	event_set_text(event, F_API_FAMILY, facts->api_family);
	if (facts->message_count >= 0)
		event_set_int(event, F_MESSAGE_COUNT, facts->message_count);
	if (facts->tool_count >= 0)
		event_set_int(event, F_TOOL_COUNT, facts->tool_count);
	if (facts->chunk_count)
		event_set_int(event, F_CHUNK_COUNT, facts->chunk_count);
	event_set_text(event, F_SERVICE_TIER, facts->service_tier);
	set_usage(event, &facts->usage);
	event_set_text(event, F_MCP_METHOD, facts->mcp_method);
	event_set_text(event, F_MCP_TOOL, facts->mcp_tool);
	event_set_text(event, F_MCP_SERVER, facts->mcp_server);
	if (facts->truncated)
		event_set_bool(event, F_TRUNCATED, true);
}

/* How sure: an exact host and the shape of the API leave no doubt; a name alone could be a proxy's. */
static int64_t confidence_of(const struct exchange *e, bool shape)
{
	if (e->match.service)
		return shape ? 99 : 90;
	return 85;
}

static void set_http(struct event *event, const struct exchange *e)
{
	event_set_text(event, F_HTTP_VERSION, e->version);
	event_set_text(event, F_HTTP_REQUEST_METHOD, e->method);
	if (e->status)
		event_set_int(event, F_HTTP_RESPONSE_STATUS_CODE, e->status);
	event_set_text(event, F_URL_DOMAIN, e->host);
	event_set_text(event, F_URL_PATH, e->path);
	event_set_text(event, F_USER_AGENT_ORIGINAL, e->user_agent);
	event_set_text(event, F_KEY_KIND, e->key.kind);
	event_set_text(event, F_KEY_FINGERPRINT, e->key.fingerprint);
	event_set_text(event, F_ACCOUNT_KIND, e->key.account);
	event_set_text(event, F_ACCOUNT_FINGERPRINT, e->key.account_fingerprint);
	event_set_text(event, F_MCP_SESSION, e->key.session);
}

static void set_message(struct event *event, const struct exchange *e,
			const struct llm_facts *facts)
{
	const char *what = facts->operation ? facts->operation : facts->mcp_method;
	const char *of = facts->request_model[0]    ? facts->request_model
			 : facts->response_model[0] ? facts->response_model
						    : facts->mcp_tool;
	const char *service = e->match.service ? e->match.service->id : e->host;
	char who[96], cost[COST_TEXT_MAX];

	compose_who(event, who, sizeof(who));
	cost_text(event, cost);
	if (facts->usage.source != USAGE_NONE && facts->usage.input != TOKENS_UNKNOWN &&
	    facts->usage.output != TOKENS_UNKNOWN)
		event_format(event, F_MESSAGE,
			     "%s: %s to %s%s%s, %s%" PRId64 " + %" PRId64 " tokens%s", who, what,
			     service, of[0] ? " " : "", of,
			     facts->usage.source == USAGE_REPORTED ? "" : "about ",
			     facts->usage.input, facts->usage.output, cost);
	else
		event_format(event, F_MESSAGE, "%s: %s to %s%s%s", who, what, service,
			     of[0] ? " " : "", of);
}

/* A client that has read the model's last word may well leave before the stream ends. */
static const char *outcome_of(const struct exchange *e, const struct llm_facts *facts,
			      enum exchange_end how)
{
	bool finished = how == EXCHANGE_COMPLETE || facts->finish_reason[0];

	if (facts->error_type[0])
		return "failure";
	if ((e->status >= 200 || e->status == 101) && e->status < 400 && finished)
		return "success";
	return e->status >= 400 || how == EXCHANGE_CUT ? "failure" : "unknown";
}

/*
 * The stream's connection, and how sure that is. What was seen inside the call is exact. What was inferred from
 * the thread's next send must agree with the name in that connection's handshake: no link rather than a
 * wrong one.
 */
static struct flow *linked_flow(const struct stream *s, const struct exchange *e,
				enum link_kind *kind)
{
	struct flow *flow = s->flow ? s->flow : flows_find_cookie(s->pipeline->flows, s->cookie);
	const char *name = flow ? wire_of(flow)->hello.server_name : "";

	*kind = s->kind;
	if (s->kind != LINK_THREAD)
		return flow;
	if (flow && (!name[0] || !e->host[0] || strcmp(name, e->host) == 0))
		return flow;
	*kind = LINK_NONE;
	return NULL;
}

/* A local model server has no name: its port says which one it is, once the API's shape says that it is one. */
static bool name_by_port(struct stream *s, struct exchange *e, const struct llm_facts *facts)
{
	return s->flow && !e->match.service &&
	       catalog_lookup_port(s->pipeline->config.catalog, wire_target_port(s->flow),
				   span_str(facts->api_family), &e->match);
}

static bool is_address(const char *host)
{
	unsigned char address[16];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* The call came to a relay, which has called another service for it: that one is told. */
static bool name_beyond(struct pipeline *p, struct exchange *e, struct flow *flow)
{
	struct wire *wire = flow ? wire_of(flow) : NULL;
	const struct service *near = e->match.service;
	bool named = false;

	if (!wire || !wire->beyond)
		return false;
	if (!near || !strcmp(near->kind, "self-hosted") || !strcmp(near->kind, "gateway"))
		named = catalog_lookup(p->config.catalog, span_str(wire->beyond), (struct span){0},
				       &e->match);
	if (!named)
		e->match.service = near;
	free(wire->beyond);
	wire->beyond = NULL;
	return true;
}

/* Is it a relay's own call? Then the connection is one's too. */
static enum relay_hop hop_of(struct stream *s, const struct exchange *e, struct flow *flow)
{
	enum relay_hop hop = relay_of_call(s, e);

	if (!flow)
		return hop;
	if (wire_of(flow)->relay_tunnel)
		return wire_of(flow)->relay;
	wire_of(flow)->relay = hop;
	return hop;
}

/* Does the name in the handshake speak for the service? Clients ask hosts of one service, and of one
 * certificate, over one connection (RFC 9113 section 9.1.1); under another's name they hide. */
static bool handshake_agrees(const struct pipeline *p, const struct wire *wire,
			     const struct exchange *e)
{
	struct catalog_match match = {0};

	if (!wire->has_hello || !wire->hello.server_name[0])
		return false;
	return strcmp(wire->hello.server_name, e->host) == 0 ||
	       (e->match.service &&
		catalog_lookup(p->config.catalog, span_str(wire->hello.server_name),
			       span_str(e->path), &match) &&
		match.service == e->match.service);
}

static void set_evidence(struct event *event, const struct stream *s, const struct exchange *e,
			 const struct flow *flow)
{
	const struct wire *wire = flow ? wire_of(flow) : NULL;

	event_append(event, F_EVIDENCE,
		     s->flow ? SPAN_LITERAL("cleartext") : SPAN_LITERAL("plaintext"));
	if (e->match.service && e->match.how == CATALOG_PORT)
		event_append(event, F_EVIDENCE, SPAN_LITERAL("local_port"));
	if (e->host_asked)
		event_append(event, F_EVIDENCE, SPAN_LITERAL("http_host"));
	if (wire && handshake_agrees(s->pipeline, wire, e))
		event_append(event, F_EVIDENCE, SPAN_LITERAL("sni"));
	if (wire && wire->target)
		event_append(event, F_EVIDENCE, span_str(wire->target->how));
	if (e->match.service && e->match.place == CATALOG_URL_PREFIX)
		event_append(event, F_EVIDENCE, SPAN_LITERAL("url_prefix"));
	if (api_exchange_shape(e->api))
		event_append(event, F_EVIDENCE, SPAN_LITERAL("api_shape"));
}

static void tell(struct stream *s, struct exchange *e, enum exchange_end how)
{
	static const char *const links[] = {
		[LINK_NONE] = "none", [LINK_IN_CALL] = "in_call", [LINK_THREAD] = "thread"};
	const struct llm_facts *facts = api_exchange_facts(e->api);
	struct pipeline *p = s->pipeline;
	enum link_kind kind;
	struct flow *flow = linked_flow(s, e, &kind);
	bool shape = api_exchange_shape(e->api), by_port = name_by_port(s, e, facts);
	bool sent_on = name_beyond(p, e, flow);
	enum relay_hop hop = hop_of(s, e, flow);
	struct event event;

	compose_base(p, &event, "llm-request", p->now_ns);
	event_set_time(&event, F_EVENT_START, e->started_ns);
	event_set_time(&event, F_EVENT_END, p->now_ns);
	event_set_int(&event, F_EVENT_DURATION, (int64_t)(p->now_ns - e->started_ns));
	event_set_text(&event, F_EVENT_OUTCOME, outcome_of(e, facts, how));
	compose_process(p, &event, &s->who);
	if (flow) {
		wire_of(flow)->plaintext = true;
		wire_of(flow)->agent = e->agent;
		/* a service that only the Host header or the path names is still this connection's */
		if (catalog_match_open(&wire_of(flow)->match))
			wire_of(flow)->match = e->match;
		compose_flow(p, &event, flow);
	}
	/* what was asked for, whatever name the handshake carried; a proxy was asked for it by name */
	if (!is_address(e->host) &&
	    !(flow && wire_of(flow)->target && wire_of(flow)->target->name[0]))
		event_set_text(&event, F_DESTINATION_DOMAIN, e->host);
	event_set_int(&event, F_SOURCE_BYTES, (int64_t)e->bytes[DIR_OUT]);
	event_set_int(&event, F_DESTINATION_BYTES, (int64_t)e->bytes[DIR_IN]);
	event_set_text(&event, F_NETWORK_PROTOCOL, s->flow ? "http" : "tls");
	set_http(&event, e);
	set_facts(&event, facts);
	agent_set(&event, &e->agent);
	compose_service(&event, e->match.service);
	cost_set(&event, p->config.prices, e->match.service, &e->key, facts);
	event_set_text(&event, F_ACTIVITY, "use");
	event_set_text(&event, F_VISIBILITY, "plaintext");
	/* packets are the socket's own: there is no link to be sure or unsure of */
	if (!s->flow)
		event_set_text(&event, F_LINK, links[kind]);
	event_set_int(&event, F_CONFIDENCE,
		      by_port ? (int64_t)e->match.confidence : confidence_of(e, shape));
	set_evidence(&event, s, e, flow);
	if (sent_on || hop != RELAY_NONE)
		event_append(&event, F_EVIDENCE, SPAN_LITERAL("relay"));
	if (hop == RELAY_TOLD)
		event_set_bool(&event, F_RELAY, true);
	set_message(&event, e, facts);
	p->stats.requests += hop != RELAY_TOLD;
	/* a request whose path was lost */
	compose_conclude(p, &event, e->match.shared ? NULL : &e->match, hop != RELAY_TOLD);
}

static void conclude(struct stream *s, struct exchange *e, enum exchange_end how)
{
	api_exchange_end(e->api, how);
	if (s->is_client && api_exchange_is_call(e->api, &e->match))
		tell(s, e, how);
	else if (!s->is_client && api_exchange_shape(e->api) &&
		 (e->status >= 200 || e->status == 101) && e->status < 300)
		server_answered(s, e);
}

static void on_end(void *ctx, uint32_t number, enum exchange_end how)
{
	struct stream *s = ctx;
	struct exchange **at = &s->exchanges;
	struct exchange *e;

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	e = *at;
	if (e) {
		*at = e->next;
		s->exchange_count--;
		/* of a WebSocket, what was left unanswered */
		if (api_exchange_asked(e->api))
			conclude(s, e, how);
		exchange_free(s, e);
	}
}

const struct exchange_listener exchange_listener = {
	.request = on_request,
	.response = on_response,
	.body = on_body,
	.body_gap = on_body_gap,
	.bytes = on_bytes,
	.message_begin = on_message_begin,
	.message_end = on_message_end,
	.request_end = on_request_end,
	.end = on_end,
};
